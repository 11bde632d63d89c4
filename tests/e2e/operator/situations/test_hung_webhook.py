"""KubeVirt's webhook hangs: machines wait for it, and nobody else does."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

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


def pods_take(web: Subject, name: str) -> float:
    """How many seconds pass from plain Workloads' creation to the last of their Pods."""
    ours = [web.named(f"{name}-{number}") for number in range(_PODS)]
    began = time.monotonic()
    for one in ours:
        one.apply("Container")
    for one in ours:
        one.eventually(lambda one=one: one.belongings().get("Pod"), f"{one.name} has a Pod")  # type: ignore[misc]
    return time.monotonic() - began


def most(usual: float) -> float:
    """How many seconds they may take beside machines: if they waited for these, each of which waits for ten
    seconds, it would be half a minute and more.
    """
    return max(3 * usual, usual + 25)


def test_pods_dont_wait_for_machines_and_few_ask(web: Subject, simulation: ControlPlane) -> None:
    before = pods_take(web, "before")
    with hung(simulation):
        machines = [web.named(f"vm-{number}") for number in range(_MACHINES)]
        for machine in machines:
            machine.apply("VirtualMachine")
        meanwhile = pods_take(web, "meanwhile")
        machines[-1].becomes("VirtualMachineFailed")
        web.eventually(
            lambda: "deadline exceeded" in machines[-1].condition("Ready")[2], "it says what it waited for"
        )
    for machine in (machines[0], machines[-1]):
        machine.eventually(lambda m=machine: m.belongings().get("VirtualMachine"), "it is made")  # type: ignore[misc]
    for machine in machines:
        machine.delete()
    if meanwhile >= most(before):
        # This computer may have become slower since, by what others do on it.
        for machine in machines:
            machine.is_gone()
        assert meanwhile < most(pods_take(web, "after"))
