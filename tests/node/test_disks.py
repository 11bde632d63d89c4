"""Machines that boot a disk of their own on a real node: one from VMware, one from Hyper-V."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.disksystem.client import Client, Hardware
from tests.disksystem.system import GREETING
from tests.guest.recording import FOLDER
from tests.node.machine import READY
from tests.node.recordings import unlike_recording
from tests.node.workloads import DISK_SIZE

if TYPE_CHECKING:
    from tests.node.cluster import NodeCluster
    from tests.node.machine import Machine


def at_its_service(machine: Machine) -> Client:
    """The system in the machine, by the Service of its Workload."""
    return Client(machine.one("Service", machine.name)["spec"]["clusterIP"])


@pytest.mark.starts("vmware")
def test_a_disk_from_vmware_boots_by_bios(machine: Machine) -> None:
    client = at_its_service(machine.ready())
    assert client.greeting() == GREETING
    seen = client.look()
    assert (seen.boots, seen.firmware, seen.cpus) == (1, "BIOS", "0")
    assert seen.disks == (Hardware("ahci", mebibytes=DISK_SIZE),)
    assert seen.cards == (Hardware("e1000e", mac="00:50:56:01:02:03"),)


@pytest.mark.node_quick
@pytest.mark.starts("hyperv")
def test_a_disk_from_hyper_v_boots_by_uefi(machine: Machine) -> None:
    client = at_its_service(machine.ready())
    assert client.greeting() == GREETING
    seen = client.look()
    assert (seen.boots, seen.firmware, seen.cpus) == (1, "UEFI", "0")
    assert seen.disks == (Hardware("ahci", mebibytes=DISK_SIZE),)
    assert seen.cards == (Hardware("e1000e", mac="00:15:5d:01:02:03"),)


@pytest.mark.starts("vmware")
def test_qemu_is_started_as_the_harness_was_told_of_vmware(
    machine: Machine, cluster: NodeCluster, request: pytest.FixtureRequest
) -> None:
    folder = FOLDER / machine.name
    assert unlike_recording(machine.ready(), cluster.nodes[0], folder, request.config) == []


@pytest.mark.starts("hyperv")
def test_qemu_is_started_as_the_harness_was_told_of_hyper_v(
    machine: Machine, cluster: NodeCluster, request: pytest.FixtureRequest
) -> None:
    folder = FOLDER / machine.name
    assert unlike_recording(machine.ready(), cluster.nodes[0], folder, request.config) == []


@pytest.mark.starts("vmware")
def test_it_is_the_same_disk_after_a_stop_and_after_a_changed_spec(machine: Machine) -> None:
    client = at_its_service(machine.ready())
    client.write("note", "kept")
    boots = client.look().boots
    machine.change(state="Stopped")
    machine.becomes("Stopped", timeout=READY)
    machine.change(state="Running")
    machine.ready()
    assert (client.look().boots, client.read("note")) == (boots + 1, "kept")

    first = machine.instance()["metadata"]["uid"]
    machine.change(virtualMachine={"devices": "Virtio"})
    machine.eventually(lambda: machine.instance()["metadata"]["uid"] != first, "it starts again", READY)
    seen = at_its_service(machine.ready()).look()
    assert (seen.boots, client.read("note")) == (boots + 2, "kept")
    assert seen.disks == (Hardware("virtio-pci", mebibytes=DISK_SIZE),)
    assert seen.cards == (Hardware("virtio-pci", mac="00:50:56:01:02:03"),)
