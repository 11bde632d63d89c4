"""Watches that go on whatever happens to them."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from functools import partial

import pytest

from tests.unit.shell import http_apiserver
from tests.unit.shell.http_apiserver import HttpApiServer, until
from tests.unit.shell.test_lists import DEEP, obj
from twinhull.api.reading import UNREAD
from twinhull.shell import kinds, watch_streams
from twinhull.shell.change_handler import ChangeHandler
from twinhull.shell.decisions import Decisions
from twinhull.shell.policies import Policies
from twinhull.shell.queue import Queue
from twinhull.shell.scope import Scope
from twinhull.shell.store import Store
from twinhull.shell.watch_ages import WatchAges
from twinhull.shell.watch_streams import WatchStreams
from twinhull.shell.workload_memory import WorkloadMemories

WORKLOADS, VMS = kinds.WORKLOAD.path(), kinds.VIRTUAL_MACHINE.path()


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without pauses to speak of; a watch may end at any time."""
    monkeypatch.setattr(watch_streams, "_LOOKING", 0.02)
    monkeypatch.setattr(watch_streams, "_PAUSE", 0.01)
    monkeypatch.setattr(watch_streams, "_SHORTEST", 0.0)


class World:
    """Streams of an API server that serves all kinds but those of a group, everywhere or in namespaces."""

    def __init__(self, without: str = "none", *namespaces: str) -> None:
        self.scope = Scope(namespaces)
        self.api, self.store = HttpApiServer(), Store()
        self.watches = ChangeHandler(
            self.store, Queue(), Policies(self.store), Decisions(), WorkloadMemories(), self.scope
        )
        self.waited: list[float] = []
        self.now = 0.0
        self.watches.ages = WatchAges(lambda: self.now)
        for kind in kinds.WATCHED:
            if kind.group != without and self.scope.sees(kind):
                for namespace in namespaces or (None,):
                    self.api.serve(kind.path(namespace))

    @asynccontextmanager
    async def streaming(self) -> AsyncIterator[None]:
        async with http_apiserver.client(self.api, self.scope) as client:
            found = WatchStreams(client, self.watches, self.scope, self.backoffs)
            await found.begin()
            running = asyncio.create_task(found.run())
            try:
                await until(lambda: len(self.api.began()) == len(self.api.objects))
                yield
                assert not running.done(), "nothing ends the streams"
            finally:
                running.cancel()
                await asyncio.gather(running, return_exceptions=True)

    def backoffs(self) -> Iterator[float]:
        for seconds in itertools.count():
            self.waited.append(seconds)
            yield 0.01

    def has_waited(self, times: int) -> bool:
        return len(self.waited) >= times

    def age(self, resource: str) -> float:
        return self.watches.ages.by_resource()[resource]

    def names(self) -> list[str]:
        return sorted(name for _, name in self.store.keys(kinds.WORKLOAD))

    def tell(self, change: str, text: str, path: str = WORKLOADS) -> None:
        self.api.events[path].put_nowait(f'{{"type":"{change}","object":{text}}}')


@pytest.mark.slow
def test_events_are_taken_in_and_gone_on_from() -> None:
    async def check() -> None:
        world = World()
        async with world.streaming():
            world.tell("ADDED", obj("a", version=101))
            world.tell("BOOKMARK", '{"metadata":{"resourceVersion":"150"}}')
            world.api.events[WORKLOADS].put_nowait("")
            await until(lambda: world.api.began()[WORKLOADS] == 2)
            assert world.names() == ["a"]
            began = [query["resourceVersion"] for path, query, _ in world.api.watches if path == WORKLOADS]
            assert began == ["100", "150"]
            assert not world.watches.started_over.is_set()
            world.tell("DELETED", obj("a", version=151))
            await until(lambda: not world.names())

    http_apiserver.run(check)


