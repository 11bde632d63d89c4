"""docs/from-a-disk.md, as a reader follows it: a disk is imported, booted, and left for containers."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from tests.controlplane import build
from tests.e2e.cdi.disk import DiskWorkload
from tests.importer import disks
from tests.importer.kubelet import Kubelet
from tests.importer.server import DiskServer
from tests.pages import Shell, files, read, steps

pytestmark = [pytest.mark.simulated, pytest.mark.built(*build.CDI)]

PAGE = read("docs/from-a-disk.md")


def test_a_machine_of_vmwares_becomes_a_container(
    web: DiskWorkload, kubelet: Kubelet, server: DiskServer, tmp_path: Path
) -> None:
    content = disks.write(server.folder, "stream-optimized.vmdk")
    (server.folder / "stream-optimized.vmdk").rename(server.folder / "shop.vmdk")
    assert set(files(PAGE)) == {"shop.yaml", "both.yaml", "containers.yaml"}
    assert PAGE.count("http://disks.example") == 2
    folder = tmp_path / "reader"
    folder.mkdir()
    page = PAGE.replace("http://disks.example/", server.url(""))
    shell = Shell.opened(web.cluster, web.namespace, folder, page)
    importing = threading.Thread(target=kubelet.imports, args=(web.namespace,), daemon=True)
    importing.start()
    disk: list[bytes] = []
    for step in steps(page):
        if step.command.startswith("kubectl delete datavolume"):
            disk.append(kubelet.disk(web.namespace, "shop-boot").read_bytes())
        shell.follow([step], web.check)
    assert disk[0][: len(content)] == content
