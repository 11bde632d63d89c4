"""Machines that boot a disk of their own: from VMware with BIOS, and from Hyper-V with UEFI."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.controlplane import ControlPlane, build
from tests.controlplane.cdi import complete_storage_profile
from tests.disksystem.client import PORT, Client, Hardware
from tests.disksystem.exports import Export, Exports, imported
from tests.disksystem.system import GREETING
from tests.e2e.operator.subject import Manifest, Subject
from tests.guest.conftest import Boot
from tests.guest.launcher import Launcher
from tests.guest.machine import Machine
from tests.guest.machineslots import SlotUse
from tests.guest.rendered import ObjectStore, render
from tests.guest.scenario import container
from tests.guest.virthandler import VirtHandler, simulated
from tests.importer.kubelet import Kubelet
from tests.importer.server import DiskServer

#: The disks' size as the Workloads say it, in mebibytes.
SIZE = 192
#: How much of a machine's memory its firmware and its kernel may keep to themselves, in mebibytes.
KEPT = 120
#: How long a machine may take to be ready, and to shut down, on an emulated processor beside another one.
BOOTS, ENDS = 900.0, 300.0


@dataclass(frozen=True)
class Origin:
    """Where a disk comes from, and what is said of the machine that it was in."""

    #: The name of the file that a web server has.
    file: str
    bootloader: str
    mac: str

    def machine(self, url: str, **fields: Any) -> Manifest:
        """spec.virtualMachine of a Workload that boots the disk, which is at this URL."""
        return {
            "cpus": 1,
            "memory": "320Mi",
            "firmware": {"bootloader": self.bootloader},
            "networkInterface": {"macAddress": self.mac},
            "bootDisk": {
                "size": f"{SIZE}Mi",
                "source": {"http": {"url": url}},
            },
            "readiness": {"httpGet": {"path": "/", "port": PORT}, "periodSeconds": 1},
            **fields,
        }


VMWARE = Origin("vmware.vmdk", "BIOS", "00:50:56:01:02:03")
HYPER_V = Origin("hyperv.vhdx", "UEFI", "00:15:5d:01:02:03")
EITHER = pytest.mark.parametrize(
    "origin", [pytest.param(VMWARE, marks=pytest.mark.guest_quick), HYPER_V], ids=["vmware", "hyper-v"]
)


@pytest.fixture(scope="module")
def exports() -> Exports:
    """The disks as they were exported."""
    return Exports.ready()


@pytest.fixture(scope="module")
def control_plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """One with CDI, for this module's tests. Takes root."""
    if os.geteuid() != 0:
        pytest.skip("the namespaces of CDI's programs and of its importer need root")
    plane = ControlPlane.start(tmp_path_factory.mktemp("control-plane-with-cdi"))
    try:
        plane.install_cdi()
        plane.eventually(lambda: plane.api.get("StorageProfile", "simulated"), 30, "CDI knows the storage")
        complete_storage_profile(plane.api, "simulated")
        yield plane
    finally:
        plane.stop()


@dataclass(frozen=True)
class DiskWorkload:
    """A Workload that boots a disk from a web server, and has containers for when it is flipped."""

    web: Subject
    origin: Origin
    address: str
    server: DiskServer
    kubelet: Kubelet
    claims: Path

    def ask(self, **fields: Any) -> None:
        """Applies it."""
        annotations = {"metadata": {"annotations": simulated(self.address)}}
        machine = self.origin.machine(self.server.url(self.origin.file), **fields)
        self.web.apply(
            "VirtualMachine",
            {**annotations, "spec": {"containers": [container("web")]}},
            service={"ports": [{"name": "http", "port": PORT}]},
            virtualMachine=machine,
        )

    def fill(self) -> None:
        """Has CDI's importer fill its disk, and the launcher find what the importer left on the claim."""
        ended = self.kubelet.imports(self.web.namespace)
        assert ended.exit_code == 0, ended.log
        claim = f"{self.web.name}-boot"
        self.claims.mkdir()
        (self.claims / claim).symlink_to(self.kubelet.disk(self.web.namespace, claim).parent)


@pytest.fixture
def disk_workload(
    web: Subject, address: str, launcher: Launcher, exports: Exports, origin: Origin
) -> Iterator[DiskWorkload]:
    """The Workload of the test's origin, yet to be applied, beside a web server that has its disk."""
    assert isinstance(web.cluster, ControlPlane)
    with DiskServer.running(exports.folder) as server:
        kubelet = Kubelet(web.cluster, launcher.folder / "kubelet", server.port)
        yield DiskWorkload(web, origin, address, server, kubelet, launcher.claims)


def endpoint(web: Subject) -> Client:
    """The system on the disk, at the port and the Pod that the Workload's Service names.

    An EndpointSlice can't have this Pod's address, which is one of loopback's.
    """
    service = web.one("Service", web.name)["spec"]
    labels = ",".join(f"{key}={value}" for key, value in service["selector"].items())

    def only_address() -> str:
        pods = web.cluster.api.list("Pod", web.namespace, labels=labels)
        (address,) = (pod["status"]["podIP"] for pod in pods if "deletionTimestamp" not in pod["metadata"])
        return str(address)

    address = web.eventually(only_address, "the Service has one Pod, which has an address")
    return Client(address, service["ports"][0]["targetPort"])


