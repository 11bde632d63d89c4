"""What a coroutine costs the event loop."""

from __future__ import annotations

import asyncio

import pytest

from twinhull.shell.looptime import LoopTime


class _Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_steps_are_counted_and_waits_are_not() -> None:
    clock = _Clock()

    async def work(waits: asyncio.Future[None]) -> str:
        clock.now += 1
        await waits
        clock.now += 2
        await asyncio.sleep(0)
        clock.now += 3
        return "done"

    async def run() -> tuple[str, float]:
        waits = asyncio.get_running_loop().create_future()
        measured = LoopTime(work(waits), clock)

        async def attend() -> str:
            return await measured

        task = asyncio.create_task(attend())
        await asyncio.sleep(0)
        clock.now += 100
        waits.set_result(None)
        return await task, measured.seconds

    assert asyncio.run(run()) == ("done", 6)


@pytest.mark.parametrize("error", [LookupError, asyncio.CancelledError])
def test_errors_pass_through_in_both_directions(error: type[BaseException]) -> None:
    async def fail() -> None:
        raise error

    async def suffer() -> str:
        try:
            await fail()
        except error:
            return "seen"
        raise AssertionError

    async def run() -> None:
        assert await LoopTime(suffer()) == "seen"
        with pytest.raises(error):
            await LoopTime(fail())

    asyncio.run(run())


def test_a_cancellation_reaches_the_coroutine_and_what_it_waits_for() -> None:
    ended: list[str] = []

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("work")

    async def attend() -> None:
        await LoopTime(work())

    async def run() -> None:
        task = asyncio.create_task(attend())
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(run())
    assert ended == ["work"]
