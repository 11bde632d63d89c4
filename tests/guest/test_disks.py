"""Machines that boot a disk of their own: from VMware with BIOS, and from Hyper-V with UEFI."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.controlplane import Cluster
from tests.disksystem.client import PORT, Client, Hardware
from tests.disksystem.exports import Export, Exports, imported
from tests.disksystem.system import GREETING
from tests.e2e.operator.subject import Manifest, Subject
from tests.guest.conftest import Boot
from tests.guest.importing import STORAGE_CLASS, Importer
from tests.guest.launcher import Launcher
from tests.guest.machine import Machine
from tests.guest.machineslots import SlotUse
from tests.guest.rendered import ObjectStore, render
from tests.guest.scenario import container
from tests.guest.virthandler import VirtHandler, simulated

#: The disks' size as the Workloads say it, in mebibytes.
SIZE = 192
#: How much of a machine's memory its firmware and its kernel may keep to themselves, in mebibytes.
KEPT = 120
#: How long a machine may take to be ready, and to shut down, on an emulated processor beside another one.
BOOTS, ENDS = 300.0, 120.0


@dataclass(frozen=True)
class Origin:
    """Where a disk comes from, and what is said of the machine that it was in."""

    url: str
    bootloader: str
    mac: str

    def machine(self, **fields: Any) -> Manifest:
        """spec.virtualMachine of a Workload that boots the disk."""
        return {
            "cpus": 1,
            "memory": "320Mi",
            "firmware": {"bootloader": self.bootloader},
            "networkInterface": {"macAddress": self.mac},
            "bootDisk": {
                "size": f"{SIZE}Mi",
                "storageClassName": STORAGE_CLASS,
                "source": {"http": {"url": self.url}},
            },
            "readiness": {"httpGet": {"path": "/", "port": PORT}, "periodSeconds": 1},
            **fields,
        }


VMWARE = Origin("https://disks.example/vmware.vmdk", "BIOS", "00:50:56:01:02:03")
HYPER_V = Origin("https://disks.example/hyperv.vhdx", "UEFI", "00:15:5d:01:02:03")
EITHER = pytest.mark.parametrize(
    "origin", [pytest.param(VMWARE, marks=pytest.mark.guest_quick), HYPER_V], ids=["vmware", "hyper-v"]
)


@pytest.fixture(scope="module")
def served() -> dict[str, Export]:
    """The disks, by the URLs at which Workloads find them."""
    exports = Exports.ready()
    return {VMWARE.url: exports.vmware, HYPER_V.url: exports.hyper_v}


@pytest.fixture(scope="module")
def cdi(control_plane: Cluster) -> Iterator[None]:
    """CDI says that it is there, and how much of a claim is its file system's, for virt-controller."""
    overhead = {"filesystemOverhead": {"global": "0.06", "storageClass": {}}}
    there = (("CDI", "cdi", {"phase": "Deployed"}), ("CDIConfig", "config", overhead))
    for kind, name, status in there:
        made = {"apiVersion": "cdi.kubevirt.io/v1beta1", "kind": kind, "metadata": {"name": name}, "spec": {}}
        control_plane.api.create(made)
        control_plane.api.patch(kind, name, None, {"status": status})
    yield
    for kind, name, _ in there:
        control_plane.api.delete(kind, name)


def ask(web: Subject, origin: Origin, address: str, **fields: Any) -> None:
    """Applies a Workload that boots the disk, and has containers for when it is flipped."""
    pod_template = {
        "metadata": {"annotations": simulated(address)},
        "spec": {"containers": [container("web")]},
    }
    service = {"ports": [{"name": "http", "port": PORT}]}
    web.apply("VirtualMachine", pod_template, service=service, virtualMachine=origin.machine(**fields))


def endpoint(web: Subject) -> Client:
    """The system on the disk, at the port and the Pod that the Workload's Service names.

    An EndpointSlice can't have this Pod's address, which is one of loopback's.
    """
    service = web.one("Service", web.name)["spec"]
    labels = ",".join(f"{key}={value}" for key, value in service["selector"].items())
    pods = web.cluster.api.list("Pod", web.namespace, labels=labels)
    (address,) = (pod["status"]["podIP"] for pod in pods if "deletionTimestamp" not in pod["metadata"])
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


@pytest.mark.usefixtures("cdi")
@EITHER
def test_it_is_the_same_disk_after_a_stop_and_after_a_changed_spec(  # noqa: PLR0913, PLR0917 - fixtures
    web: Subject, boot: Boot, address: str, launcher: Launcher, served: dict[str, Export], origin: Origin
) -> None:
    ask(web, origin, address)
    Importer(web.cluster.api, web.namespace, launcher.claims, served).fill("web-boot")
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

    ask(web, origin, address, cpus=2, memory="448Mi", devices="Virtio")
    shut_down(handler)
    system = booted(web, boot(web, address, [PORT]))
    seen = system.look()
    assert (seen.boots, system.read("note")) == (3, "kept")
    assert (seen.firmware, seen.cpus) == (origin.bootloader, "0-1")
    assert 448 - KEPT < seen.mebibytes <= 448
    assert seen.disks == (Hardware("virtio-pci", mebibytes=SIZE),)
    assert seen.cards == (Hardware("virtio-pci", mac=origin.mac),)


@pytest.mark.usefixtures("cdi")
def test_the_same_disk_boots_after_containers_had_its_name(
    web: Subject, boot: Boot, address: str, launcher: Launcher, served: dict[str, Export]
) -> None:
    ask(web, HYPER_V, address)
    Importer(web.cluster.api, web.namespace, launcher.claims, served).fill("web-boot")
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
    origin = Origin(VMWARE.url, bootloader, VMWARE.mac)
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
        "spec": {"isolationPolicy": "VirtualMachine", "virtualMachine": origin.machine()},
    }
    image = launcher.claims / "web-boot" / "disk.img"
    image.parent.mkdir(parents=True)
    imported(export, image, SIZE)
    return launcher.launch(render(workload, ObjectStore(), {}), [PORT])


@pytest.mark.guest_quick
def test_a_disk_from_hyper_v_does_not_boot_by_bios(
    launcher: Launcher,
    served: dict[str, Export],
    slot: SlotUse,  # noqa: ARG001
) -> None:
    machine = launched(launcher, served[HYPER_V.url], "BIOS")
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
    served: dict[str, Export],
    slot: SlotUse,  # noqa: ARG001
) -> None:
    machine = launched(launcher, served[VMWARE.url], "UEFI")
    try:
        machine.eventually(
            lambda: "No bootable option" in machine.console(), BOOTS, "the firmware finds no system"
        )
        assert "twinhull" not in machine.console()
    finally:
        machine.stop()
