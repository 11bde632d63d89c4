"""KubeVirt's webhook hangs: machines wait for it, and nobody else does."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.controlplane import ControlPlane
from tests.e2e.operator.subject import Subject

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


def pods_take(web: Subject, name: str) -> float:
    """How many seconds pass from plain Workloads' creation to the last of their Pods."""
    ours = [web.named(f"{name}-{number}") for number in range(_PODS)]
    began = time.monotonic()
    for one in ours:
        one.apply("Container")
    for one in ours:
        one.eventually(lambda one=one: one.belongings().get("Pod"), f"{one.name} has a Pod")  # type: ignore[misc]
    return time.monotonic() - began


def test_pods_dont_wait_for_machines_and_few_ask(web: Subject, simulation: ControlPlane) -> None:
    usual = pods_take(web, "usual")
    with hung(simulation):
        machines = [web.named(f"vm-{number}") for number in range(_MACHINES)]
        for machine in machines:
            machine.apply("VirtualMachine")
        # If they waited for machines, each of these for ten seconds, it would be half a minute and more.
        assert pods_take(web, "meanwhile") < max(3 * usual, usual + 15)
        machines[-1].becomes("VirtualMachineFailed")
        web.eventually(
            lambda: "deadline exceeded" in machines[-1].condition("Ready")[2], "it says what it waited for"
        )
    for machine in (machines[0], machines[-1]):
        machine.eventually(lambda m=machine: m.belongings().get("VirtualMachine"), "it is made")  # type: ignore[misc]
    for machine in machines:
        machine.delete()
