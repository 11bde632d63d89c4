"""The reconciler works on any kind: a controller that says what it observes and plans is all it needs."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime

from twinhull.api.base import Raw
from twinhull.core.actions import Create, Delete
from twinhull.shell import kinds
from twinhull.shell.controller import Controller, ObjectPlan, ReconciledObject
from twinhull.shell.event_recorder import EventRecorder
from twinhull.shell.executor import Executor
from twinhull.shell.queue import Queue
from twinhull.shell.reconciler import Reconciler
from twinhull.shell.refusals import Refusals
from twinhull.shell.status_writer import StatusWriter
from twinhull.shell.store import Key, Store

from .apiserver import ApiServer, FakeCluster
from .simulation import run

NOW = datetime(2026, 1, 1, tzinfo=UTC)
KEY = ("shop", "a")


class OneServiceEach(Controller[tuple[Raw, bool]]):
    """Has a Service made for each Pod, and says so in the Pod's status."""

    kind, log_field = kinds.POD, "pod"

    def __init__(self, store: Store) -> None:
        self._store = store
        self.calls: list[str] = []
        self.fails, self.one_round = False, False

    def observe(self, key: Key) -> tuple[Raw, bool] | None:
        pod = self._store.get(kinds.POD, key)
        return None if pod is None else (pod, self._store.get(kinds.SERVICE, key) is not None)

    def plan(self, observed: tuple[Raw, bool]) -> ObjectPlan:
        if self.fails:
            raise ZeroDivisionError
        pod, has_service = observed
        metadata = {"name": pod["metadata"]["name"], "namespace": pod["metadata"]["namespace"], "labels": {}}
        create = Create({"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": {}})
        actions = () if has_service else (create,)
        return ObjectPlan(
            ReconciledObject.of(pod), actions, lambda: {"message": "has a Service"}, one_round=self.one_round
        )

    def remember(self, key: Key, observed: tuple[Raw, bool] | None) -> None:
        self.calls.append(f"remember {key[1]} {observed and observed[1]}")

    def planned(self, key: Key, observed: tuple[Raw, bool], plan: ObjectPlan) -> None:
        self.calls.append(f"planned {key[1]} {observed[1]} {len(plan.actions)}")

    def written(self, key: Key, observed: tuple[Raw, bool], status: Raw) -> None:
        self.calls.append(f"written {key[1]} {observed[1]} {status['message']}")

    def urgent(self, observed: tuple[Raw, bool]) -> ObjectPlan | None:
        pod = observed[0]
        return ObjectPlan(
            ReconciledObject.of(pod), (Delete("Pod", pod["metadata"]["name"], pod["metadata"]["uid"]),)
        )

    def failure(self, key: Key, error: str, failure_id: str) -> ObjectPlan | None:
        assert failure_id
        pod = self._store.get(kinds.POD, key)
        return (
            None
            if pod is None
            else ObjectPlan(ReconciledObject.of(pod), status=lambda: {"message": f"{error}!"})
        )


class World:
    """One Pod, and the reconciler of Pods."""

    def __init__(self) -> None:
        self.server = ApiServer(lambda: NOW)
        self.cluster, self.store, self.queue = FakeCluster(self.server), Store(), Queue(workers=1)
        metadata = {"name": KEY[1], "namespace": KEY[0], "labels": {"twinhull.dev/hull": "Pod"}}
        self.store.put(kinds.POD, self.server.create({"kind": "Pod", "metadata": metadata, "spec": {}}))
        self.controller = OneServiceEach(self.store)
        self.reconciler = Reconciler(
            self.controller,
            self.store,
            self.queue,
            Executor(self.cluster, self.store, Refusals(), self.queue.add, 1, lambda: NOW),
            StatusWriter(kinds.POD, self.cluster, self.store),
            EventRecorder(self.cluster),
        )

    def verbs(self) -> list[str]:
        return [f"{verb} {kind}" for verb, kind, _ in self.cluster.writes]


def attempt(world: World) -> str:
    async def one() -> str:
        result: str = await world.reconciler._attempt(KEY)  # noqa: SLF001
        world.queue.close()
        return result

    return asyncio.run(one())


def test_it_acts_until_nothing_is_left_and_writes_the_status_once() -> None:
    world = World()
    assert run(world.reconciler.reconcile(KEY)) is None
    assert world.verbs() == ["create Service", "patch/status Pod"]
    assert world.server.get("Pod", KEY)["status"]["message"] == "has a Service"
    assert world.controller.calls == [
        "remember a False",
        "planned a False 1",
        "remember a True",
        "planned a True 0",
        "written a True has a Service",
    ]


def test_what_has_no_effect_that_is_seen_is_done_once_a_pass() -> None:
    world = World()
    world.controller.one_round = True
    world.controller.observe = lambda key: (world.server.get("Pod", key), False)  # type: ignore[method-assign]
    assert attempt(world) == "requeue"
    assert world.verbs() == ["create Service", "patch/status Pod"]
    assert len(world.queue) == 0, "it is done again after a while"
    assert attempt(world) == "requeue"
    assert world.queue._failures == {KEY: 2}, "and later each time"  # noqa: SLF001


def test_what_is_left_after_the_one_round_is_for_a_further_pass() -> None:
    world, plan = World(), OneServiceEach.plan
    world.controller.one_round = True

    def with_another(observed: tuple[Raw, bool]) -> ObjectPlan:
        planned, (pod, has_service) = plan(world.controller, observed), observed
        delete = Delete("Pod", pod["metadata"]["name"], pod["metadata"]["uid"])
        return replace(planned, actions=(delete,)) if has_service else planned

    world.controller.plan = with_another  # type: ignore[method-assign]
    run(world.reconciler.reconcile(KEY))
    assert world.verbs() == ["create Service", "patch/status Pod"]
    assert len(world.queue) == 1


def test_a_pass_that_changes_nothing_writes_nothing() -> None:
    world = World()
    run(world.reconciler.reconcile(KEY))
    writes = list(world.cluster.writes)
    run(world.reconciler.reconcile(KEY))
    assert world.cluster.writes == writes
    assert sum(call.startswith("written") for call in world.controller.calls) == 1


def test_an_object_that_is_gone_is_remembered_no_more() -> None:
    world = World()
    world.store.remove(kinds.POD, KEY, world.server.get("Pod", KEY)["metadata"]["uid"])
    assert run(world.reconciler.reconcile(KEY)) is None
    assert world.controller.calls == ["remember a None"]
    assert world.cluster.writes == []


def test_a_pass_that_fails_says_so_and_does_what_is_urgent() -> None:
    world = World()
    world.controller.fails = True
    assert attempt(world) == "error"
    assert world.verbs() == ["patch/status Pod", "delete Pod"]


def test_a_failure_of_what_is_said_of_a_failure_ends_nothing() -> None:
    world = World()
    world.controller.fails = True

    def raises(*_: object) -> None:
        raise ValueError

    world.controller.failure = raises  # type: ignore[method-assign,assignment]
    assert attempt(world) == "error"
    assert world.verbs() == ["delete Pod"], "what is urgent is done all the same"
