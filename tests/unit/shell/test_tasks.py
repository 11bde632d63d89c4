"""Tasks that are to run as long as the process: with the first that ends otherwise, the process ends."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine

import pytest

from twinhull.shell.tasks import Cancelled, Tasks


async def wait_for_what_is_cancelled() -> None:
    waiter = asyncio.get_running_loop().create_future()
    waiter.cancel()
    await waiter


async def fail() -> None:
    raise ValueError("x")


@pytest.mark.parametrize(
    ("work", "failure"),
    [(wait_for_what_is_cancelled, Cancelled), (fail, ValueError)],
    ids=["cancelled", "failed"],
)
def test_a_task_that_does_not_go_on_ends_the_process(
    work: Callable[[], Coroutine[None, None, None]], failure: type[Exception]
) -> None:
    async def check() -> None:
        ended = asyncio.Event()
        tasks = Tasks(ended)
        tasks.spawn(work())
        await asyncio.wait_for(ended.wait(), 5)
        assert isinstance(tasks.failure, failure)

    asyncio.run(check())


def test_tasks_that_are_cancelled_at_the_end_have_not_failed() -> None:
    async def check() -> None:
        ended = asyncio.Event()
        tasks = Tasks(ended)
        tasks.spawn(asyncio.sleep(60))
        await asyncio.sleep(0)
        ended.set()
        await tasks.cancel()
        assert tasks.failure is None

    asyncio.run(check())
