"""A Workload made again under its name, as by `kubectl replace --force`, begins anew."""

from __future__ import annotations

import pytest

from twinhull.core.case import Case

from .simulation import KEY, Simulation, run
from .test_backoff import back_off, deleted, made, suffers
from .test_eviction import held
from .test_passes import operate, started


def recreated(world: Simulation) -> None:
    """The operator hears of the end of the Workload and of the next one before it looks at either."""
    for _ in range(2):
        world.recreate()
    world.collect()
    for obj in world.server.all("Pod"):
        world.server.remove("Pod", (KEY[0], obj["metadata"]["name"]))


def test_its_first_hull_is_made_at_once_whatever_the_former_one_lost() -> None:
    world = Simulation({})
    suffers(world, deleted, 120)
    assert back_off(world)["losses"] > 3
    world.cluster.writes.clear()
    recreated(world)
    operate(world)
    assert made(world) == 1
    assert back_off(world) == {}


def test_the_hull_of_the_former_one_is_no_loss_of_its_own() -> None:
    world = started()
    recreated(world)
    for _ in range(5):
        world.everybody(0)
    assert world.condition("Ready")["reason"] == "Ready"
    assert back_off(world) == {}


@pytest.mark.parametrize("relisted", [False, True])
def test_nothing_that_is_remembered_of_the_former_one_is_known_of_it(relisted: bool) -> None:  # noqa: FBT001
    """Whether its events are heard, or the watch broke and a list tells of the next one only."""
    world = held()
    before = world.controller.observe(KEY)
    assert isinstance(before, Case)
    assert before.observed.pending_since
    assert before.observed.remembered
    recreated(world)
    if relisted:
        world.server.events.clear()
        world.relist()
    while any(world.server.events.values()):
        world.deliver(0)
    after = world.controller.observe(KEY)
    assert isinstance(after, Case)
    assert (after.observed.pending_since, after.observed.remembered) == (None, None)


@pytest.mark.parametrize("relisted", [False, True])
def test_its_first_failure_is_not_one_more_of_the_former_one(relisted: bool) -> None:  # noqa: FBT001
    """A pass that fails is tried again after 100 ms at first, and after minutes in the end."""
    world = started()

    async def retries() -> tuple[float, float]:
        for _ in range(10):
            former = world.queue.retry(KEY).total_seconds()
        recreated(world)
        if relisted:
            world.server.events.clear()
            world.relist()
        while any(world.server.events.values()):
            world.deliver(0)
        return former, world.queue.retry(KEY).total_seconds()

    former, first = run(retries())
    assert former > 10
    assert first == pytest.approx(0.1)


def test_each_is_decided_on_and_measured_for_itself() -> None:
    world = started()
    recreated(world)
    world.settle()
    decisions = world.decisions.counter
    assert decisions.labels("Container", "Requested")._value.get() == 2  # noqa: SLF001  it has no getter


def test_a_replacement_of_the_former_one_is_not_measured_to_the_end_of_the_next_one() -> None:
    world = started()
    world.edit({"isolationPolicy": "VirtualMachine"})
    while any(world.server.events.values()):
        world.deliver(0)
    world.reconcile()
    recreated(world)
    world.wait(3600)
    world.settle()
    sample = world.metrics.registry.get_sample_value
    labels = {"strategy": "Recreate", "hull": "Pod"}
    assert sample("twinhull_replacement_duration_seconds_count", labels) == 0
