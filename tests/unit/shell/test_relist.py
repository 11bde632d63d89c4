"""What was missed while a watch had to start over is listed, however often that fails at first."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from functools import partial

import pytest

from twinhull.core.actions import Delete
from twinhull.shell import kinds, listing
from twinhull.shell.controller import ReconciledObject
from twinhull.shell.errors import NotFound, ServerError
from twinhull.shell.executor import Done, NotDone
from twinhull.shell.kinds import Kind
from twinhull.shell.listing import Listing

from .http_apiserver import until
from .simulation import Simulation, run

FAILURE = ServerError("Internal error occurred: unable to transform key")


@pytest.fixture(autouse=True)
def waited(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Without pauses to speak of: those that were made after failures."""
    pauses: list[float] = []

    def backoffs() -> Iterator[float]:
        for attempt in range(10_000):
            pauses.append(attempt)
            yield 0.0

    monkeypatch.setattr(listing, "_SETTLING", 0.0)
    monkeypatch.setattr(listing, "reconnect_delays", backoffs)
    return pauses


def miss_policy(world: Simulation, name: str) -> None:
    """A policy is made, and the watch doesn't tell of it."""
    world.server.create({"kind": "IsolationPolicy", "metadata": {"name": name}, "spec": {}})
    world.server.events.clear()


def knows(world: Simulation, policies: int) -> bool:
    """Whether the operator knows of so many policies."""
    return len(world.store.keys(kinds.ISOLATION_POLICY)) == policies


@pytest.mark.parametrize("failures", [0, 1, 4])
def test_a_list_that_fails_after_a_watch_started_over_is_tried_again(
    failures: int, waited: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def check() -> None:
        world, tried = Simulation({}), Counter[Kind]()
        lists = Listing(world.cluster, world.watches, world.queue, every=600)

        async def list_place(kind: Kind, _: str | None) -> None:
            tried[kind] += 1
            if kind is kinds.CONFIG_MAP and tried[kind] <= failures:
                raise FAILURE

        monkeypatch.setattr(lists, "_list_place", list_place)
        relisting = asyncio.create_task(lists.run())
        world.watches.started_over.set()
        await until(lambda: tried[kinds.CONFIG_MAP] == failures + 1)
        assert len(waited) >= failures, "each failure is waited for"
        assert not world.watches.started_over.is_set()
        assert tried == Counter(kinds.WATCHED) + Counter({kinds.CONFIG_MAP: failures}), "nothing else is"
        relisting.cancel()

    asyncio.run(check())


def test_a_kind_that_cannot_be_listed_keeps_no_other_from_it() -> None:
    async def check() -> None:
        world = Simulation({})
        lists = Listing(world.cluster, world.watches, world.queue, every=600)
        relisting = asyncio.create_task(lists.run())
        world.cluster.refused["list", "ConfigMap"] = FAILURE
        for count in (1, 2):
            miss_policy(world, f"floor{count}")
            world.watches.started_over.set()
            await until(partial(knows, world, count))
        relisting.cancel()

    asyncio.run(check())


def test_the_first_list_gets_to_all_kinds_and_ends_once_all_are_listed() -> None:
    async def check() -> None:
        world = Simulation({})
        miss_policy(world, "floor")
        world.cluster.refused["list", "ConfigMap"] = FAILURE
        first = asyncio.create_task(Listing(world.cluster, world.watches, world.queue, 600).list_until_done())
        await until(partial(knows, world, 1))
        assert not first.done()
        world.cluster.refused.clear()
        await first

    asyncio.run(check())


def remove_kubevirt(world: Simulation) -> None:
    """KubeVirt is removed, and the watch doesn't tell of it."""
    world.switch("KubeVirt")
    world.server.events.clear()
    world.cluster.unserved.add("KubeVirt")


def test_objects_of_a_kind_that_was_removed_are_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "_UNSERVED_FOR", 0.05)

    world = Simulation({"isolationPolicy": "VirtualMachine"})
    while len(world.queue):
        world.reconcile()
    remove_kubevirt(world)

    async def check() -> None:
        relisting = asyncio.create_task(Listing(world.cluster, world.watches, world.queue, every=0.01).run())
        await until(lambda: not world.watches.holds(kinds.KUBEVIRT))
        assert len(world.queue) == 1, "whom it concerns is asked for"
        relisting.cancel()

    asyncio.run(check())


@pytest.mark.parametrize("lasts", [True, False])
def test_they_are_not_while_discovery_has_the_kind_or_only_for_a_moment(
    lasts: bool,  # noqa: FBT001
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(listing, "_UNSERVED_FOR", 0.0 if lasts else 600.0)

    async def check() -> None:
        world, asked = Simulation({}), Counter[str]()
        remove_kubevirt(world)

        async def served(wanted: set[Kind]) -> set[Kind]:
            asked["discovery"] += 1
            return wanted

        async def version() -> str:
            asked["lists"] += 1
            return ""

        monkeypatch.setattr(world.cluster, "served", served)
        monkeypatch.setattr(world.cluster, "version", version)
        relisting = asyncio.create_task(Listing(world.cluster, world.watches, world.queue, every=0.01).run())
        await until(lambda: asked["lists"] > 3)
        assert bool(asked["discovery"]) is lasts
        assert world.watches.holds(kinds.KUBEVIRT)
        relisting.cancel()

    asyncio.run(check())


def test_objects_of_a_kind_that_is_served_again_are_seen_as_they_were() -> None:
    world = Simulation({"isolationPolicy": "VirtualMachine"})
    kind = kinds.VIRTUAL_MACHINE
    while len(world.queue):
        world.reconcile()
    seen = set(world.store.keys(kind))
    assert seen
    world.watches.take_removal(kind)
    assert not world.store.keys(kind)
    run(Listing(world.cluster, world.watches, world.queue, every=600).list_until_done([kind]))
    assert set(world.store.keys(kind)) == seen


def test_what_can_not_be_found_while_its_kind_is_not_served_was_not_deleted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = Simulation({"isolationPolicy": "VirtualMachine"})
    while len(world.queue):
        world.reconcile()
    kind = kinds.VIRTUAL_MACHINE
    (key,) = world.store.keys(kind)
    uid = world.store.uid(kind, key)
    assert uid is not None
    assert world.workload is not None

    async def not_found(*_: object) -> None:
        raise NotFound("the server could not find the requested resource")

    async def nothing(*_: object) -> None:
        return None

    monkeypatch.setattr(world.cluster, "delete", not_found)
    monkeypatch.setattr(world.cluster, "get", nothing)
    owner, deletion = ReconciledObject.of(world.workload), Delete(kind.name, key[1], uid)
    world.cluster.unserved.add(kind.name)
    assert isinstance(run(world.executor.execute(owner, deletion)), NotDone)
    assert world.store.uid(kind, key) == uid
    world.cluster.unserved.clear()
    assert isinstance(run(world.executor.execute(owner, deletion)), Done)
    assert world.store.uid(kind, key) is None
