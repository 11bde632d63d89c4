"""The queue, on a real event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from tests.controlplane.polling import PATIENCE
from twinhull.shell import queue as module
from twinhull.shell.loopshares import LoopShares
from twinhull.shell.queue import Queue
from twinhull.shell.store import Key

A, B = ("shop", "a"), ("shop", "b")
FLOOD = [("flood", str(number)) for number in range(1000)]
SOON = timedelta(milliseconds=1)


def on_a_loop(test: Callable[[], Coroutine[Any, Any, None]]) -> Callable[[], None]:
    def run() -> None:
        asyncio.run(asyncio.wait_for(test(), PATIENCE))

    run.__name__ = test.__name__
    return run


@pytest.fixture
def still(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the queue counts with stands still: credit comes back, and shares are made up for, while a busy
    machine keeps a test waiting.
    """
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: 0.0))
    monkeypatch.setattr(module, "LoopShares", lambda: LoopShares(lambda: 0.0))


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
async def test_a_queue_that_is_not_open_keeps_nothing_and_begins_with_what_it_is_given() -> None:
    queue = Queue(is_open=False)
    queue.add(A)
    assert len(queue) == 0
    queue.open([B])
    queue.add(A)
    assert [await queue.get(), await queue.get()] == [B, A]


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


@on_a_loop
async def test_namespaces_take_turns() -> None:
    queue = Queue()
    for key in (*FLOOD, A, ("farm", "cow"), B):
        queue.add(key)
    order = []
    for _ in range(7):
        order.append(await queue.get())
        queue.done(order[-1])
    assert order == [FLOOD[0], A, ("farm", "cow"), FLOOD[1], B, FLOOD[2], FLOOD[3]]


@on_a_loop
async def test_flood_does_not_have_all_workers() -> None:
    """Nor have several: there is always one for a namespace that has none."""
    queue = Queue(workers=16)
    floods = [(f"flood-{one}", str(number)) for one in range(15) for number in range(100)]
    for key in floods:
        queue.add(key)
    for _ in range(15):
        await queue.get()
    await nothing_comes(queue.get())
    queue.add(A)
    assert await queue.get() == A


@on_a_loop
async def test_one_namespace_has_half_of_the_workers_and_another_when_one_is_done() -> None:
    queue = Queue(workers=16)
    for key in FLOOD:
        queue.add(key)
    first = [await queue.get() for _ in range(8)]
    waiting = asyncio.create_task(queue.get())
    await nothing_comes(asyncio.shield(waiting))
    queue.done(first[0])
    assert await waiting == FLOOD[8]


@on_a_loop
async def test_single_worker_serves_everybody() -> None:
    queue = Queue(workers=1)
    for key in (A, FLOOD[0], B):
        queue.add(key)
    for key in (A, FLOOD[0], B):
        assert await queue.get() == key
        queue.done(key)


async def passed(queue: Queue, key: Key, cost: float) -> float:
    """For how long a key rests after a pass of that cost."""
    queue.add(key)
    loop, got = asyncio.get_running_loop(), await queue.get()
    now = loop.time()
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(loop, "time", lambda: now)  # or it is another by the time that is looked at
        queue.done(got, cost)
    return queue._resting[key].when() - now if key in queue._resting else 0.0  # noqa: SLF001


@pytest.mark.usefixtures("still")
@on_a_loop
async def test_key_rests_whose_passes_cost_much_in_sum() -> None:
    queue = Queue()
    assert await passed(queue, A, 0.3) == 0, "one long pass may be the garbage collector's"
    assert 1 < await passed(queue, A, 0.3) <= 2, "20 times the 0.1 s that are beyond its credit"
    assert await passed(queue, B, 0.3) == 0, "others have credit of their own"
    queue.add(A)
    assert len(queue) == 0
    queue.close()
    await nothing_comes(queue.get())


@pytest.mark.usefixtures("still")
@on_a_loop
async def test_key_rests_for_a_minute_at_most() -> None:
    queue = Queue()
    assert 59 < await passed(queue, A, 30.0) <= 60
    queue.close()


@pytest.mark.usefixtures("still")
@on_a_loop
async def test_key_comes_when_it_has_rested() -> None:
    queue = Queue()
    assert 0 < await passed(queue, A, 0.501) < 0.1
    queue.add(A)
    queue.add(B)
    assert await queue.get() == B, "others don't wait for it"
    assert await queue.get() == A


def test_cheap_passes_never_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr("twinhull.shell.queue.time.monotonic", lambda: now)

    async def work() -> None:
        nonlocal now
        queue = Queue()
        for _ in range(1000):
            assert await passed(queue, A, 0.005) == 0
            now += 0.2

    asyncio.run(work())


@pytest.mark.slow
@pytest.mark.usefixtures("still")
@on_a_loop
async def test_credit_is_not_remembered_of_all_keys_that_there_ever_were() -> None:
    queue = Queue()
    for number in range(11_000):
        await passed(queue, ("flood", str(number)), 0.1)
    assert len(queue._credits) == 10_000  # noqa: SLF001


@pytest.mark.usefixtures("still")
@on_a_loop
async def test_who_had_much_of_the_loop_comes_after_who_had_little() -> None:
    queue = Queue(workers=1)
    for key in (*FLOOD[:2], A, B):
        queue.add(key)
    queue.charge("flood", 0.5)
    order = []
    for _ in range(4):
        order.append(await queue.get())
        queue.done(order[-1])
    assert order == [A, B, *FLOOD[:2]]


@pytest.mark.usefixtures("still")
@on_a_loop
async def test_they_have_a_quarter_of_the_workers_together_while_others_work() -> None:
    """However many they are, and however cheap each pass is by itself."""
    queue = Queue(workers=16)
    for namespace in range(5):
        for number in range(16):
            queue.add((f"flood-{namespace}", str(number)))
    for namespace in range(5):
        for _ in range(6):
            queue.done((await queue.get()), cost=0.019)
            queue.charge(f"flood-{namespace}", 0.019)
    queue.add(A)
    assert await queue.get() == A
    first, *_ = [await queue.get() for _ in range(4)]
    assert first[0].startswith("flood")
    await nothing_comes(queue.get())
    queue.done(first)
    second = await queue.get()
    queue.done(A)
    others = [await queue.get() for _ in range(3)]
    assert all(key[0].startswith("flood") for key in (second, *others)), "alone they have all again"
