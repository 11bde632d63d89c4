"""When policies' statuses are written: soon, not at every change, and not before they are whole."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import pytest

from tests.controlplane.polling import PATIENCE
from tests.unit.core.policies import policy
from tests.unit.shell.test_change_handler import named
from twinhull.api.workload import WorkloadSpec
from twinhull.core.defaults import OperatorDefaults
from twinhull.core.isolation import Resolution, resolve
from twinhull.shell import kinds, policy_controller
from twinhull.shell.decisions import Decisions
from twinhull.shell.errors import ServerError
from twinhull.shell.policies import Policies
from twinhull.shell.policy_controller import PolicyStatusTimer
from twinhull.shell.queue import Queue
from twinhull.shell.store import Store

from .apiserver import ApiServer, FakeCluster
from .policy_statuses import policy_reconciler

NOW = datetime(2026, 1, 1, tzinfo=UTC)


class World:
    """One policy that concerns everybody, two Workloads, and what writes statuses."""

    def __init__(self) -> None:
        self.server = ApiServer(lambda: NOW)
        self.cluster = FakeCluster(self.server)
        self.store, self.decisions = Store(), Decisions()
        self.store.put(kinds.ISOLATION_POLICY, self.server.create(policy("all", minimum="Sandbox")))
        for name in ("a", "b"):
            self.store.put(kinds.WORKLOAD, self.server.create(named(name)))

    def decide(self, name: str) -> None:
        self.decisions.record(("shop", name), self._resolution())

    def _resolution(self) -> Resolution:
        spec = WorkloadSpec.model_validate(named("a")["spec"])
        return resolve(spec, OperatorDefaults(), Policies(self.store).all())

    def matched(self) -> int | None:
        found: int | None = self.server.get("IsolationPolicy", ("", "all"))["status"].get("matched")
        return found

    def play(self, scene: Callable[[], Awaitable[None]]) -> None:
        async def played() -> None:
            queue = Queue(workers=1)
            timer = PolicyStatusTimer(self.store, self.decisions, queue)
            reconciler = policy_reconciler(self.cluster, self.store, self.decisions, queue, lambda: NOW)
            running = [asyncio.create_task(work) for work in (timer.run(), reconciler.work())]
            await scene()
            for task in running:
                task.cancel()
            queue.close()

        asyncio.run(played())

    async def until(self, matched: int) -> None:
        async with asyncio.timeout(PATIENCE):
            while self.matched() != matched:  # noqa: ASYNC110  a test polls
                await asyncio.sleep(0.001)


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr(policy_controller, "_DEBOUNCE", 0.01)
    return World()


def test_counts_are_told_once_they_are_whole_and_whenever_they_change(world: World) -> None:
    async def scene() -> None:
        world.decide("a")
        await asyncio.sleep(0.1)
        assert world.cluster.writes == [], "the other one isn't decided yet"
        world.decide("b")
        await world.until(2)
        world.decisions.forget(("shop", "b"))
        await world.until(1)
        assert len(world.cluster.writes) == 2

    world.play(scene)


def test_counts_do_not_wait_for_ever(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(policy_controller, "_PATIENCE", 0.05)

    async def scene() -> None:
        world.decide("a")
        await world.until(1)

    world.play(scene)


def test_many_changes_are_one_write(world: World) -> None:
    async def scene() -> None:
        world.decide("a")
        world.decide("b")
        await world.until(2)
        for _ in range(100):
            world.decisions.forget(("shop", "b"))
            world.decide("b")
        world.decisions.forget(("shop", "b"))
        await world.until(1)
        assert len(world.cluster.writes) == 2

    world.play(scene)


def test_failed_write_is_tried_again(world: World) -> None:
    world.cluster.accident = (ServerError, False)

    async def scene() -> None:
        world.decide("a")
        world.decide("b")
        await world.until(2)
        assert len(world.cluster.writes) == 2

    world.play(scene)
