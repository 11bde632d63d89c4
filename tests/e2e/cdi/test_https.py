"""Disks from a server with a certificate of a private authority, and with a password."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.controlplane import build
from tests.controlplane.certificates import Authority
from tests.controlplane.ports import LOOPBACK
from tests.e2e.cdi.disk import DiskWorkload
from tests.e2e.cdi.outcomes import fails, succeeds
from tests.importer import disks
from tests.importer.kubelet import Kubelet
from tests.importer.server import DiskServer

pytestmark = [pytest.mark.simulated, pytest.mark.built(*build.CDI)]

DISK = "disk.qcow2"
REMEDY = "certificate signed by unknown authority: have certConfigMap name a ConfigMap with the certificate"


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    """Whom nobody trusts by default."""
    return Authority(tmp_path, "disks")


@pytest.fixture
def server(authority: Authority, tmp_path: Path) -> Iterator[DiskServer]:
    """A web server that speaks HTTPS alone, and asks for a password."""
    folder = tmp_path / "served"
    folder.mkdir()
    with DiskServer.running(folder, authority.server("server", "disks", (LOOPBACK,))) as running:
        running.passwords[DISK] = ("user", "right")
        yield running


@pytest.fixture
def content(server: DiskServer) -> bytes:
    """What is on the disk."""
    return disks.write(server.folder, DISK)


@pytest.fixture(autouse=True)
def credentials(web: DiskWorkload) -> None:
    """The right password."""
    web.secret("credentials", accessKeyId="user", secretKey="right")


@pytest.mark.parametrize("key", ["tls.crt", "ca.pem"])
def test_a_private_authority_under_any_key(  # noqa: PLR0913, PLR0917  fixtures
    web: DiskWorkload, kubelet: Kubelet, server: DiskServer, authority: Authority, content: bytes, key: str
) -> None:
    web.config_map("authority", {key: authority.files.certificate.read_text(encoding="ascii")})
    source = {"url": server.url(DISK), "secretRef": "credentials", "certConfigMap": "authority"}
    web.boots({"http": source})
    succeeds(web, kubelet, content)


def test_without_the_authority(
    web: DiskWorkload, kubelet: Kubelet, server: DiskServer, authority: Authority, content: bytes
) -> None:
    source = {"url": server.url(DISK), "secretRef": "credentials"}
    web.boots({"http": source})
    fails(web, kubelet, REMEDY)
    web.config_map("authority", {"ca.pem": authority.files.certificate.read_text(encoding="ascii")})
    web.boots({"http": source | {"certConfigMap": "authority"}})
    succeeds(web, kubelet, content)


def test_another_authority(  # noqa: PLR0913, PLR0917  fixtures
    web: DiskWorkload,
    kubelet: Kubelet,
    server: DiskServer,
    authority: Authority,
    content: bytes,
    tmp_path: Path,
) -> None:
    """The importer trusts the right one at its next start: the spec stays as it is."""
    another = Authority(tmp_path, "another").files
    web.config_map("authority", {"ca.pem": another.certificate.read_text(encoding="ascii")})
    source = {"url": server.url(DISK), "secretRef": "credentials", "certConfigMap": "authority"}
    web.boots({"http": source})
    fails(web, kubelet, REMEDY)
    web.config_map("authority", {"ca.pem": authority.files.certificate.read_text(encoding="ascii")})
    kubelet.again(web.namespace)
    succeeds(web, kubelet, content)


def test_a_certificate_for_another_host(
    web: DiskWorkload, kubelet: Kubelet, authority: Authority, tmp_path: Path
) -> None:
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    web.config_map("authority", {"ca.pem": authority.files.certificate.read_text(encoding="ascii")})
    with DiskServer.running(folder, authority.server("other", "disks", ("disks.example",))) as server:
        web.boots({"http": {"url": server.url(DISK), "certConfigMap": "authority"}})
        fails(web, Kubelet(kubelet.cluster, tmp_path / "other kubelet", server.port), "is for another host")


def test_a_wrong_password(web: DiskWorkload, kubelet: Kubelet, server: DiskServer, content: bytes) -> None:
    web.secret("credentials", accessKeyId="user", secretKey="wrong")
    web.config_map("authority", {"ca.pem": (server.folder.parent / "disks-ca.crt").read_text("ascii")})
    source = {"url": server.url(DISK), "secretRef": "credentials", "certConfigMap": "authority"}
    web.boots({"http": source})
    fails(web, kubelet, "got 401", "see the Secret that secretRef names")
    web.secret("credentials", accessKeyId="user", secretKey="right")
    kubelet.again(web.namespace)
    succeeds(web, kubelet, content)
