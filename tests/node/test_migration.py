"""Live migration between two real nodes: a drain, and CPUs that are plugged in.

Nothing else runs meanwhile: two emulated machines at once are what two processors can do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.guest.scenario import NAMESPACE
from tests.node.client import Client
from tests.node.machine import PORT, READY, Machine
from tests.node.workloads import MOVES

if TYPE_CHECKING:
    from tests.node.cluster import NodeCluster
    from tests.node.node import Node

_MOVED = 900.0


@pytest.fixture(scope="module")
def second(started: NodeCluster) -> Node:
    """Another node, beside the first, on which nothing runs any more."""
    api = started.plane.api
    for workload in api.list("Workload", NAMESPACE):
        api.delete("Workload", workload["metadata"]["name"], NAMESPACE)
    started.plane.eventually(
        lambda: api.list("VirtualMachineInstance", NAMESPACE) == [], READY, "nothing else runs"
    )
    update = {"workloadUpdateStrategy": {"workloadUpdateMethods": ["LiveMigrate"]}}
    api.patch("KubeVirt", "kubevirt", "kubevirt", {"spec": update})
    return started.add_node()


@pytest.fixture(scope="module")
def moving(started: NodeCluster, second: Node) -> Machine:  # noqa: ARG001  it must be there first
    """A machine that can be migrated."""
    started.plane.api.apply(MOVES)
    machine = Machine(started.plane, NAMESPACE, "moves", started.operator.check)
    return machine.ready()


def test_status_says_that_it_can_be_migrated(moving: Machine) -> None:
    moving.eventually(
        lambda: moving.get()["status"]["hull"]["migratable"]["possible"], "it is said to be migratable", 60
    )


def test_a_drain_moves_it_and_its_pod_runs_on(moving: Machine, started: NodeCluster) -> None:
    instance = moving.instance()
    uid, source, address = instance["metadata"]["uid"], instance["status"]["nodeName"], moving.address()
    began = _started_at(moving)
    service = moving.one("Service", moving.name)["spec"]["clusterIP"]
    # A connection that is open when the machine moves gets no answer any more: the next one does.
    with Client(service, PORT, patience=10) as client:
        which = f"--pod-selector=twinhull.dev/workload={moving.name}"
        options = ("--ignore-daemonsets", "--delete-emptydir-data", f"--timeout={_MOVED:.0f}s")
        started.plane.kubectl("drain", source, which, *options)
        moving.eventually(
            lambda: moving.instance()["status"]["nodeName"] != source, "it is elsewhere", _MOVED
        )
        moving.ready()
        answered = client.answered
        moving.eventually(lambda: client.answered > answered + 20, "its Service leads to it again", 60)
    started.plane.kubectl("uncordon", source)
    print(f"{client.answered} requests were answered over a migration, {len(client.lost)} lost")
    assert moving.instance()["metadata"]["uid"] == uid
    # Its new address may be known a moment after it is Ready.
    moving.eventually(lambda: moving.address() != address, "it has another address", 90)
    moving.eventually(lambda: _started_at(moving) == began, "the same process of its Pod answers", 90)
    assert moving.get()["status"]["containers"][0]["restarts"] == 0


def test_a_processor_is_plugged_in_while_it_runs(moving: Machine) -> None:
    uid = moving.ready().instance()["metadata"]["uid"]
    began = _started_at(moving)
    moving.change(virtualMachine={"overrides": {"domain": {"cpu": {"sockets": 2}}}})
    moving.becomes("Ready", timeout=_MOVED)
    # An emulated machine has it and its kernel makes no use of it: Linux takes none that is plugged in from a
    # hypervisor that it doesn't know (arch/x86/kernel/acpi/boot.c, acpi_is_processor_usable).
    moving.eventually(
        lambda: moving.instance()["status"]["currentCPUTopology"]["sockets"] == 2, "it has both", _MOVED
    )
    assert moving.get()["status"]["lastChange"]["how"] == "InPlace"
    assert moving.instance()["metadata"]["uid"] == uid
    # Its new address may be known a moment after it is Ready.
    moving.eventually(lambda: _started_at(moving) == began, "the same process of its Pod answers", 90)


def _started_at(machine: Machine) -> str:
    """When the one container of its Pod was started, as its first process says."""
    return str(machine.report("/proc/1/stat")["files"]["/proc/1/stat"]["text"].split()[21])