def booted(web: Subject, handler: VirtHandler) -> Client:
    """The system on the disk, once the Workload is Ready."""
    try:
        web.becomes("Ready", timeout=BOOTS)
    except AssertionError as never:
        never.add_note(f"the console:\n{handler.machine.console_end()}")
        raise
    return endpoint(web)


def shut_down(handler: VirtHandler) -> None:
    """Waits until the system has shut down, as its power button asked it to."""
    assert handler.machine.ended(ENDS) == "guest-shutdown"
    handler.stop()


@pytest.mark.built(*build.CDI)
@EITHER
def test_it_is_the_same_disk_after_a_stop_and_after_a_changed_spec(
    disk_workload: DiskWorkload, boot: Boot, origin: Origin
) -> None:
    web, address = disk_workload.web, disk_workload.address
    disk_workload.ask()
    disk_workload.fill()
    handler = boot(web, address, [PORT])
    system = booted(web, handler)
    assert system.greeting() == GREETING
    seen = system.look()
    assert (seen.boots, seen.firmware, seen.cpus) == (1, origin.bootloader, "0")
    assert 320 - KEPT < seen.mebibytes <= 320
    assert seen.disks == (Hardware("ahci", mebibytes=SIZE),)
    assert seen.cards == (Hardware("e1000e", mac=origin.mac),)

    system.write("note", "kept")
    web.change(state="Stopped")
    shut_down(handler)
    web.becomes("Stopped", timeout=ENDS)
    web.change(state="Running")
    handler = boot(web, address, [PORT])
    system = booted(web, handler)
    assert (system.look().boots, system.read("note")) == (2, "kept")

    disk_workload.ask(cpus=2, memory="448Mi", devices="Virtio")
    shut_down(handler)
    system = booted(web, boot(web, address, [PORT]))
    seen = system.look()
    assert (seen.boots, system.read("note")) == (3, "kept")
    assert (seen.firmware, seen.cpus) == (origin.bootloader, "0-1")
    assert 448 - KEPT < seen.mebibytes <= 448
    assert seen.disks == (Hardware("virtio-pci", mebibytes=SIZE),)
    assert seen.cards == (Hardware("virtio-pci", mac=origin.mac),)


@pytest.mark.built(*build.CDI)
@pytest.mark.parametrize("origin", [HYPER_V], ids=["hyper-v"])
def test_the_same_disk_boots_after_containers_had_its_name(disk_workload: DiskWorkload, boot: Boot) -> None:
    web, address = disk_workload.web, disk_workload.address
    disk_workload.ask()
    disk_workload.fill()
    handler = boot(web, address, [PORT])
    booted(web, handler).write("note", "kept")
    web.change(isolationPolicy="Container")
    shut_down(handler)
    web.eventually(lambda: "Pod" in web.belongings(), "the containers are made")
    web.eventually(lambda: not web.get()["status"]["disks"][0]["attached"], "the disk is kept beside them")
    web.change(isolationPolicy="VirtualMachine")
    system = booted(web, boot(web, address, [PORT]))
    assert (system.look().boots, system.read("note")) == (2, "kept")


def launched(launcher: Launcher, export: Export, bootloader: str) -> Machine:
    """The machine of a Workload that names this firmware, with an imported disk, without any API server."""
    origin = Origin(export.file.name, bootloader, VMWARE.mac)
    workload = {
        "apiVersion": "twinhull.dev/v1alpha1",
        "kind": "Workload",
        "metadata": {
            "name": "web",
            "namespace": "shop",
            "uid": "3d2a4d0e-2f0e-4b39-93f5-6f1d3e0c7a11",
            "generation": 1,
            "creationTimestamp": "2026-01-01T00:00:00Z",
        },
        "spec": {
            "isolationPolicy": "VirtualMachine",
            "virtualMachine": origin.machine("https://disks.example/disk"),
        },
    }
    image = launcher.claims / "web-boot" / "disk.img"
    image.parent.mkdir(parents=True)
    imported(export, image, SIZE)
    return launcher.launch(render(workload, ObjectStore(), {}), [PORT])


@pytest.mark.guest_quick
def test_a_disk_from_hyper_v_does_not_boot_by_bios(
    launcher: Launcher,
    exports: Exports,
    slot: SlotUse,  # noqa: ARG001
) -> None:
    machine = launched(launcher, exports.hyper_v, "BIOS")
    try:
        machine.eventually(
            lambda: "No bootable device" in machine.screen(), BOOTS, "the BIOS finds no system"
        )
        assert "twinhull" not in machine.console()
    finally:
        machine.stop()


@pytest.mark.guest_quick
def test_a_disk_from_vmware_does_not_boot_by_uefi(
    launcher: Launcher,
    exports: Exports,
    slot: SlotUse,  # noqa: ARG001
) -> None:
    machine = launched(launcher, exports.vmware, "UEFI")
    try:
        machine.eventually(
            lambda: "No bootable option" in machine.console(), BOOTS, "the firmware finds no system"
        )
        assert "twinhull" not in machine.console()
    finally:
        machine.stop()
