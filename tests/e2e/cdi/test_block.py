"""Disks of volume mode Block: CDI's importer writes onto a block device, here a loop device of a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.controlplane import build
from tests.e2e.cdi.disk import DiskWorkload
from tests.e2e.cdi.outcomes import fails, imported, succeeds
from tests.importer import disks
from tests.importer.kubelet import Kubelet
from tests.importer.server import DiskServer

pytestmark = [
    pytest.mark.simulated,
    pytest.mark.built(*build.CDI),
    pytest.mark.skipif(not Path("/dev/loop-control").exists(), reason="this machine has no loop devices"),
]

BLOCK: dict[str, Any] = {"volumeMode": "Block", "accessModes": ["ReadWriteOnce"]}


@pytest.fixture
def content(server: DiskServer) -> bytes:
    """What is on the disk."""
    return disks.write(server.folder, "disk.qcow2")


@pytest.mark.parametrize("name", ["disk.qcow2", "disk.raw"])
def test_a_disk_is_imported_onto_a_block_device(
    web: DiskWorkload, kubelet: Kubelet, server: DiskServer, content: bytes, name: str
) -> None:
    web.boots({"http": {"url": server.url(name)}}, **BLOCK)
    (device,) = kubelet.pod(web.namespace)["spec"]["containers"][0]["volumeDevices"]
    assert device["devicePath"] == "/dev/cdi-block-volume"
    succeeds(web, kubelet, content)
    disk = imported(web, kubelet)
    assert len(disk) == 64 << 20, "it is as large as the volume"
    assert not any(disk[len(content) :])


def test_too_small_a_device(web: DiskWorkload, kubelet: Kubelet, server: DiskServer, content: bytes) -> None:
    source = {"http": {"url": server.url("disk.qcow2")}}
    web.boots(source, "16Mi", **BLOCK)
    fails(web, kubelet, "DataVolume too small to contain image: set size of the disk to the virtual size")
    web.boots(source, **BLOCK)
    succeeds(web, kubelet, content)
