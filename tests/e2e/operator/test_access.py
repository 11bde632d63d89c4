"""Who asks to get into a Workload that has no guest, and what becomes of the request.

That somebody gets into a machine is shown with booted guests (tests/guest/test_lifecycle.py).
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.controlplane.api import ApiError
from tests.e2e.operator.subject import Manifest, Subject, condition
from twinhull.reach.guest_tls import PersonalKey

pytestmark = pytest.mark.simulated


def access_request(subject: Subject, **spec: Any) -> Manifest:
    """An AccessRequest for a Workload, as it is created."""
    return {
        "apiVersion": "twinhull.dev/v1alpha1",
        "kind": "AccessRequest",
        "metadata": {"generateName": "ann-", "namespace": subject.namespace},
        "spec": {"workload": subject.name, "request": PersonalKey().request(), "usages": ["exec"], **spec},
    }


def answered(subject: Subject, name: str, reason: str) -> Manifest:
    """The request, once it is Ready, or not, for that reason."""

    def seen() -> Manifest:
        request = subject.one("AccessRequest", name)
        assert condition(request, "Ready")[1] == reason
        return request

    return subject.eventually(seen, f"{name} is answered with {reason}")


def test_a_request_goes_at_its_end(web: Subject) -> None:
    api = web.cluster.api
    name = api.create(access_request(web, expirationSeconds=10))["metadata"]["name"]
    web.eventually(lambda: not api.get("AccessRequest", name, web.namespace), "the request is deleted")


def test_nobody_is_let_into_what_has_no_guest(web: Subject) -> None:
    name = web.cluster.api.create(access_request(web))["metadata"]["name"]
    missing = answered(web, name, "WorkloadMissing")
    assert condition(missing, "Stalled")[0] == "True"

    web.apply("Container")
    web.becomes("Ready")
    refused = answered(web, name, "NoGuest")
    assert "twinhull logs" in condition(refused, "Ready")[2]
    assert "certificate" not in refused["status"]


def test_an_operator_without_a_key_for_guests_says_so(web: Subject) -> None:
    web.apply("VirtualMachine")
    web.becomes("Ready")
    name = web.cluster.api.create(access_request(web))["metadata"]["name"]
    assert "--guest-key-file" in condition(answered(web, name, "NoGuestKey"), "Ready")[2]


@pytest.mark.parametrize(
    ("spec", "field"),
    [
        ({"usages": []}, "spec.usages"),
        ({"usages": ["exec", "exec"]}, "spec.usages"),
        ({"usages": ["everything"]}, "spec.usages"),
        ({"expirationSeconds": 3601}, "spec.expirationSeconds"),
        ({"expirationSeconds": 9}, "spec.expirationSeconds"),
        ({"request": "x" * 8193}, "spec.request"),
        ({"workload": ""}, "spec.workload"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_wrong_request_is_refused(web: Subject, spec: Manifest, field: str) -> None:
    with pytest.raises(ApiError, match=field):
        web.cluster.api.create(access_request(web, **spec))


def test_a_request_cannot_be_changed(web: Subject) -> None:
    api = web.cluster.api
    name = api.create(access_request(web))["metadata"]["name"]
    with pytest.raises(ApiError, match="can't be changed: create another one"):
        api.patch("AccessRequest", name, web.namespace, {"spec": {"usages": ["logs"]}})
