"""The loop in a thread of its own."""

from __future__ import annotations

import asyncio
import threading

import pytest

from tests.controlplane.polling import PATIENCE
from twinhull.shell.loopthread import LoopThread


def test_what_runs_there_is_in_another_thread_and_its_errors_come_back() -> None:
    async def where() -> str:
        return threading.current_thread().name

    async def fail() -> None:
        raise LookupError("nothing there")

    async def use() -> None:
        thread = LoopThread("beside")
        thread.start()
        assert await thread.run(where()) == "beside"
        with pytest.raises(LookupError, match="nothing there"):
            await thread.run(fail())
        await thread.stop()

    asyncio.run(use())


def test_it_cancels_what_it_runs_when_it_ends_or_when_nobody_waits_any_more() -> None:
    cancelled: list[str] = []

    async def wait(name: str) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.append(name)

    async def use() -> None:
        thread = LoopThread("beside")
        thread.start()
        first, second = (asyncio.create_task(thread.run(wait(name))) for name in ("first", "second"))
        await asyncio.sleep(0)
        first.cancel()
        await asyncio.wait([first])
        await thread.stop()
        assert not thread.is_running
        await asyncio.wait([second])
        await thread.stop()

    asyncio.run(asyncio.wait_for(use(), PATIENCE))
    assert cancelled == ["first", "second"]


def test_one_that_was_never_started_is_stopped() -> None:
    asyncio.run(LoopThread("beside").stop())
