"""A hull that is lost as fast as it is made: it is made less and less often."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from twinhull.api.base import Raw
from twinhull.api.reasons import Reason
from twinhull.shell.store import key_of

from .simulation import Simulation
from .test_passes import operate, started, written

Harm = Callable[[Simulation], None]


def deleted(world: Simulation) -> None:
    """Somebody deletes each hull at once, as the taint manager does."""
    for kind in ("VirtualMachine", "Pod"):
        for obj in world.server.all(kind):
            world.server.remove(kind, key_of(obj))


def marked_and_deleted(world: Simulation) -> None:
    """And says why before."""
    reason = {"reason": "DeletionByTaintManager", "message": "Taint manager: deleting due to NoExecute taint"}
    conditions = [{"type": "DisruptionTarget", "status": "True", **reason}]
    for obj in world.server.all("Pod"):
        world.server.patch("Pod", key_of(obj), {"status": {"conditions": conditions}}, status=True)
    deleted(world)


def rejected(world: Simulation) -> None:
    """The node takes no Pod."""
    refusal = {"phase": "Failed", "reason": "OutOfcpu", "message": "Node didn't have enough resource: cpu"}
    for obj in world.server.all("Pod"):
        world.server.patch("Pod", key_of(obj), {"status": refusal}, status=True)
        if "deletionTimestamp" in obj["metadata"]:
            world.server.remove("Pod", key_of(obj))


def suffers(world: Simulation, harm: Harm, seconds: int, *, restarts: int = 0) -> None:
    """Time passes second by second, in each of which the harm is done, and the operator does all it can."""
    for second in range(seconds):
        harm(world)
        operate(world)
        harm(world)
        operate(world)
        if restarts and second % restarts == 0:
            world.restart()
            operate(world)
        world.wait(1)


def made(world: Simulation) -> int:
    return sum(entry in {"create Pod", "create VirtualMachine"} for entry in written(world))


def back_off(world: Simulation) -> Raw:
    assert world.workload
    found: Raw = world.workload["status"].get("backOff", {})
    return found


@pytest.mark.slow
@pytest.mark.parametrize("restarts", [0, 7])
@pytest.mark.parametrize(
    ("isolation", "harm"),
    [
        ("Container", deleted),
        ("Container", marked_and_deleted),
        ("Container", rejected),
        ("Sandbox", deleted),
        ("VirtualMachine", deleted),
    ],
)
def test_it_is_made_ever_less_often_and_stalls(isolation: str, harm: Harm, restarts: int) -> None:
    replacement = {"strategy": "Recreate", "progressDeadlineSeconds": 60, "drainSeconds": 5}
    world = Simulation({"isolationPolicy": isolation, "replacement": replacement})
    suffers(world, harm, 600, restarts=restarts)
    # at once twice, and then after 10, 20, 40, 80, 160 and 300 s
    assert made(world) <= 8
    assert len(written(world)) <= 60
    stalled = world.condition("Stalled")
    assert (stalled["status"], stalled["reason"]) == ("True", "ProgressDeadlineExceeded")
    assert "hulls in a row were lost" in stalled["message"]
    if harm is marked_and_deleted:
        assert "DeletionByTaintManager: Taint manager: deleting due to NoExecute taint" in stalled["message"]
    if harm is rejected:
        assert "OutOfcpu: Node didn't have enough resource: cpu" in stalled["message"]
    assert len(world.events.posted) <= 30
    assert back_off(world)["losses"] >= 6

    world.settle()
    assert world.condition("Ready")["reason"] == "Ready"
    assert back_off(world) == {}, "ten minutes later it is forgotten"


def test_what_is_deleted_once_is_made_again_at_once() -> None:
    world = started()
    for _ in range(3):
        world.cluster.writes.clear()
        deleted(world)
        operate(world)
        assert made(world) == 1
        for _round in range(5):
            world.everybody(0)
        assert back_off(world)["losses"] == 1
        world.wait(600)
        world.everybody(0)
        assert world.condition("Ready")["reason"] == "Ready"
        assert back_off(world) == {}
        assert world.make_pass() == []


def test_another_revision_is_made_at_once() -> None:
    world = Simulation({})
    suffers(world, deleted, 30)
    world.cluster.writes.clear()
    world.edit({"isolationPolicy": "Sandbox"})
    operate(world)
    assert made(world) == 1


def test_stopping_it_makes_a_new_beginning() -> None:
    world = Simulation({})
    suffers(world, deleted, 30)
    world.edit({"state": "Stopped"})
    operate(world)
    assert back_off(world) == {}
    world.cluster.writes.clear()
    world.edit({"state": "Running"})
    operate(world)
    assert made(world) == 1


def test_a_loss_costs_one_status() -> None:
    world = Simulation({})
    suffers(world, deleted, 20)
    world.settle()
    world.cluster.writes.clear()
    deleted(world)
    operate(world)
    assert written(world) == ["create Pod", "patch/status Workload"]
    assert world.events.posted[-2].reason == Reason.CREATED


def unseen(world: Simulation) -> None:
    """Somebody takes the label away by which the Pod is watched: its watch tells that it is gone."""
    (pod,) = world.server.all("Pod")
    patched = world.server.patch("Pod", key_of(pod), {"metadata": {"labels": {"twinhull.dev/hull": None}}})
    world.server.events["Pod"].append(("DELETED", patched))


def test_a_hull_that_lost_its_label_was_not_lost() -> None:
    world = started()
    world.cluster.writes.clear()
    unseen(world)
    operate(world)
    assert written(world) == ["create Pod", "patch Pod"]
    assert back_off(world) == {}


def test_a_label_that_is_taken_away_each_time_is_put_back_ever_less_often() -> None:
    world = started()
    world.cluster.writes.clear()
    (before,) = world.server.all("Pod")
    for _ in range(600):
        if "twinhull.dev/hull" in world.server.all("Pod")[0]["metadata"]["labels"]:
            unseen(world)
        operate(world)
        world.wait(1)
    assert written(world).count("create Pod") <= 14
    assert "somebody takes its labels away" in world.condition("Stalled")["message"]
    (after,) = world.server.all("Pod")
    assert after["metadata"]["uid"] == before["metadata"]["uid"], "it runs on"


def test_a_pod_that_is_gone_before_the_answer_came_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    world = Simulation({})
    create, reason = world.server.create, {"reason": "DeletionByTaintManager", "message": "a NoExecute taint"}

    def fleeting(obj: Raw) -> Raw:
        made = create(obj)
        if obj["kind"] == "Pod":
            conditions = [{"type": "DisruptionTarget", "status": "True", **reason}]
            world.server.patch("Pod", key_of(made), {"status": {"conditions": conditions}}, status=True)
            world.server.remove("Pod", key_of(made))
            while any(world.server.events.values()):
                world.deliver(0)
        return made

    monkeypatch.setattr(world.server, "create", fleeting)
    for _ in range(60):
        operate(world)
        world.wait(1)
    assert made(world) == 4, "at once twice, after 10 s, after 20 s"
    assert (back_off(world)["losses"], back_off(world)["reason"]) == (4, "DeletionByTaintManager")
