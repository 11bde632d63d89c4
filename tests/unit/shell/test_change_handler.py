"""Which Workloads are looked at when something happens."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.unit.core.objects import GVISOR, KUBEVIRT, NOW, companion, hull, workload
from twinhull.api.base import Raw
from twinhull.api.isolation import Isolation
from twinhull.core.case import Case
from twinhull.core.defaults import OperatorDefaults
from twinhull.hulls.hull import WORKLOAD_LABEL
from twinhull.shell import kinds
from twinhull.shell.change_handler import ChangeHandler
from twinhull.shell.decisions import Decisions
from twinhull.shell.kinds import BY_NAME, Kind
from twinhull.shell.observe import Knowledge, capabilities, observe
from twinhull.shell.policies import Policies
from twinhull.shell.queue import Queue
from twinhull.shell.refusals import Refusals
from twinhull.shell.scope import Scope
from twinhull.shell.store import Store, key_of
from twinhull.shell.workload_memory import WorkloadMemories


class World:
    """Watches with their store and queue."""

    def __init__(self, default: Isolation = Isolation.CONTAINER, queue: Queue | None = None) -> None:
        self.store, self.queue = Store(), Queue() if queue is None else queue
        self.policies, self.decisions = Policies(self.store), Decisions()
        self.watches = ChangeHandler(
            self.store, self.queue, self.policies, self.decisions, WorkloadMemories(), Scope()
        )
        self._defaults = OperatorDefaults(default)

    def take(self, obj: Raw, change: str = "ADDED", *, version: int = 1) -> None:
        kind = BY_NAME[obj["kind"]]
        given = {"namespace": "shop" if kind.namespaced else "", "uid": f"uid-{obj['metadata']['name']}"}
        metadata = {**given, **obj["metadata"], "resourceVersion": str(version)}
        self.watches.take(kind, change, obj | {"metadata": metadata})

    def take_list(self, kind: Kind, objects: list[Raw], version: str) -> None:
        """These are all objects of a kind."""
        present: set[str] = set()
        self.watches.take_part(kind, present, objects)
        self.watches.take_rest(kind, present, version)

    def look(self) -> None:
        """Every Workload is decided on."""
        known = Knowledge(self.store, self.policies, Refusals(), {})
        for obj in self.store.all(kinds.WORKLOAD):
            case = observe(known, key_of(obj), self._defaults, NOW)
            if isinstance(case, Case):
                self.decisions.record(key_of(obj), case.blueprint.resolution)
            else:
                self.decisions.forget(key_of(obj))

    def walk(self) -> None:
        """All are asked for that a change may concern."""
        while self.watches.walk.step():
            pass

    def queued(self) -> list[str]:
        """The Workloads that were asked for since the last time."""
        self.walk()
        waiting = iter(self.queue._waiting.take, None)  # noqa: SLF001
        found = sorted(name for _, name in waiting)
        self.queue._wanted.clear()  # noqa: SLF001
        return found


def named(name: str, **spec: str) -> Raw:
    return workload(spec, metadata={"name": name, "uid": f"uid-{name}"})


POD = hull("Pod", "web-1")
OBJECTS = [
    *(hull(kind, "web-1") for kind in ("Pod", "VirtualMachine", "VirtualMachineInstance")),
    *(companion(kind, "web") for kind in ("Service", "ConfigMap")),
]


@pytest.mark.parametrize("obj", OBJECTS, ids=lambda obj: obj["kind"])
def test_what_carries_the_label_asks_for_its_workload(obj: Raw) -> None:
    world = World()
    world.take(obj)
    assert world.queued() == ["web"]
    world.take(obj)
    assert world.queued() == [], "the same again is no news"
    world.take(obj, "MODIFIED", version=2)
    assert world.queued() == ["web"]
    world.take(obj, "DELETED", version=3)
    assert world.queued() == ["web"]
    world.take(obj, "MODIFIED", version=2)
    assert world.queued() == [], "a late event"


def test_workload_asks_for_itself() -> None:
    world = World()
    world.take(named("web"))
    assert world.queued() == ["web"]
    world.take(named("web"), "DELETED", version=2)
    assert world.queued() == ["web"]


def test_label_that_moves_asks_for_both() -> None:
    world = World()
    world.take(POD)
    world.queued()
    moved = POD | {"metadata": POD["metadata"] | {"labels": {WORKLOAD_LABEL: "other"}}}
    world.take(moved, "MODIFIED", version=2)
    assert world.queued() == ["other", "web"]
    back = POD | {"metadata": POD["metadata"] | {"namespace": "shop", "uid": "uid-web-1"}}
    back["metadata"]["resourceVersion"] = "3"
    world.take_list(kinds.POD, [back], "3")
    assert world.queued() == ["other", "web"]


def test_what_has_no_label_asks_for_nothing() -> None:
    world = World()
    world.take({"kind": "Pod", "metadata": {"name": "x", "labels": {}}})
    assert world.queued() == []


def three(world: World) -> None:
    for isolation in Isolation:
        world.take(named(isolation.lower(), isolationPolicy=isolation.value))
    world.take(named("auto"))
    world.look()
    world.queued()


@pytest.mark.parametrize(
    ("obj", "default", "expected"),
    [
        (KUBEVIRT, Isolation.CONTAINER, ["virtualmachine"]),
        (KUBEVIRT, Isolation.VIRTUAL_MACHINE, ["auto", "virtualmachine"]),
        (GVISOR, Isolation.CONTAINER, ["sandbox"]),
        (GVISOR, Isolation.SANDBOX, ["auto", "sandbox"]),
    ],
    ids=lambda value: value["kind"] if isinstance(value, dict) else None,
)
def test_what_the_cluster_can_do_asks_for_those_that_need_it(
    obj: Raw, default: Isolation, expected: list[str]
) -> None:
    world = World(default)
    three(world)
    world.take(obj)
    assert world.queued() == expected
    world.take(obj, "MODIFIED", version=2)
    assert world.queued() == [], "nothing that matters has changed"
    world.take(obj, "DELETED", version=3)
    assert world.queued() == expected


def test_what_the_cluster_can_do_is_told_by_the_kinds_that_are_said_to() -> None:
    """Events of no other kind are looked at for it."""
    names: set[str] = set()

    class Asked(Store):
        def all(self, kind: Kind) -> Iterator[Raw]:
            names.add(kind.name)
            return super().all(kind)

    capabilities(Asked(), frozenset())
    assert names == {kind.name for kind in kinds.CAPABLE}


def test_phase_of_kubevirt_matters() -> None:
    world = World()
    three(world)
    world.take(KUBEVIRT | {"status": {"phase": "Deploying"}})
    world.queued()
    world.take(KUBEVIRT, "MODIFIED", version=2)
    assert world.queued() == ["virtualmachine"]


def test_version_of_the_api_server_matters_and_news_of_it_only() -> None:
    world = World()
    three(world)
    world.watches.take_version("v1.35.1")
    assert world.queued() == ["virtualmachine"]
    world.watches.take_version("v1.35.1")
    assert world.queued() == []
    assert capabilities(world.store, frozenset()).kubernetes_version == "v1.35.1"


def test_list_asks_for_what_changed_and_for_what_is_gone() -> None:
    world = World()
    for number in (1, 2):
        world.take(named(f"web{number}"), version=number)
    world.queued()
    listed = named("web2")
    listed["metadata"]["resourceVersion"] = "2"
    world.take_list(kinds.WORKLOAD, [listed], "3")
    assert world.queued() == ["web1"]


@pytest.mark.slow
def test_one_pod_among_five_thousand_workloads_asks_for_one() -> None:
    world = World()
    many = [named(f"w{number}") for number in range(5000)]
    for obj in many:
        obj["metadata"]["resourceVersion"] = "1"
    world.take_list(kinds.WORKLOAD, many, "1")
    assert len(world.queued()) == 5000
    pod = POD | {"metadata": POD["metadata"] | {"labels": {WORKLOAD_LABEL: "w17"}}}
    world.take(pod, version=2)
    assert world.queued() == ["w17"]


def test_event_is_not_changed_by_taking_it_in() -> None:
    world = World()
    metadata = {"name": "x", "uid": "u", "namespace": "shop", "resourceVersion": "1", "managedFields": []}
    event = {"kind": "Pod", "metadata": metadata}
    world.watches.take(kinds.POD, "ADDED", event)
    assert "managedFields" in event["metadata"]
