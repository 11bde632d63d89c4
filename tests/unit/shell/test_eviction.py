"""Evict in passes: whatever holds a Workload below a floor, and wherever the operator is restarted."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from twinhull.api.base import Raw
from twinhull.api.reasons import Reason
from twinhull.shell import workload_controller
from twinhull.shell.errors import ServerError

from .simulation import KEY, Simulation
from .test_passes import operate, started, written

LONG = 315_360_000


def held(**eviction: int) -> Simulation:
    """A Workload that runs as a Container with a long grace period under a floor, without a KubeVirt."""
    container = {"name": "web", "image": "nginx"}
    template = {"spec": {"containers": [container], "terminationGracePeriodSeconds": LONG}}
    world = started("Container", template=template)
    world.server.remove("KubeVirt", ("kubevirt", "kubevirt"))
    lay(world, onViolation="Evict", eviction={"deadlineSeconds": 60, "gracePeriodSeconds": 7, **eviction})
    return world


def lay(world: Simulation, **spec: Any) -> None:
    world.server.create(
        {
            "kind": "IsolationPolicy",
            "metadata": {"name": "floor"},
            "spec": {"minimum": "VirtualMachine", **spec},
        }
    )
    operate(world)


def isolation(world: Simulation) -> Raw:
    assert world.workload is not None
    found: Raw = world.workload["status"]["isolation"]
    return found


def later(world: Simulation, seconds: int) -> None:
    for _ in range(seconds):
        world.wait(1)
        operate(world)


@pytest.mark.parametrize("restarted_after", [None, 0, 30, 59, 60])
def test_what_runs_below_the_floor_goes_at_its_deadline(restarted_after: int | None) -> None:
    world = held()
    assert (isolation(world)["resolved"], isolation(world)["running"]) == ("VirtualMachine", "Container")
    for second in range(60):
        if second == restarted_after:
            world.restart()
            operate(world)
        assert "delete Pod" not in written(world)
        later(world, 1)
    later(world, 1)
    assert written(world).count("delete Pod") == 1
    (pod,) = world.server.all("Pod")
    assert pod["metadata"]["deletionGracePeriodSeconds"] == 7
    assert [event.reason for event in world.events.posted].count(Reason.EVICTED_BY_POLICY) == 1
    world.server.remove("Pod", (KEY[0], pod["metadata"]["name"]))
    operate(world)
    assert "running" not in isolation(world)
    assert "pendingSince" not in isolation(world)
    assert world.condition("Stalled")["reason"] == "KubeVirtMissing"
    assert not world.server.all("Pod"), "nothing weaker takes its place"


def test_one_that_takes_ten_years_to_end_is_given_less() -> None:
    world = held()
    world.server.patch("Workload", KEY, {"spec": {"state": "Stopped"}})
    operate(world)
    (pod,) = world.server.all("Pod")
    assert pod["metadata"]["deletionGracePeriodSeconds"] == LONG
    later(world, 61)
    (pod,) = world.server.all("Pod")
    assert pod["metadata"]["deletionGracePeriodSeconds"] == 7
    assert written(world).count("delete Pod") == 2


def test_one_that_can_not_be_read_goes_too() -> None:
    world = held()
    world.server.patch("Workload", KEY, {"spec": {"state": "Paused"}})
    operate(world)
    assert world.condition("Stalled")["reason"] == "Unreadable"
    assert isolation(world)["running"] == "Container"
    later(world, 61)
    assert written(world).count("delete Pod") == 1


def test_a_status_that_is_never_written_gives_no_more_time() -> None:
    world = held(deadlineSeconds=3)
    world.server.patch("Workload", KEY, {"status": {"isolation": None}}, status=True)
    world.cluster.refused["patch/status", "Workload"] = ServerError("too large")
    later(world, 5)
    assert written(world).count("delete Pod") == 1


def test_a_pass_that_fails_gives_no_more_time(monkeypatch: pytest.MonkeyPatch) -> None:
    world = held(deadlineSeconds=3)

    def fails(_: object) -> None:
        raise RecursionError

    monkeypatch.setattr(workload_controller, "plan", fails)
    world.wait(5)

    async def attempt() -> None:
        await world.reconciler._attempt(KEY)  # noqa: SLF001

    asyncio.run(attempt())
    assert written(world).count("delete Pod") == 1


def test_a_policy_that_raises_ends_nothing() -> None:
    world = started("Container")
    world.server.remove("KubeVirt", ("kubevirt", "kubevirt"))
    lay(world, onViolation="Raise")
    assert isolation(world)["running"] == "Container"
    later(world, 700)
    assert "delete Pod" not in written(world)


def test_it_is_raised_in_time_where_the_machine_can_be_had() -> None:
    world = started("Container")
    lay(world, onViolation="Evict", eviction={"deadlineSeconds": 600, "gracePeriodSeconds": 7})
    world.settle()
    assert isolation(world)["running"] == "VirtualMachine"
    assert "pendingSince" not in isolation(world)
    assert "EvictedByPolicy" not in [event.reason for event in world.events.posted]


def test_conditions_that_somebody_took_away_give_no_more_time() -> None:
    """While it is deleted its condition Ready isn't told anew; since when it is below the floor is."""
    world = started("Container")
    foreign = {"type": "Foreign", "status": "True", "reason": "X", "message": "", "observedGeneration": 1}
    conditions = [foreign | {"lastTransitionTime": "2026-01-01T00:00:00Z"}]
    world.server.patch("Workload", KEY, {"metadata": {"finalizers": ["example.org/x"]}})
    world.server.patch("Workload", KEY, {"status": {"conditions": conditions}}, status=True)
    world.server.delete("Workload", KEY)
    lay(world, onViolation="Evict", eviction={"deadlineSeconds": 60})
    assert isolation(world)["pendingSince"]
    later(world, 50)
    world.restart()
    operate(world)
    later(world, 11)
    assert written(world).count("delete Pod") == 1
