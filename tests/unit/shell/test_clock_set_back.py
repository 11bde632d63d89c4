"""The clock is set back by a day: what waits to be tried again is tried within minutes all the same."""

from __future__ import annotations

from datetime import timedelta

import pytest

from twinhull.api.base import Raw
from twinhull.shell.errors import CircuitOpen, ServerError, TimedOut

from .simulation import KEY, Simulation
from .test_backoff import back_off, deleted, made, suffers
from .test_circuit_breakers import HUNG, Breakers, works
from .test_passes import operate, started, written
from .test_unreadable_workload import unreadable

DAY = 86_400
PORTS: Raw = {"containers": [{"name": "web", "image": "nginx", "ports": [{"containerPort": 80}]}]}


def passes(world: Simulation, minutes: int) -> None:
    """A pass a minute, whatever the timers say."""
    for _ in range(minutes):
        world.wait(60)
        world.queue.add(KEY)
        operate(world)


def set_back(world: Simulation) -> None:
    world.now -= timedelta(seconds=DAY)
    for key in world.queue.due:  # timers go by the monotonic clock
        world.queue.due[key] -= timedelta(seconds=DAY)


def refused_once(world: Simulation, verb: str, kind: str) -> None:
    world.cluster.refused[verb, kind] = ServerError("etcd is away")
    operate(world)
    world.cluster.refused.clear()
    world.cluster.writes.clear()


def test_what_the_server_failed_at_is_tried_again() -> None:
    world = started(template={"spec": PORTS}, service={"type": "ClusterIP"})
    world.edit({"service": {"type": "NodePort"}})
    refused_once(world, "patch", "Service")
    set_back(world)
    passes(world, 1)
    assert written(world).count("patch Service") == 1


def test_of_a_workload_that_cannot_be_read_too() -> None:
    world = started(replacement={"strategy": "StartFirst", "progressDeadlineSeconds": 600})
    other: Raw = {"containers": [{"name": "web", "image": "nginx:2"}]}
    world.edit({"isolationPolicy": "Sandbox", "template": {"spec": other}})
    operate(world)
    assert len(world.server.all("Pod")) == 2
    world.cluster.refused["delete", "Pod"] = ServerError("etcd is away")
    unreadable(world)
    world.cluster.refused.clear()
    set_back(world)
    passes(world, 1)
    (pod,) = [pod for pod in world.server.all("Pod") if "deletionTimestamp" not in pod["metadata"]]
    assert pod["spec"].get("runtimeClassName") is None, "what serves stays"


@pytest.mark.parametrize("restarts", [False, True])
def test_a_hull_that_was_lost_is_made_again(restarts: bool) -> None:  # noqa: FBT001
    world = Simulation({})
    suffers(world, deleted, 120)
    assert back_off(world)["losses"] > 3
    world.cluster.writes.clear()
    set_back(world)
    if restarts:
        world.restart()
    passes(world, 5)
    assert made(world) == 1
    assert back_off(world)["losses"] > 3, "they aren't forgotten for that"


def test_a_webhook_that_hung_is_asked_again() -> None:
    async def test() -> None:
        breakers = Breakers()
        with pytest.raises(TimedOut):
            await breakers.write("a", HUNG)
        breakers.clock.move(2)
        with pytest.raises(TimedOut):
            await breakers.write("a", HUNG)
        with pytest.raises(CircuitOpen):
            await breakers.write("b")
        breakers.clock.move(-DAY)
        await breakers.write("b")

    works(test)


def test_what_somebody_undid_a_day_ahead_was_not_undone_just_now() -> None:
    world = Simulation({})
    version = "uid", 1
    record = world.refusals.record_restoration
    assert [record(KEY, version, "Service/web", 1, world.now) for _ in range(2)] == [1, 2]
    assert record(KEY, version, "Service/web", 1, world.now - timedelta(days=1)) == 1
