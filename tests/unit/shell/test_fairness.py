"""How many looks at a flood's Workloads a neighbour's waits for, whatever the time that each takes."""

from __future__ import annotations

import asyncio

from tests.controlplane.polling import PATIENCE
from twinhull.api.base import Raw
from twinhull.core.case import Case
from twinhull.core.unreadable_workload import UnreadableWorkload
from twinhull.shell import kinds
from twinhull.shell.loopturns import LoopTurns
from twinhull.shell.queue import Queue
from twinhull.shell.store import Key

from .simulation import KEY, Simulation

_WORKERS = 16
_FLOOD = [("flood", str(number)) for number in range(2000)]


async def _looks(world: Simulation) -> list[Key]:
    """Which Workloads are looked at, in order, once the flood has begun: each needs nothing. A neighbour's
    Workload comes in the middle of it, by an event, and needs its Service, its Pod and its status.
    """
    queue, looks, all_looked_at = Queue(workers=_WORKERS), list[Key](), asyncio.Event()
    seen: set[Key] = set()
    observe = world.controller.observe

    def look(key: Key) -> Case | UnreadableWorkload | None:
        looks.append(key)
        seen.add(key)
        if len(looks) == 500:
            asyncio.get_running_loop().call_soon(queue.add, KEY)
        if len(seen) == len(_FLOOD) + 1:
            all_looked_at.set()
        return observe(key) if key == KEY else None

    create = world.cluster.create

    async def answered(kind: kinds.Kind, namespace: str, obj: Raw) -> Raw:
        await asyncio.sleep(0.01)  # the API server's answer
        return await create(kind, namespace, obj)

    world.cluster.create = answered  # type: ignore[method-assign]
    world.controller.observe = look  # type: ignore[method-assign]
    reconciler = world.make_reconciler(world.controller, queue, LoopTurns())
    for key in _FLOOD:
        queue.add(key)
    workers = [asyncio.create_task(reconciler.work()) for _ in range(_WORKERS)]
    await all_looked_at.wait()
    for worker in workers:
        worker.cancel()
    queue.close()
    return looks


def test_a_flood_is_not_waited_for() -> None:
    looks = asyncio.run(asyncio.wait_for(_looks(Simulation({})), PATIENCE))
    assert looks.index(KEY) - 500 <= 2 * _WORKERS
