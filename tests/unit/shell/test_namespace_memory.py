"""How much memory one namespace's objects take, of all kinds together, whoever writes them."""

from __future__ import annotations

import json
import tracemalloc
from datetime import timedelta
from typing import Any

import pytest

from twinhull.api.base import API_VERSION, GROUP, Raw
from twinhull.api.reading import UNREAD
from twinhull.hulls.hull import HULL_LABEL, WORKLOAD_LABEL
from twinhull.shell import kinds
from twinhull.shell.kinds import Kind
from twinhull.shell.namespace_memory import NamespaceMemory
from twinhull.shell.store import Store

from .simulation import KEY, Simulation
from .test_passes import operate, started, written
from .test_unreadable_workload import JOB, case, hull_in_status

ROOM = 1 << 20
NAMESPACED = [kind for kind in kinds.WATCHED if kind.namespaced]
RUNNING = [kinds.POD, kinds.LAUNCHER, kinds.VIRTUAL_MACHINE, kinds.VIRTUAL_MACHINE_INSTANCE]
NEEDED = [kinds.SERVICE, kinds.CLAIM, *RUNNING, kinds.WORKLOAD]
LONG = "x" * 10_000


def obj(kind: Kind, name: str, size: int = 0, **about: Any) -> Raw:
    metadata: Raw = {"name": name, "namespace": "shop", "uid": f"{kind.name}-{name}", "resourceVersion": "1"}
    metadata |= {"generation": 1, "creationTimestamp": "2026-01-01T00:00:00Z", **about}
    metadata["labels"] = {WORKLOAD_LABEL: "web", **about.get("labels", {})}
    return {"metadata": metadata, "spec": {"template": {"spec": {"x": "x" * size}}}}


def is_read(store: Store, kind: Kind, name: str) -> bool:
    found = store.get(kind, ("shop", name))
    assert found is not None, "whatever the room, it is known"
    return UNREAD not in found


HOSTILE = {
    "labels": {"labels": {f"l{number}": "v" * 400 for number in range(99)}},
    "foreign labels of ours": {"labels": {f"{GROUP}/l{number}": "v" * 60 for number in range(500)}},
    "owner": {"ownerReferences": [{"apiVersion": LONG, "kind": LONG, "uid": LONG, "controller": True}]},
    "owners": {
        "ownerReferences": [
            {"apiVersion": "v1", "kind": "x", "uid": str(number), "controller": True} for number in range(500)
        ]
    },
    "annotations": {"annotations": {"x": LONG}},
    "finalizers": {"finalizers": [LONG]},
}


@pytest.mark.slow
@pytest.mark.parametrize("kind", [kinds.CONFIG_MAP, kinds.SERVICE, kinds.POD, kinds.WORKLOAD])
@pytest.mark.parametrize("about", HOSTILE.values(), ids=HOSTILE)
def test_what_there_is_no_room_for_takes_little_whatever_it_is(kind: Kind, about: Raw) -> None:
    store = Store(20_000)
    for number in range(300):
        store.put(kind, obj(kind, f"o{number}", 10_000, **about))
    for found in store.all(kind):
        if UNREAD in found:
            assert len(json.dumps(found)) < 1_500
    assert store.unread(kind) > 150
    assert store.over_room() == {("shop", kind.plural): store.unread(kind)}


@pytest.mark.parametrize("part", ["hull", "isolation", "exit", "conditions", "observedGeneration"])
@pytest.mark.parametrize(
    "value", [LONG, {"x": LONG}, {f"{n}": "x" * 200 for n in range(900)}, [LONG], {LONG: 1}]
)
def test_of_a_workloads_status_little_is_held_without_room(part: str, value: object) -> None:
    store = Store(0)
    store.put(kinds.WORKLOAD, obj(kinds.WORKLOAD, "web", 0) | {"status": {part: value, "containers": [LONG]}})
    assert len(json.dumps(store.get(kinds.WORKLOAD, ("shop", "web")))) < 4_000


def test_all_kinds_of_a_namespace_share_its_room() -> None:
    store = Store(ROOM)
    tracemalloc.start()
    try:
        for number in range(50):
            for kind in NAMESPACED:
                store.put(kind, obj(kind, f"o{number}", 100_000))
        taken, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert taken < 3 * ROOM


@pytest.mark.parametrize("flood", [kind for kind in NAMESPACED if kind is not kinds.WORKLOAD])
@pytest.mark.parametrize("kind", NEEDED)
def test_a_flood_leaves_room_for_workloads_and_what_runs(flood: Kind, kind: Kind) -> None:
    if {flood, kind} <= {*RUNNING} or {flood, kind} <= {kinds.SERVICE, kinds.CLAIM}:
        return  # they have one share together
    if flood in RUNNING and kind in {kinds.SERVICE, kinds.CLAIM}:
        return  # who may make what runs may make these
    store = Store(ROOM)
    for number in range(30):
        store.put(flood, obj(flood, f"flood-{number}", 100_000))
    store.put(kind, obj(kind, "web", 100_000))
    assert is_read(store, kind, "web")


