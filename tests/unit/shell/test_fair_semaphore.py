"""Who may go on, where only so many may at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine

from tests.controlplane.polling import PATIENCE
from twinhull.shell.fair_semaphore import FairSemaphore


def run(check: Coroutine[None, None, None]) -> None:
    asyncio.run(asyncio.wait_for(check, PATIENCE))


class Room:
    """Whoever has a turn stays until they are let out; `inside` is who, in the order in which they came."""

    def __init__(self, at_once: int) -> None:
        self.inside: list[str] = []
        self._turns = FairSemaphore(at_once)
        self._doors: list[asyncio.Event] = []
        self._tasks: list[asyncio.Task[None]] = []

    async def come(self, *namespaces: str) -> None:
        self._tasks += [asyncio.create_task(self._stay(namespace)) for namespace in namespaces]
        await self._settle()

    async def let_out(self, number: int) -> None:
        self._doors[number].set()
        await self._settle()

    async def cancel(self, number: int) -> None:
        self._tasks[number].cancel()
        await self._settle()

    async def empty(self) -> None:
        while any(not task.done() for task in self._tasks):
            for door in self._doors:
                door.set()
            await asyncio.sleep(0)

    async def _stay(self, namespace: str) -> None:
        async with self._turns.of(namespace):
            self.inside.append(namespace)
            door = asyncio.Event()
            self._doors.append(door)
            await door.wait()

    @staticmethod
    async def _settle() -> None:
        for _ in range(10):
            await asyncio.sleep(0)


def test_a_turn_goes_to_the_namespace_that_has_the_fewest() -> None:
    async def check() -> None:
        room = Room(at_once=4)
        await room.come(*["crowd"] * 50, "shop", "bank", "shop")
        assert room.inside == ["crowd"] * 4
        for number in range(4):
            await room.let_out(number)
        assert room.inside[4:] == ["shop", "bank", "crowd", "crowd"]
        await room.empty()
        assert len(room.inside) == 53

    run(check())


def test_who_stops_waiting_has_no_turn_and_leaves_none_behind() -> None:
    async def check() -> None:
        room = Room(at_once=1)
        await room.come("shop", "crowd", "crowd")
        await room.cancel(1)  # it waits
        await room.cancel(0)  # it has the turn
        assert room.inside == ["shop", "crowd"]
        await room.come("bank")
        await room.let_out(1)
        assert room.inside == ["shop", "crowd", "bank"]
        await room.empty()

    run(check())


def test_a_turn_that_comes_to_who_is_cancelled_at_that_moment_goes_on() -> None:
    async def check() -> None:
        turns = FairSemaphore(1)

        async def take() -> None:
            async with turns.of("shop"):
                await asyncio.Event().wait()

        first, second = asyncio.create_task(take()), asyncio.create_task(take())
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        first.cancel()
        await asyncio.sleep(0)  # the turn is the second's, who doesn't know yet
        second.cancel()
        await asyncio.gather(first, second, return_exceptions=True)
        async with asyncio.timeout(PATIENCE), turns.of("shop"):
            pass

    run(check())
