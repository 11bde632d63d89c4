"""Of any number of objects with a Workload's label, its own are found, and a few of the others."""

from __future__ import annotations

import time
from typing import Any

import pytest

from tests.unit.core.objects import (
    DEFAULTS,
    KUBEVIRT,
    NAME,
    NAMESPACE,
    NOW,
    OURS,
    at,
    companion,
    hull,
    running,
    workload,
)
from tests.unit.core.objects import case as case_of
from tests.unit.core.policies import namespace, policy
from tests.unit.core.test_below_floor import pending
from twinhull.api.base import Raw
from twinhull.core.case import Case
from twinhull.core.plan import Plan, plan
from twinhull.core.unreadable_workload import UnreadableWorkload
from twinhull.shell.labelled import MOST_OWN
from twinhull.shell.observe import Knowledge, observe
from twinhull.shell.policies import Policies
from twinhull.shell.refusals import Refusals

from .test_change_handler import World

KEY = (NAMESPACE, NAME)
MACHINE = {"isolationPolicy": "VirtualMachine"}


def _world(*objects: Raw) -> World:
    world = World()
    for obj in objects:
        world.take(obj | {"metadata": {"creationTimestamp": at(), **obj["metadata"]}})
    return world


def _look(world: World) -> Case | UnreadableWorkload:
    known = Knowledge(world.store, Policies(world.store), Refusals(), {})
    found = observe(known, KEY, DEFAULTS, NOW)
    assert found is not None
    return found


def _plan(world: World) -> Plan:
    case = _look(world)
    assert isinstance(case, Case)
    return plan(case)


def _others(kind: str, count: int, owner: Raw | None = None) -> list[Raw]:
    """Named so that they come before and after what is the Workload's."""
    return [
        hull(kind, f"{'a' if n % 2 else 'z'}-{n:05}", owner=owner, status=running()) for n in range(count)
    ]


@pytest.mark.parametrize("kind", ["Pod", "VirtualMachine", "VirtualMachineInstance"])
def test_its_own_hull_is_found_among_strangers(kind: str) -> None:
    raw = workload(MACHINE)
    name = case_of(raw).hull_name
    world = _world(raw, KUBEVIRT, hull("VirtualMachine", name), *_others(kind, 500))
    case = _look(world)
    assert isinstance(case, Case)
    assert [found.name for found in case.own] == [name]
    assert 1 < len(case.observed.hulls) <= 3
    planned = plan(case)
    changed = {action.key.split("/")[1] for action in planned.actions if action.key.startswith(kind)}
    assert changed <= {name}, "strangers are left alone"
    ready = ((planned.status and planned.status.conditions) or ())[0]
    assert ready.reason == "NameConflict"
    assert f"{'VirtualMachine' if kind != 'Pod' else 'Pod'} a-00001 has no owner" in ready.message


def test_more_of_its_own_than_can_be_are_too_many_to_decide_on() -> None:
    """Whoever may make Pods may say that a Workload owns them."""
    ready = [hull("Pod", f"web-{n}", status=running()) for n in range(2 * MOST_OWN)]
    found = _look(_world(workload(), *ready))
    assert isinstance(found, UnreadableWorkload)
    conditions = {condition["type"]: condition for condition in found.status()["conditions"]}
    assert (conditions["Stalled"]["status"], conditions["Stalled"]["reason"]) == ("True", "NameConflict")
    assert conditions["Stalled"]["message"] == (
        "more than 64 objects of kind Pod name this Workload as their owner: delete those that it didn't "
        "make; what runs is left as it is"
    )
    assert found.actions() == ()


def test_as_many_as_are_looked_at_are_decided_on() -> None:
    planned = _plan(_world(workload(), *_others("Pod", MOST_OWN, OURS)))
    assert planned.actions


EVICTING = policy("machines", minimum="VirtualMachine", onViolation="Evict", eviction={"deadlineSeconds": 1})


def _pods(count: int, phase: str, *, age: int, first: str = "a", **spec: Any) -> list[Raw]:
    """Pods that say that they are the Workload's, made that many seconds after its hull."""
    made = []
    for number in range(count):
        pod = hull("Pod", f"{first}-{number:05}", status={"phase": phase})
        pod["metadata"]["creationTimestamp"] = at(age)
        made.append(pod | {"spec": {**pod["spec"], **spec}})
    return made


#: Who hides a Pod named web-1before.
DECOYS: dict[str, list[Raw]] = {
    "those that have ended": _pods(MOST_OWN + 1, "Succeeded", age=-10),
    "those that run": _pods(2 * MOST_OWN, "Running", age=1),
    "some of each": [
        *_pods(MOST_OWN, "Failed", age=-10),
        *_pods(MOST_OWN, "Running", age=1, first="b"),
    ],
}


