"""The queue, on a real event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from datetime import timedelta
from typing import Any

import pytest

from twinhull.shell.queue import Queue

A, B = ("shop", "a"), ("shop", "b")
SOON = timedelta(milliseconds=1)


def on_a_loop(test: Callable[[], Coroutine[Any, Any, None]]) -> Callable[[], None]:
    def run() -> None:
        asyncio.run(asyncio.wait_for(test(), 5))

    run.__name__ = test.__name__
    return run


async def nothing_comes(work: Awaitable[object]) -> None:
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(work, 0.02)


@on_a_loop
async def test_keys_come_in_order_and_each_once() -> None:
    queue = Queue()
    for key in (A, B, A):
        queue.add(key)
    assert len(queue) == 2
    assert [await queue.get(), await queue.get()] == [A, B]
    await nothing_comes(queue.get())


@on_a_loop
async def test_key_is_worked_on_by_one_at_a_time() -> None:
    queue = Queue()
    queue.add(A)
    await queue.get()
    queue.add(A)
    queue.add(A)
    await nothing_comes(queue.get())
    queue.done(A)
    assert await queue.get() == A
    queue.done(A)
    await nothing_comes(queue.get())


@on_a_loop
async def test_worker_waits_for_a_key() -> None:
    queue = Queue()
    waiting = asyncio.create_task(queue.get())
    await asyncio.sleep(0)
    queue.add(A)
    assert await waiting == A


@on_a_loop
async def test_two_workers_share_two_keys() -> None:
    queue = Queue()
    workers = [asyncio.create_task(queue.get()) for _ in range(2)]
    await asyncio.sleep(0)
    queue.add(A)
    queue.add(B)
    assert sorted(await asyncio.gather(*workers)) == [A, B]


@on_a_loop
async def test_key_comes_after_a_while() -> None:
    queue = Queue()
    queue.later(A, SOON)
    assert len(queue) == 0
    assert await queue.get() == A


@on_a_loop
async def test_key_has_one_timer() -> None:
    queue = Queue()
    queue.later(A, SOON)
    queue.later(A, timedelta(hours=1))
    await nothing_comes(queue.get())
    queue.later(A, None)
    queue.later(A, -SOON)
    assert await queue.get() == A


@on_a_loop
async def test_timer_can_be_taken_back() -> None:
    queue = Queue()
    queue.later(A, SOON)
    queue.later(A, None)
    await nothing_comes(queue.get())


@on_a_loop
async def test_closed_queue_lets_no_timer_fire() -> None:
    queue = Queue()
    queue.later(A, SOON)
    queue.close()
    await nothing_comes(queue.get())


@on_a_loop
async def test_failures_are_tried_again_later_each_time() -> None:
    queue = Queue()
    delays = [queue.retry(A).total_seconds() for _ in range(14)]
    assert delays[:4] == [0.1, 0.2, 0.4, 0.8]
    assert delays[-1] == 300
    assert queue.retry(B).total_seconds() == 0.1, "another key's failures don't count"
    queue.succeeded(A)
    assert queue.retry(A).total_seconds() == 0.1
    queue.close()


@on_a_loop
async def test_event_does_not_wait_for_the_back_off() -> None:
    queue = Queue()
    queue.retry(A)
    queue.add(A)
    assert await queue.get() == A
    queue.close()
