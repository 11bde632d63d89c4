"""CDI's messages on disks, and what to do about each. In tests/e2e/cdi CDI itself gives most of them."""

from __future__ import annotations

import pytest

from twinhull.hulls import cdi_messages

_HTTPS = (
    "Unable to connect to http data source: HTTP request errored: Get "
    '"https://127.0.0.1:8443/disk.qcow2": tls: failed to verify certificate: x509: '
)
_REGISTRY = (
    "Unable to process data: Unable to transfer source data to scratch space: Failed to read registry image: "
)
_PULL = f"{_REGISTRY}failed to pull image: "
_S3 = 'Unable to connect to s3 data source: could not get s3 object: "disks/disk.qcow2": '


@pytest.mark.parametrize(
    ("sentence", "remedy"),
    [
        (f"{_HTTPS}certificate signed by unknown authority", "have certConfigMap name a ConfigMap with the"),
        (
            f"{_HTTPS}cannot validate certificate for 127.0.0.1 because it doesn't contain any IP SANs",
            "the server's certificate is for another host",
        ),
        (
            f"{_HTTPS}certificate is valid for disks.example, not images.example",
            "the server's certificate is for another host",
        ),
        (
            f"{_HTTPS}certificate has expired or is not yet valid",
            "renew it",
        ),
        (
            f"{_PULL}pinging container registry: x509: certificate signed by unknown authority",
            "for a registry under a key that ends in .crt or .pem",
        ),
        (
            f"{_PULL}reading manifest 1 in 127.0.0.1:5000/disks/web: authentication required",
            "the registry asks for other credentials: see the Secret that secretRef names",
        ),
        (
            f"{_PULL}reading manifest 2 in 127.0.0.1:5000/web: manifest unknown",
            "the registry has no such image: correct source.url",
        ),
        (
            f"{_REGISTRY}Failed to find VM disk image file in the container image",
            "the image has no disk: it has to be the only file in its folder /disk",
        ),
        (
            f"{_S3}SignatureDoesNotMatch: Check your key. \tstatus code: 403, request id: 3",
            "see the Secret that secretRef names",
        ),
        (f"{_S3}NoSuchKey:  \tstatus code: 404, request id: 5", "the URL leads to nothing"),
        (
            f"{_S3}EmptyStaticCreds: static credentials are empty",
            "S3 needs credentials: name their Secret in secretRef",
        ),
    ],
)
def test_what_to_do_is_said_and_must_be_done_first(sentence: str, remedy: str) -> None:
    explained = cdi_messages.explained(sentence, "shop")
    assert explained.startswith(f"{sentence}: ")
    assert remedy in explained.removeprefix(sentence)
    assert cdi_messages.is_failure(sentence), "no later attempt succeeds by itself"
    assert not cdi_messages.is_of_content(sentence), "nothing was fetched"


@pytest.mark.parametrize(
    "sentence", ["DataVolume too small to contain image", "Importer pod cannot be scheduled"]
)
def test_events_are_those_of_the_disk_s_namespace(sentence: str) -> None:
    assert "(kubectl get events -n shop)" in cdi_messages.explained(sentence, "shop")
