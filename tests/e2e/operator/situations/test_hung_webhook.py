"""KubeVirt's webhook hangs: machines wait for it, and nobody else does."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests import jsonlog
from tests.controlplane import ControlPlane
from tests.e2e.operator.subject import Subject, condition

pytestmark = pytest.mark.simulated

_MACHINES, _PODS = 60, 10


@contextmanager
def hung(simulation: ControlPlane) -> Iterator[None]:
    """virt-api takes connections, and answers nothing."""
    (virt_api,) = [found for found in simulation.processes if found.name == "virt-api"]
    virt_api.signal(signal.SIGSTOP)
    try:
        yield
    finally:
        virt_api.signal(signal.SIGCONT)
        # What comes next may ask for them: the API server looks only now and then whether they are back.
        simulation.eventually(lambda: all_available(simulation), 60, "virt-api's own API is served again")


def all_available(simulation: ControlPlane) -> bool:
    """Whether the API server reaches every aggregated API."""
    return all(condition(found, "Available")[0] == "True" for found in simulation.api.list("APIService"))


def requests(simulation: ControlPlane, namespace: str) -> int:
    """How often a machine of the namespace was asked for so far, by requests that have ended."""
    machines = ("create", "virtualmachines", namespace)
    events = [event for event in jsonlog.entries(simulation.audit_log) if "objectRef" in event]
    return sum(
        (event["verb"], event["objectRef"]["resource"], event["objectRef"].get("namespace")) == machines
        and "dryRun" not in event["requestURI"]
        for event in events
    )


def test_pods_dont_wait_for_machines_and_few_ask(web: Subject, simulation: ControlPlane) -> None:
    with hung(simulation):
        machines = [web.named(f"vm-{number}") for number in range(_MACHINES)]
        for machine in machines:
            machine.apply("VirtualMachine")
        pods = [web.named(f"pod-{number}") for number in range(_PODS)]
        for pod in pods:
            pod.apply("Container")
        for pod in pods:
            pod.eventually(lambda p=pod: p.belongings().get("Pod"), f"{pod.name} has a Pod")  # type: ignore[misc]
        # If they had waited for machines, most of these would have been asked for, each for ten seconds.
        assert requests(simulation, web.namespace) < _MACHINES // 4
        machines[-1].becomes("VirtualMachineFailed")
        web.eventually(
            lambda: "deadline exceeded" in machines[-1].condition("Ready")[2], "it says what it waited for"
        )
        assert 0 < requests(simulation, web.namespace) < _MACHINES // 2
    for machine in (machines[0], machines[-1]):
        machine.eventually(lambda m=machine: m.belongings().get("VirtualMachine"), "it is made")  # type: ignore[misc]
    for machine in machines:
        machine.delete()