def test_a_workload_beyond_the_room_is_unreadable_and_its_hull_is_left() -> None:
    world = started("Container", template={"spec": {"restartPolicy": "Never", **JOB}})
    hull, writes = hull_in_status(world), len(written(world))
    fill(world)
    operate(world)
    assert world.condition("Stalled")["reason"] == "Unreadable"
    assert hull_in_status(world) == hull
    assert [write for write in written(world)[writes:] if "status" not in write] == []
    assert world.make_pass() == [], "it is told once"
    found = case(world)
    assert (found.actions(), found.requeue_after) == ((), None)


def test_a_run_that_ended_is_not_repeated_for_want_of_room() -> None:
    world = started("Container", template={"spec": {"restartPolicy": "Never", **JOB}})
    (pod,) = world.server.all("Pod")
    fill(world)
    world.nodes._end_pod(pod, 0)  # noqa: SLF001
    operate(world)
    world.server.remove("Pod", (KEY[0], pod["metadata"]["name"]))
    operate(world)
    world.store._room = NamespaceMemory(1 << 30)  # noqa: SLF001
    world.server.patch("Workload", KEY, {"metadata": {"labels": {"again": "1"}}})
    operate(world)
    assert world.server.all("Pod") == []
    assert world.workload is not None
    assert world.workload["status"]["exit"]


def test_a_workload_without_room_whose_status_says_much_is_told_once() -> None:
    """Of what its status says, no less is known than is written."""
    world = started("Container", template={"spec": {"restartPolicy": "Never", **JOB}})
    fill(world)
    operate(world)
    (pod,) = world.server.all("Pod")
    world.nodes._end_pod(pod, 1)  # noqa: SLF001
    ended = {"exitCode": 1, "reason": "Error", "message": "ä" * 2048, "finishedAt": "2026-01-01T00:00:05Z"}
    status = {"containerStatuses": [{"name": "web", "state": {"terminated": ended}}]}
    world.server.patch("Pod", (KEY[0], pod["metadata"]["name"]), {"status": status}, status=True)
    settle(world)
    assert world.workload is not None
    assert world.workload["status"]["exit"]["message"].startswith("ää")


def test_a_workload_without_room_that_has_two_hulls_is_told_once() -> None:
    world = started("Container")
    assert world.workload is not None
    owner = {"apiVersion": API_VERSION, "kind": "Workload", "name": "web", "controller": True}
    owner["uid"] = world.workload["metadata"]["uid"]
    about = {"name": "web-extra", "namespace": "shop", "labels": {WORKLOAD_LABEL: "web", HULL_LABEL: "Pod"}}
    ready = {"type": "Ready", "status": "True", "lastTransitionTime": "2026-01-01T00:00:00Z"}
    second = {
        "kind": "Pod",
        "metadata": {**about, "ownerReferences": [owner]},
        "spec": {"containers": []},
        "status": {"phase": "Running", "conditions": [ready]},
    }
    world.server.create(second)
    fill(world)
    settle(world)
    assert world.workload["status"]["previousHull"]
    world.server.remove("Pod", ("shop", "web-extra"))
    settle(world)
    assert "previousHull" not in world.workload["status"]


@pytest.mark.parametrize("strategy", ["Recreate", "StartFirst"])
def test_a_service_without_room_is_left_as_it_is_and_told(strategy: str) -> None:
    world = started("Container", replacement={"strategy": strategy})
    fill(world, kinds.SERVICE)
    world.server.patch("Service", KEY, {"metadata": {"labels": {"x": "y"}}})
    writes = len(written(world))
    settle(world)
    assert {write for write in written(world)[writes:] if "status" not in write} == set()
    assert "Service web" in world.condition("Stalled")["message"]


class Full(NamespaceMemory):
    """No room for objects of a kind any more."""

    def __init__(self, full: Kind) -> None:
        super().__init__(1 << 30)
        self._full = full

    def left(self, kind: Kind, namespace: str) -> int:
        return -(1 << 30) if kind is self._full else super().left(kind, namespace)


def settle(world: Simulation) -> None:
    """The operator does all that it hears of, which comes to an end."""
    while any(world.server.events.values()):
        world.deliver(0)
    for _ in range(10):
        if not len(world.queue):
            return
        world.reconcile()
        while any(world.server.events.values()):
            world.deliver(0)
    raise AssertionError(f"it goes on and on: {written(world)[-4:]}")


def fill(world: Simulation, kind: Kind = kinds.WORKLOAD) -> None:
    """From now on the namespace has no room for the Workload, or for its objects of another kind."""
    world.store._room = Full(kind)  # noqa: SLF001
    world.server.patch("Workload", KEY, {"metadata": {"labels": {"x": "y"}}})
    world.now += timedelta(seconds=1)
