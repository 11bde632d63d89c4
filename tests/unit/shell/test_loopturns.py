"""LoopTurns at the event loop."""

from __future__ import annotations

import asyncio

from tests.controlplane.polling import PATIENCE
from twinhull.shell.loopturns import LoopTurns


async def _passes(turns: LoopTurns, log: list[str], namespace: str, count: int) -> None:
    for _ in range(count):
        await turns.take(namespace)
        log.append(namespace)


async def _others(log: list[str]) -> None:
    """Something else that has to do in each round."""
    while True:
        await asyncio.sleep(0)
        log.append("-")


def test_all_else_goes_on_between_two_turns() -> None:
    async def run() -> list[str]:
        turns, log = LoopTurns(), list[str]()
        other = asyncio.create_task(_others(log))
        await asyncio.gather(*(_passes(turns, log, "flood", 20) for _ in range(5)))
        other.cancel()
        return log

    log = asyncio.run(run())
    assert log.count("flood") == 100
    assert "floodflood" not in "".join(log[1:])


def test_a_namespace_waits_for_one_turn_of_a_flood_and_not_for_all() -> None:
    async def run() -> list[str]:
        turns, log = LoopTurns(), list[str]()
        flood = [asyncio.create_task(_passes(turns, log, "flood", 10)) for _ in range(8)]
        await asyncio.sleep(0)
        await _passes(turns, log, "shop", 5)
        await asyncio.gather(*flood)
        return log

    log = asyncio.run(run())
    assert log[: log.index("shop") + 9].count("flood") <= 7
    assert len(log) == 85


def test_who_is_cancelled_leaves_the_turn_to_others() -> None:
    async def run() -> list[str]:
        turns, log = LoopTurns(), list[str]()
        names = ("first", "gone", "farm")
        waiting = [asyncio.create_task(_passes(turns, log, name, 1)) for name in names]
        await asyncio.sleep(0)
        waiting[1].cancel()
        await asyncio.wait(waiting)
        await _passes(turns, log, "shop", 1)
        return log

    assert asyncio.run(asyncio.wait_for(run(), PATIENCE)) == ["first", "farm", "shop"]
