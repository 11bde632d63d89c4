"""How many writes of a kind are under way at a time, and who is woken when there is a place again."""

from __future__ import annotations

import asyncio

import pytest

from twinhull.shell import kinds
from twinhull.shell.errors import Busy
from twinhull.shell.kinds import Kind
from twinhull.shell.queue import Queue
from twinhull.shell.store import Key
from twinhull.shell.write_lanes import WriteLanes

VM = "VirtualMachine"


def test_a_workload_stands_in_line_once() -> None:
    async def test() -> None:
        woken = list[Key]()
        lanes = WriteLanes(1, woken.append)
        place = await lanes.enter(VM, ("shop", "first"))
        for _ in range(3):
            with pytest.raises(Busy):
                await lanes.enter(VM, ("shop", "web"))
        lanes.leave(VM, place)
        assert woken == [("shop", "web")]

    asyncio.run(test())


def test_who_waited_is_woken_though_nobody_took_the_turn() -> None:
    async def test() -> None:
        woken = list[Key]()
        lanes = WriteLanes(1, woken.append)
        place = await lanes.enter(VM, ("shop", "a"))
        for name in "bcd":
            with pytest.raises(Busy):
                await lanes.enter(VM, ("shop", name))
        lanes.leave(VM, place)
        assert woken == [("shop", name) for name in "bcd"]

    asyncio.run(test())


def test_a_namespace_that_is_woken_waits_no_more() -> None:
    async def test() -> None:
        woken = list[Key]()
        lanes = WriteLanes(1, woken.append)
        place = await lanes.enter(VM, ("shop", "a"))
        for namespace in ("shop", "bank"):
            with pytest.raises(Busy):
                await lanes.enter(VM, (namespace, "web"))
        lanes.wake_namespace(VM, "shop")
        assert woken == [("shop", "web")]
        lanes.leave(VM, place)
        assert woken == [("shop", "web"), ("bank", "web")]

    asyncio.run(test())


@pytest.mark.parametrize("kind", [kinds.POD, kinds.SERVICE, kinds.CONFIG_MAP, kinds.VIRTUAL_MACHINE])
def test_every_kind_has_a_worker_even_of_one(kind: Kind) -> None:
    async def test() -> None:
        lanes = WriteLanes(1, lambda _: None)
        lanes.leave(kind.name, await lanes.enter(kind.name, ("shop", "a")))

    asyncio.run(test())


def test_pods_have_half_of_the_workers_and_other_kinds_three_sixteenths() -> None:
    lanes = WriteLanes(16, lambda _: None)
    assert [lanes.places(kind) for kind in ("Pod", "Service", VM)] == [8, 3, 3]


@pytest.mark.parametrize("workers", [8, 16, 32])
def test_two_kinds_that_hang_leave_a_namespace_workers_for_pods(workers: int) -> None:
    async def workers_of_a_namespace_alone() -> int:
        queue = Queue(workers=workers)
        for number in range(workers):
            queue.add(("shop", f"web-{number}"))
        working = [asyncio.create_task(queue.get()) for _ in range(workers)]
        await asyncio.sleep(0)
        got = sum(task.done() for task in working)
        for task in working:
            task.cancel()
        return got

    lanes, most = WriteLanes(workers, lambda _: None), asyncio.run(workers_of_a_namespace_alone())
    assert most == workers // 2
    assert lanes.places("Service") + lanes.places("ConfigMap") < most
