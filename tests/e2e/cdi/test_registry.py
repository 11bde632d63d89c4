"""Disks in container images: a real registry, with a certificate of a private authority and a password."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from guest.image.tools import Tools
from tests.controlplane import ControlPlane, build
from tests.controlplane.ports import LOOPBACK
from tests.e2e.cdi.disk import CSI, LATE, DiskWorkload
from tests.e2e.cdi.outcomes import fails, succeeds
from tests.e2e.operator.policies import Policies
from tests.guest.containerimage import ContainerImage, File, Layer
from tests.guest.registry import PASSWORD, USER, Registry
from tests.importer import disks
from tests.importer.kubelet import Kubelet
from tests.operator_process import OperatorProcess

pytestmark = [pytest.mark.simulated, pytest.mark.built(*build.CDI)]

OTHER_CREDENTIALS = "the registry asks for other credentials: see the Secret that secretRef names"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the images are made of, and all that the registry keeps."""
    return tmp_path_factory.mktemp("registry")


@pytest.fixture(scope="module")
def content(folder: Path) -> bytes:
    """What is on the disk of the image disks/web:1."""
    return disks.write(folder, "disk.qcow2")


@pytest.fixture(scope="module")
def registry(folder: Path, content: bytes) -> Iterator[Registry]:  # noqa: ARG001  the disk is there
    """A private one, with an image as for KubeVirt's containerDisk, and one without a disk."""
    started = Registry.start(Tools.ready(), folder / "registry", private=True, seen_at=LOOPBACK)
    try:
        disk = File("disk/disk.qcow2", (folder / "disk.qcow2").read_bytes(), mode=0o644)
        started.push("disks/web:1", ContainerImage((Layer.of(disk),), {}))
        started.push("disks/none:1", ContainerImage((Layer.of(File("etc/hostname", b"web")),), {}))
        yield started
    finally:
        started.stop()


@pytest.fixture
def kubelet(cluster: ControlPlane, registry: Registry, tmp_path: Path) -> Kubelet:
    """What runs importer Pods. They reach the registry."""
    return Kubelet(cluster, tmp_path / "kubelet", registry.port)


@pytest.fixture
def source(registry: Registry, web: DiskWorkload) -> dict[str, Any]:
    """The disk, with the right password and the right authority."""
    web.secret("puller", accessKeyId=USER, secretKey=PASSWORD)
    web.config_map("authority", {"ca.pem": registry.certificates})
    url = f"docker://{LOOPBACK}:{registry.port}/disks/web:1"
    return {"url": url, "secretRef": "puller", "certConfigMap": "authority"}


def test_an_images_disk(web: DiskWorkload, kubelet: Kubelet, source: dict[str, Any], content: bytes) -> None:
    web.boots({"registry": source})
    succeeds(web, kubelet, content)


@pytest.fixture
def rules(operator: OperatorProcess, policies: Policies, registry: Registry) -> None:  # noqa: ARG001  it is up
    """Machines may boot the registry's disks only."""
    policies.enforce("images", machines={"guestImages": [f"{LOOPBACK}:{registry.port}/disks/*"]})


@pytest.mark.usefixtures("rules")
@pytest.mark.parametrize("storage", ["simulated", CSI, LATE])
def test_an_images_disk_under_rules_for_images(
    web: DiskWorkload, kubelet: Kubelet, source: dict[str, Any], storage: str
) -> None:
    """On each kind of storage CDI notes on the claim that it has made it: no honest import is refused."""
    web.boots({"registry": source}, storageClassName=storage)
    assert kubelet.imports(web.namespace).exit_code == 0
    web.becomes("Ready")
    assert "ImageRejected" not in {reason for _, reason, _ in web.all_events()}


def test_an_authority_under_another_key(
    web: DiskWorkload, kubelet: Kubelet, source: dict[str, Any], content: bytes, registry: Registry
) -> None:
    """CDI takes only keys with these two endings, and only for a registry."""
    web.config_map("elsewhere", {"authority": registry.certificates})
    web.boots({"registry": source | {"certConfigMap": "elsewhere"}})
    fails(web, kubelet, "signed by unknown authority", "under a key that ends in .crt or .pem")
    web.config_map("elsewhere", {"authority.crt": registry.certificates})
    kubelet.again(web.namespace)
    succeeds(web, kubelet, content)


def test_without_the_authority(
    web: DiskWorkload, kubelet: Kubelet, source: dict[str, Any], content: bytes
) -> None:
    web.boots({"registry": {"url": source["url"], "secretRef": source["secretRef"]}})
    fails(web, kubelet, "signed by unknown authority", "certConfigMap")
    web.boots({"registry": source})
    succeeds(web, kubelet, content)


def test_a_wrong_password(
    web: DiskWorkload, kubelet: Kubelet, source: dict[str, Any], content: bytes
) -> None:
    web.secret("puller", accessKeyId=USER, secretKey="wrong")
    web.boots({"registry": source})
    fails(web, kubelet, OTHER_CREDENTIALS)
    web.secret("puller", accessKeyId=USER, secretKey=PASSWORD)
    kubelet.again(web.namespace)
    succeeds(web, kubelet, content)


def test_without_a_password(web: DiskWorkload, kubelet: Kubelet, source: dict[str, Any]) -> None:
    web.boots({"registry": {"url": source["url"], "certConfigMap": source["certConfigMap"]}})
    fails(web, kubelet, OTHER_CREDENTIALS)


def test_an_image_that_isnt_there(
    web: DiskWorkload, kubelet: Kubelet, source: dict[str, Any], content: bytes
) -> None:
    web.boots({"registry": source | {"url": source["url"].replace("web:1", "web:2")}})
    fails(web, kubelet, "the registry has no such image: correct source.url")
    web.boots({"registry": source})
    succeeds(web, kubelet, content)


def test_an_image_without_a_disk(web: DiskWorkload, kubelet: Kubelet, source: dict[str, Any]) -> None:
    web.boots({"registry": source | {"url": source["url"].replace("web:1", "none:1")}})
    fails(web, kubelet, "the image has no disk: it has to be the only file in its folder /disk")