def test_an_object_that_cannot_be_read_ends_nothing() -> None:
    async def check() -> None:
        world = World()
        async with world.streaming():
            world.tell("ADDED", obj("deep", DEEP, version=101))
            world.tell("ADDED", "[")
            world.tell("ADDED", obj("web", version=102))
            await until(lambda: world.names() == ["deep", "web"])
            found = world.store.get(kinds.WORKLOAD, ("shop", "deep"))
            assert found is not None
            assert UNREAD in found
            assert (world.store.unread(kinds.WORKLOAD), world.api.began()[WORKLOADS]) == (1, 1)
            world.tell("DELETED", obj("deep", DEEP, version=103))
            await until(lambda: world.names() == ["web"])
            assert world.store.unread(kinds.WORKLOAD) == 0

    http_apiserver.run(check)


def test_an_object_that_cannot_be_taken_in_ends_nothing() -> None:
    async def check() -> None:
        world, maps = World(), kinds.CONFIG_MAP.path()
        async with world.streaming():
            world.tell("ADDED", obj("web", '{"template":null,"virtualMachine":{"instancetype":5}}', 101))
            world.tell("ADDED", '{"metadata":{"name":"nobody"}}')
            world.tell("ADDED", '{"metadata":{"resourceVersion":"102"}}')
            world.tell("ADDED", obj("well", version=103))
            world.tell("ADDED", obj("odd", version=101).replace('"spec"', '"data":[1],"spec"'), maps)
            world.tell("ADDED", obj("well", version=103), maps)
            await until(lambda: world.names() == ["web", "well"])
            await until(lambda: len(world.store.keys(kinds.CONFIG_MAP)) == 2)
            assert world.store.unread(kinds.CONFIG_MAP) == 1
            assert (world.api.began()[WORKLOADS], world.api.began()[maps]) == (1, 1)

    http_apiserver.run(check)


def test_a_version_that_is_too_old_has_all_listed_anew() -> None:
    async def check() -> None:
        world = World()
        async with world.streaming():
            world.api.version = 200
            world.tell("ERROR", json.dumps({"kind": "Status", "code": 410, "message": "too old"}))
            await until(lambda: world.api.began()[WORKLOADS] == 2)
            assert world.watches.started_over.is_set()
            assert world.api.watches[-1][1]["resourceVersion"] == "200"

    http_apiserver.run(check)


@pytest.mark.slow
def test_a_kind_that_goes_and_comes_back_is_watched_again() -> None:
    async def check() -> None:
        world = World()
        async with world.streaming():
            del world.api.objects[VMS]
            world.api.events[VMS].put_nowait("")
            await until(lambda: world.api.began()[VMS] == 2)
            count = len(world.api.lists)
            await until(lambda: len(world.api.lists) > count + 3)
            assert not world.watches.started_over.is_set()
            world.tell("ADDED", obj("web", version=101))
            await until(lambda: world.names() == ["web"])
            world.api.serve(VMS)
            await until(lambda: world.api.began()[VMS] == 3)
            assert world.watches.started_over.is_set(), "what was there before is to be listed"
        assert world.waited == [], "that it isn't served is no failure"

    http_apiserver.run(check)


def test_kinds_that_come_later_are_watched() -> None:
    async def check() -> None:
        world = World(without="kubevirt.io")
        async with world.streaming():
            assert VMS not in world.api.began()
            world.api.serve(VMS)
            await until(lambda: VMS in world.api.began())
            assert world.watches.started_over.is_set()

    http_apiserver.run(check)


def test_a_kind_that_is_not_served_is_asked_for_in_one_namespace_at_a_time() -> None:
    async def check() -> None:
        namespaces = [f"n{number}" for number in range(20)]
        world, loop = World("kubevirt.io", *namespaces), asyncio.get_running_loop()
        paths = [kinds.VIRTUAL_MACHINE.path(namespace) for namespace in namespaces]

        def asked() -> int:
            return sum(path in paths for path, _, _ in world.api.lists)

        async with world.streaming():
            await until(lambda: asked() >= 2 * len(namespaces))
            began, count = loop.time(), asked()
            await until(lambda: asked() >= count + 10)
            assert loop.time() - began > 0.1, "ten requests, 20 ms apart"
            for path in paths:
                world.api.serve(path)
            await until(lambda: world.api.began().keys() >= set(paths))

    http_apiserver.run(check)


