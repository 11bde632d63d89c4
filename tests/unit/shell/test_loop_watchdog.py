"""The pulse: stuck is who doesn't get round while others do."""

from __future__ import annotations

import asyncio

from tests.controlplane.polling import PATIENCE
from twinhull.shell.loop_watchdog import LoopWatchdog
from twinhull.shell.loopthread import LoopThread


def _looked(pulse: LoopWatchdog, times: int) -> bool:
    for _ in range(times):
        pulse.look()
    return pulse.is_stuck


async def _beaten(pulse: LoopWatchdog) -> None:
    beating = asyncio.create_task(pulse.beat())
    await asyncio.sleep(0)
    beating.cancel()


def test_a_loop_is_stuck_that_has_not_got_round_for_a_minute_of_looks() -> None:
    pulse = LoopWatchdog()
    assert not _looked(pulse, 59)
    asyncio.run(_beaten(pulse))
    assert not _looked(pulse, 60), "the first look saw that it got round"
    assert _looked(pulse, 1)
    asyncio.run(_beaten(pulse))
    assert not _looked(pulse, 1), "it goes on"


def test_it_is_looked_at_from_another_thread_while_the_loop_is_held() -> None:
    """A pass that holds the loop in pure Python lets other threads run."""

    async def hold() -> bool:
        pulse, thread = LoopWatchdog(), LoopThread("test")
        thread.start()
        seen: list[bool] = []

        async def look() -> None:
            for _ in range(61):
                pulse.look()
            seen.append(pulse.is_stuck)

        looking = asyncio.create_task(thread.run(look()))
        await asyncio.sleep(0)
        while not seen:
            pass
        await looking
        await thread.stop()
        return seen[0]

    assert asyncio.run(asyncio.wait_for(hold(), PATIENCE))
