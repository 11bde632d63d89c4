"""A pass that fails says so in the status, once, and by an id that the log has."""

from __future__ import annotations

import logging
import re

import pytest

from twinhull.api.base import Raw
from twinhull.api.reasons import Reason
from twinhull.core.case import Case
from twinhull.core.unreadable_workload import UnreadableWorkload
from twinhull.shell.errors import Refused
from twinhull.shell.failure_id import failure_id
from twinhull.shell.store import Key

from .simulation import KEY, Simulation, run
from .test_passes import operate, started, written


def broken(world: Simulation, monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    """From now on every look at the Workload fails."""

    def look(_: Key) -> Case | UnreadableWorkload | None:
        raise type(error)(*error.args)  # one instance would gather the lines of all attempts

    monkeypatch.setattr(world.controller, "observe", look)


def attempt(world: Simulation) -> str:
    result: str = run(world.reconciler._attempt(KEY))  # noqa: SLF001
    return result


def readiness(world: Simulation) -> tuple[str, str]:
    ready = world.condition("Ready")
    return ready["status"], ready["reason"]


def timeless(world: Simulation) -> Raw:
    """The status, but for when it became so."""
    assert world.workload
    status = dict(world.workload["status"])
    return {**status, "conditions": [{**found, "lastTransitionTime": ""} for found in status["conditions"]]}


@pytest.mark.parametrize("error", [RecursionError(), KeyError("spec"), MemoryError(), ValueError("no")])
@pytest.mark.parametrize("isolation", ["Container", "VirtualMachine"])
def test_a_pass_that_fails_ends_in_a_status(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, error: Exception, isolation: str
) -> None:
    world = started(isolation)
    broken(world, monkeypatch, error)

    assert attempt(world) == "error"

    assert readiness(world) == ("Unknown", "InternalError")
    assert world.condition("IsolationResolved")["status"] == "Unknown"
    stalled = world.condition("Stalled")
    assert (stalled["status"], stalled["reason"]) == ("True", "InternalError")
    assert world.workload
    status = world.workload["status"]
    assert not status["hull"]["ready"], "it isn't called ready by a status that may be wrong"
    assert "containers" not in status
    assert status["observedGeneration"] == world.workload["metadata"]["generation"]
    found = re.search(rf"\({type(error).__name__}, id ([0-9a-f]{{8}}) in its log\)", stalled["message"])
    assert found
    assert f"id {found[1]}" in caplog.text


def test_a_failure_is_said_once_though_it_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    world = started()
    broken(world, monkeypatch, KeyError("spec"))
    count = len(world.cluster.writes)
    for _ in range(3):
        assert attempt(world) == "error"
        world.wait(600)
        while any(world.server.events.values()):
            world.deliver(0)
    assert written(world)[count:] == ["patch/status Workload"]
    assert [event.reason for event in world.events.posted].count(Reason.INTERNAL_ERROR) == 1


def test_a_failure_that_passes_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    world = started()
    state = timeless(world)
    with monkeypatch.context() as patched:
        broken(world, patched, KeyError("spec"))
        attempt(world)
    assert timeless(world) != state
    world.queue.add(KEY)
    operate(world)
    assert timeless(world) == state


def test_how_a_run_ended_is_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    job = {"restartPolicy": "Never", "containers": [{"name": "web", "image": "migrate"}]}
    world = started(template={"spec": job})
    (pod,) = world.server.all("Pod")
    world.nodes._end_pod(pod, 3)  # noqa: SLF001
    operate(world)
    assert world.workload
    ended = world.workload["status"]["exit"]
    broken(world, monkeypatch, KeyError("spec"))
    attempt(world)
    assert world.workload["status"]["exit"] == ended


def test_one_that_was_never_looked_at_has_a_status(monkeypatch: pytest.MonkeyPatch) -> None:
    world = Simulation({})
    broken(world, monkeypatch, RecursionError())
    attempt(world)
    assert readiness(world) == ("Unknown", "InternalError")


def test_one_that_is_gone_or_going_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    world = started()
    world.server.patch("Workload", KEY, {"metadata": {"finalizers": ["somebody/else"]}})
    world.server.delete("Workload", KEY)
    operate(world)
    broken(world, monkeypatch, KeyError("spec"))
    writes = written(world)
    assert attempt(world) == "error"
    world.server.remove("Workload", KEY)
    while any(world.server.events.values()):
        world.deliver(0)
    assert attempt(world) == "error"
    assert written(world) == writes


def test_a_status_that_is_refused_stops_nothing(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    world = started()
    broken(world, monkeypatch, KeyError("spec"))
    world.cluster.refused["patch/status", "Workload"] = Refused("denied by a webhook")
    with caplog.at_level(logging.WARNING):
        assert attempt(world) == "error"
    assert "denied by a webhook" in caplog.text


def test_a_failure_has_the_same_id_however_deep_it_is() -> None:
    def fall(depth: int) -> None:
        if depth == 0:
            raise RecursionError
        fall(depth - 1)

    def number(depth: int) -> str:
        try:
            fall(depth)
        except RecursionError as error:
            return failure_id(error)
        raise AssertionError

    assert number(10) == number(500)
    assert number(0) != failure_id(RecursionError()), "it is of another place"
