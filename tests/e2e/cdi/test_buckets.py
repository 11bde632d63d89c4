"""Disks in a bucket: CDI's AWS SDK asks a server that verifies the signatures of requests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.controlplane import ControlPlane, build
from tests.e2e.cdi.disk import DiskWorkload
from tests.e2e.cdi.outcomes import fails, succeeds
from tests.importer import disks
from tests.importer.bucket import ID, SECRET, Bucket
from tests.importer.kubelet import Kubelet

pytestmark = [pytest.mark.simulated, pytest.mark.built(*build.CDI, *build.OBJECT_STORE)]

DISK = "images/disk.qcow2"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bucket's objects."""
    folder = tmp_path_factory.mktemp("bucket")
    (folder / "images").mkdir()
    return folder


@pytest.fixture(scope="module")
def content(folder: Path) -> bytes:
    """What is on the disk."""
    return disks.write(folder / "images", "disk.qcow2")


@pytest.fixture(scope="module")
def bucket(folder: Path, content: bytes) -> Iterator[Bucket]:  # noqa: ARG001  the disk is there
    """One with the disk."""
    with Bucket.running(folder) as running:
        yield running


@pytest.fixture
def kubelet(cluster: ControlPlane, bucket: Bucket, tmp_path: Path) -> Kubelet:
    """What runs importer Pods. They reach the bucket."""
    return Kubelet(cluster, tmp_path / "kubelet", bucket.port)


def test_an_object(web: DiskWorkload, kubelet: Kubelet, bucket: Bucket, content: bytes) -> None:
    web.secret("reader", accessKeyId=ID, secretKey=SECRET)
    web.boots({"s3": {"url": bucket.url(DISK), "secretRef": "reader"}})
    succeeds(web, kubelet, content)


def test_a_wrong_key(web: DiskWorkload, kubelet: Kubelet, bucket: Bucket, content: bytes) -> None:
    """The importer takes the right one at its next start: the spec stays as it is."""
    web.secret("reader", accessKeyId=ID, secretKey="wrong")
    web.boots({"s3": {"url": bucket.url(DISK), "secretRef": "reader"}})
    fails(web, kubelet, "status code: 403", "see the Secret that secretRef names")
    web.secret("reader", accessKeyId=ID, secretKey=SECRET)
    kubelet.again(web.namespace)
    succeeds(web, kubelet, content)


def test_without_a_key(web: DiskWorkload, kubelet: Kubelet, bucket: Bucket, content: bytes) -> None:
    """CDI signs every request to a bucket."""
    source = {"url": bucket.url(DISK)}
    web.boots({"s3": source})
    fails(web, kubelet, "S3 needs credentials: name their Secret in secretRef")
    web.secret("reader", accessKeyId=ID, secretKey=SECRET)
    web.boots({"s3": source | {"secretRef": "reader"}})
    succeeds(web, kubelet, content)


@pytest.mark.parametrize("wrong", [("nothing.qcow2", "disks"), (DISK, "nothing")])
def test_a_wrong_url(
    web: DiskWorkload,
    kubelet: Kubelet,
    bucket: Bucket,
    content: bytes,
    wrong: tuple[str, str],
) -> None:
    web.secret("reader", accessKeyId=ID, secretKey=SECRET)
    source = {"url": bucket.url(DISK), "secretRef": "reader"}
    web.boots({"s3": source | {"url": bucket.url(*wrong)}})
    fails(web, kubelet, "status code: 404", "the URL leads to nothing: correct source.url")
    web.boots({"s3": source})
    succeeds(web, kubelet, content)