@pytest.mark.slow
@pytest.mark.parametrize("code", [400, 401, 403, 429, 500, 503])
def test_failures_are_waited_for_ever_longer_until_something_comes(code: int) -> None:
    async def check() -> None:
        world = World()
        async with world.streaming():
            for _ in range(2):
                world.api.errors[WORKLOADS] = code
                world.api.events[WORKLOADS].put_nowait("")
                await until(partial(world.has_waited, len(world.waited) + 3))
                del world.api.errors[WORKLOADS]
                world.api.version += 10
                world.tell("ADDED", obj(f"after{world.api.version}", version=world.api.version))
                await until(lambda: f"after{world.api.version}" in world.names())
        assert world.waited.count(0) == 2
        assert max(world.waited) >= 2

    http_apiserver.run(check)


def test_a_watch_that_brings_nothing_ages_whatever_is_listed() -> None:
    """Such as by a Role without the verb watch."""

    async def check() -> None:
        world, maps = World(without="kubevirt.io"), kinds.CONFIG_MAP.path()
        world.api.errors[f"{WORKLOADS}?watch"] = 403
        async with world.streaming():
            world.now = 600.0
            world.watches.take_list(kinds.WORKLOAD, [], "100")
            assert world.age("workloads") == 600
            world.tell("BOOKMARK", '{"metadata":{"resourceVersion":"150"}}', maps)
            await until(lambda: world.age("configmaps") == 0)
            assert "virtualmachines" not in world.watches.ages.by_resource(), "it isn't served"

    http_apiserver.run(check)


def test_a_watch_that_started_over_ages_until_what_it_missed_is_listed() -> None:
    async def check() -> None:
        world = World()
        async with world.streaming():
            world.now, world.api.version = 600.0, 200
            world.tell("ERROR", json.dumps({"kind": "Status", "code": 410, "message": "too old"}))
            world.api.events[WORKLOADS].put_nowait("")
            await until(world.watches.started_over.is_set)
            world.tell("ADDED", obj("web", version=201))
            await until(world.names)
            assert world.age("workloads") == 600
            world.watches.take_list(kinds.WORKLOAD, [json.loads(obj("web", version=201))], "201")
            assert world.age("workloads") == 0

    http_apiserver.run(check)


def test_a_watch_that_always_ends_at_once_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    """Such as behind a proxy that cuts it."""
    monkeypatch.setattr(watch_streams, "_SHORTEST", 60.0)

    async def check() -> None:
        world = World()
        async with world.streaming():
            for count in (1, 2):
                world.api.events[WORKLOADS].put_nowait("")
                await until(lambda: world.api.began()[WORKLOADS] > count)  # noqa: B023  it is awaited here
            assert world.waited == [0, 1]
            world.tell("ADDED", obj("web", version=101))
            world.api.events[WORKLOADS].put_nowait("")
            await until(lambda: world.api.began()[WORKLOADS] == 4)
            assert world.waited == [0, 1], "one that brought something isn't"

    http_apiserver.run(check)


def test_a_watch_that_ends_in_its_time_and_brought_nothing_is_no_failure() -> None:
    async def check() -> None:
        world = World()
        async with world.streaming():
            world.now = 300.0
            world.api.events[WORKLOADS].put_nowait("")
            await until(lambda: world.api.began()[WORKLOADS] == 2)
            assert (world.waited, world.age("workloads")) == ([], 0)

    http_apiserver.run(check)


def test_a_version_that_is_always_too_old_is_asked_for_ever_later() -> None:
    async def check() -> None:
        world = World()
        async with world.streaming():
            world.api.errors[f"{WORKLOADS}?watch"] = 410
            world.api.events[WORKLOADS].put_nowait("")
            await until(lambda: world.has_waited(3))
            assert world.waited[:3] == [0, 1, 2]

    http_apiserver.run(check)