@pytest.mark.parametrize("decoys", DECOYS)
def test_no_number_of_pods_hides_a_hull_from_a_floor(decoys: str) -> None:
    raw = pending(workload({"isolationPolicy": "Container"}))
    present = hull("Pod", "web-1before", status=running())
    found = _look(_world(raw, namespace(), EVICTING, *DECOYS[decoys], present))
    assert isinstance(found, UnreadableWorkload)
    assert "web-1before" in {shortfall.hull.name for shortfall in found.shortfalls}
    assert "Pod/web-1before" in {action.key for action in found.actions()}
    assert found.status()["isolation"]["running"] == "Container"


def test_pods_of_the_very_second_of_a_hull_do_not_hide_that_there_may_be_one() -> None:
    """They are sandboxes, as the policy requires, and before the hull by their names."""
    raw = pending(workload({"isolationPolicy": "Sandbox"}))
    boxed = policy("boxed", minimum="Sandbox", sandbox={"runtimeClassName": "gvisor"})
    decoys = _pods(MOST_OWN, "Running", age=0, runtimeClassName="gvisor")
    found = _look(_world(raw, namespace(), boxed, *decoys))
    assert not found.shortfalls if isinstance(found, UnreadableWorkload) else not found.compliance.shortfalls
    present = hull("Pod", "web-1before", status=running())
    found = _look(_world(raw, namespace(), boxed, *decoys, present))
    assert isinstance(found, UnreadableWorkload)
    assert [shortfall.hull.name for shortfall in found.shortfalls] == ["web-1before"]


def test_pods_that_have_ended_are_not_told_to_run() -> None:
    raw = pending(workload({"isolationPolicy": "VirtualMachine"}))
    found = _look(_world(raw, namespace(), EVICTING, *_pods(2 * MOST_OWN, "Succeeded", age=0)))
    assert isinstance(found, UnreadableWorkload)
    assert found.shortfalls == ()


def _manifest(name: str, owner: Raw | None = OURS) -> Raw:
    return companion("ConfigMap", name, owner=owner)


def test_its_manifest_is_found_among_others() -> None:
    raw = workload(MACHINE)
    name = case_of(raw).hull_name
    strangers = [_manifest(f"a-{n:04}", owner=None) for n in range(200)]
    mine = [_manifest(f"web-{digits}") for digits in ("0aaaaaaaaa", "1bbbbbbbbb")]
    case = _look(_world(raw, KUBEVIRT, _manifest(name), *strangers, *mine, _manifest("a")))
    assert isinstance(case, Case)
    assert name in case.observed.manifests
    assert "a-0007" in case.observed.manifests
    assert "other" not in case.observed.manifests
    assert sorted(case.observed.manifests) == sorted(["web-0aaaaaaaaa", "web-1bbbbbbbbb", name])
    assert sorted(action.key for action in plan(case).actions if "Delete" in type(action).__name__) == [
        "ConfigMap/web-0aaaaaaaaa",
        "ConfigMap/web-1bbbbbbbbb",
    ]


@pytest.mark.parametrize(("count", "deleted"), [(MOST_OWN, MOST_OWN), (MOST_OWN + 1, 0), (500, 0)])
def test_manifests_that_are_too_many_are_left_alone(count: int, deleted: int) -> None:
    """They go with the Workload that they say is their owner. A pass is over all the same."""
    case = _look(_world(workload(), *(_manifest(f"web-1{n:09}") for n in range(count))))
    assert isinstance(case, Case)
    assert len([action for action in plan(case).actions if action.key.startswith("ConfigMap/")]) == deleted


@pytest.mark.slow
@pytest.mark.parametrize("owner", [None, OURS], ids=["strangers", "said to be its own"])
@pytest.mark.parametrize("kind", ["Pod", "VirtualMachine", "ConfigMap"])
def test_many_cost_little_more_than_few(kind: str, owner: Raw | None) -> None:
    def seconds(count: int) -> float:
        made = (
            [_manifest(f"m{n}", owner) for n in range(count)]
            if kind == "ConfigMap"
            else _others(kind, count, owner)
        )
        world = _world(workload(MACHINE), KUBEVIRT, *made)
        attempts = []
        for _ in range(3):
            began = time.process_time()
            found = _look(world)
            if isinstance(found, Case):
                plan(found)
            attempts.append(time.process_time() - began)
        return min(attempts)

    assert seconds(6_400) < 50 * seconds(MOST_OWN), "a look at all would be a hundred times"
