"""Disks of other systems, imported by CDI itself from a web server, and compared byte by byte."""

from __future__ import annotations

import pytest

from tests.e2e.cdi.disk import DiskWorkload
from tests.importer import disks
from tests.importer.kubelet import Kubelet
from tests.importer.server import DiskServer

pytestmark = pytest.mark.simulated


@pytest.mark.parametrize("name", [*disks.FORMATS, disks.COMPRESSED])
def test_a_disk_is_imported_as_it_was(
    web: DiskWorkload, kubelet: Kubelet, server: DiskServer, name: str
) -> None:
    source = server.folder / "disk.raw"
    content = disks.raw(source)
    disks.convert(source, name)
    web.boots({"http": {"url": server.url(name)}})
    ended = kubelet.imports(web.namespace)
    assert ended.exit_code == 0, ended.log
    web.becomes("Ready")
    assert web.data_volume()["status"]["phase"] == "Succeeded"
    imported = kubelet.disk(web.namespace, web.claim).read_bytes()
    assert imported[: len(content)] == content
    assert not any(imported[len(content) :])
    (volume,) = web.hull()["spec"]["template"]["spec"]["volumes"]
    assert volume == {"name": "boot", "dataVolume": {"name": web.claim}}
