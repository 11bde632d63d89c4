"""Flips on a real node, behind a real kube-proxy, with a client that asks all the time."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pytest

from tests.node.client import Client
from tests.node.machine import PORT, READY

if TYPE_CHECKING:
    from tests.node.machine import Machine

pytestmark = pytest.mark.starts("flips")

#: What is flipped to, and the kind of its hull.
FLIPS = (("Sandbox", "Pod"), ("VirtualMachine", "VirtualMachine"), ("Container", "Pod"))


def test_start_first_loses_no_request_from_pod_to_sandbox_to_machine_and_back(machine: Machine) -> None:
    machine.ready()
    service = machine.one("Service", machine.name)["spec"]["clusterIP"]
    with Client(service, PORT) as client:
        machine.eventually(lambda: client.answered, "the Service answers")
        for isolation, kind in FLIPS:
            machine.change(isolationPolicy=isolation)
            workload = machine.becomes("Ready", timeout=READY)
            assert workload["status"]["isolation"]["resolved"] == isolation
            assert workload["status"]["hull"]["kind"] == kind
            machine.eventually(partial(_is_alone, machine, kind), "the former hull is gone", READY)
            machine.eventually(partial(_answers, client, client.answered + 20), "it goes on answering")
    print(f"{client.answered} requests were answered over {len(FLIPS)} flips, {len(client.lost)} lost")
    assert client.lost == []


def _is_alone(machine: Machine, kind: str) -> bool:
    return _hulls(machine) == [kind]


def _answers(client: Client, times: int) -> bool:
    return client.answered >= times


def _hulls(machine: Machine) -> list[str]:
    """The kinds of the hulls that are there, a machine's launcher aside."""
    found = machine.belongings()
    pods = [name for name in found.get("Pod", []) if not name.startswith("virt-launcher-")]
    return ["Pod"] * len(pods) + ["VirtualMachine"] * len(found.get("VirtualMachine", []))
