"""Of several namespaces one can't be listed: it may be gone, and the operator's rights with it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from prometheus_client import CollectorRegistry

from twinhull.shell import kinds, listing
from twinhull.shell.change_handler import ChangeHandler
from twinhull.shell.cluster import Cluster
from twinhull.shell.decisions import Decisions
from twinhull.shell.kinds import Kind
from twinhull.shell.listing import Listing
from twinhull.shell.metrics import WorkqueueMetrics
from twinhull.shell.policies import Policies
from twinhull.shell.queue import Queue
from twinhull.shell.scope import Scope
from twinhull.shell.store import Key, Store
from twinhull.shell.workload_memory import WorkloadMemories

from . import http_apiserver
from .http_apiserver import HttpApiServer, until

NAMESPACES = ("shop", "bank")
BY_NAMESPACE = [kind for kind in kinds.WATCHED if kind.namespaced]


def obj(namespace: str, name: str, version: int = 1) -> str:
    return (
        f'{{"metadata":{{"name":"{name}","namespace":"{namespace}","uid":"{namespace}-{name}",'
        f'"resourceVersion":"{version}"}},"spec":{{"template":{{"spec":{{}}}}}}}}'
    )


class World:
    """An operator for two namespaces, each with a Workload."""

    def __init__(self) -> None:
        self.api, self.store, self.queue = HttpApiServer(), Store(), Queue()
        self.scope = Scope(NAMESPACES)
        self.watches = ChangeHandler(
            self.store, self.queue, Policies(self.store), Decisions(), WorkloadMemories(), self.scope
        )
        for kind in BY_NAMESPACE:
            for namespace in NAMESPACES:
                self.api.serve(kind.path(namespace))
        for namespace in NAMESPACES:
            self.api.serve(kinds.WORKLOAD.path(namespace), obj(namespace, "web"))

    @asynccontextmanager
    async def listing(self) -> AsyncIterator[tuple[Listing, Cluster]]:
        async with http_apiserver.client(self.api, self.scope) as client:
            yield Listing(client, self.watches, self.queue, every=600), client

    def refuse(self, namespace: str, *refused: Kind) -> None:
        self.api.errors |= dict.fromkeys((kind.path(namespace) for kind in refused or BY_NAMESPACE), 403)

    def allow(self) -> None:
        self.api.errors.clear()

    async def given_out(self) -> list[Key]:
        """The keys that workers get."""
        keys = []
        while len(self.queue):
            keys.append(await self.queue.get())
            self.queue.done(keys[-1])
        return keys


@pytest.mark.parametrize("refused", [(), (kinds.POD,)], ids=["each kind", "one kind"])
def test_the_others_are_served_and_it_is_when_it_is_back(
    refused: tuple[Kind, ...], caplog: pytest.LogCaptureFixture
) -> None:
    """Where one kind alone is refused its Workloads are known, and nothing is done with them either."""

    async def check() -> None:
        world = World()
        world.refuse("bank", *refused)
        async with world.listing() as (lists, _):
            for _ in range(2):
                await lists.list_until_done()
            world.queue.add(("bank", "web"))
            assert await world.given_out() == [("shop", "web")]
            assert list(lists.refused) == ["bank"]
            told = [record.message for record in caplog.records if "bank" in record.message]
            assert len(told) == 1, "once"
            assert told[0].startswith(
                "namespace bank isn't served, and nothing is done in it: so it is told."
            )
            world.allow()
            await lists.list_until_done([kinds.WORKLOAD])
            assert await world.given_out() == [], "the list of one kind doesn't tell of the others"
            await lists.list_until_done()
            assert not lists.refused
            assert await world.given_out() == [("bank", "web")]

    http_apiserver.run(check)


def test_what_is_gone_elsewhere_is_noticed_and_nothing_of_it_counts_as_gone() -> None:
    async def check() -> None:
        world = World()
        async with world.listing() as (lists, _):
            await lists.list_until_done()
            world.refuse("bank")
            for namespace in NAMESPACES:
                world.api.serve(kinds.WORKLOAD.path(namespace))
            await lists.list_until_done()
        assert world.store.keys(kinds.WORKLOAD) == [("bank", "web")]

    http_apiserver.run(check)


def test_a_namespace_is_served_again_only_once_all_of_it_can_be_listed() -> None:
    async def check() -> None:
        world = World()
        world.refuse("bank")
        async with world.listing() as (lists, _):
            await lists.list_until_done()
            world.allow()
            world.api.errors[kinds.CONFIG_MAP.path("bank")] = 500
            places = lists._places(kinds.WATCHED)  # noqa: SLF001
            assert await lists._list(places) == [(kinds.CONFIG_MAP, "bank")]  # noqa: SLF001
            assert list(lists.refused) == ["bank"], "nobody knows yet whether it is"

    http_apiserver.run(check)


@pytest.mark.parametrize("wanted", [kinds.WATCHED, (kinds.WORKLOAD,)], ids=["at the start", "at a takeover"])
def test_an_operator_that_may_list_none_serves_none(wanted: tuple[Kind, ...]) -> None:
    """It isn't the namespaces then, but its Role as a whole, such as one of an earlier chart."""

    async def check() -> None:
        world = World()
        for namespace in NAMESPACES:
            world.refuse(namespace, kinds.WORKLOAD)
        async with world.listing() as (lists, _):
            places = lists._places(wanted)  # noqa: SLF001
            assert await lists._list(places) == places, "what is tried again"  # noqa: SLF001
            assert set(lists.refused) == set(NAMESPACES)

    http_apiserver.run(check)


def test_an_operator_for_all_namespaces_waits_until_it_may_list() -> None:
    async def check() -> None:
        world = World()
        world.scope = Scope()
        for kind in kinds.WATCHED:
            world.api.serve(kind.path())
        world.api.errors[kinds.POD.path()] = 403
        async with world.listing() as (lists, _):
            failed = await lists._list(lists._places(kinds.WATCHED))  # noqa: SLF001
            assert failed == [(kinds.POD, None), (kinds.LAUNCHER, None)], "what is tried again"

    http_apiserver.run(check)


def test_what_was_refused_is_tried_again_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not only with everything, which is listed every ten minutes; and nothing else is listed for it."""

    async def check() -> None:
        world = World()
        world.refuse("bank")
        monkeypatch.setattr(listing, "reconnect_delays", lambda: iter([0.01] * 1000))
        async with world.listing() as (lists, _):
            await lists.list_until_done()
            world.api.lists.clear()
            running = asyncio.create_task(lists.run())
            await until(lambda: len(world.api.lists) > 2)
            assert lists.refused
            world.allow()
            await until(lambda: not lists.refused)
            running.cancel()
            assert not [path for path, _, _ in world.api.lists if "/shop/" in path]
            assert ("bank", "web") in await world.given_out()

    http_apiserver.run(check)


def test_keys_that_are_held_are_no_backlog() -> None:
    registry = CollectorRegistry()
    queue = Queue(WorkqueueMetrics(registry))

    def depth() -> float | None:
        return registry.get_sample_value("workqueue_depth", {"controller": "workload", "name": "workload"})

    for namespace in NAMESPACES:
        queue.add((namespace, "web"))
    queue.hold({"bank"})
    assert (depth(), len(queue)) == (1, 1)
    queue.hold(set())
    assert (depth(), len(queue)) == (2, 2)
