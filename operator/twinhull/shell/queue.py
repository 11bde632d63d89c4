"""The queue: the keys of objects to reconcile. Each key is in it once, and one worker at a time has it.

It is fair to namespaces: they take turns, none has all workers, and those that used much of the event loop
come after those that used little. A key whose passes take long rests.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter, OrderedDict
from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from datetime import timedelta

from prometheus_client import CollectorRegistry

from twinhull.shell.loopshares import LoopShares
from twinhull.shell.metrics import WorkqueueMetrics
from twinhull.shell.roundrobin import RoundRobin
from twinhull.shell.store import Key

#: The wait after the first failure of a key. Each further failure in a row doubles it.
_FIRST_RETRY = timedelta(milliseconds=100)
_LONGEST_RETRY = timedelta(minutes=5)
#: How many seconds of the event loop a key's passes may use before it rests. A single long pass costs
#: nothing: the garbage collector may have made it long.
_CREDIT = 0.5
#: How many times as long as its passes took a key rests then.
_RESTS = 20.0
#: The most seconds that a key rests.
_LONGEST_REST = 60.0
#: How many keys' credits are remembered.
_REMEMBERED = 10_000


class Queue:
    """A queue like client-go's workqueue: a key that is added while a worker has it comes again afterwards.

    Namespaces with waiting keys take turns. A namespace may have another worker while it has fewer than are
    idle. So a namespace alone has half of the workers, and there is always one for the next namespace.
    Namespaces that used much of the event loop come after the others, and together have a quarter of the
    workers while one of the others works.

    A key has one timer; setting another replaces it. The keys of a held namespace wait. While the queue isn't
    open, nobody takes keys from it, and it keeps none: otherwise somebody who creates and deletes objects
    could fill the memory.
    """

    def __init__(
        self,
        metrics: WorkqueueMetrics | None = None,
        workers: int = 16,
        longest_retry: timedelta = _LONGEST_RETRY,
        *,
        is_open: bool = True,
    ) -> None:
        self._metrics = metrics or WorkqueueMetrics(CollectorRegistry())
        self._longest_retry = longest_retry
        self._workers = workers
        self._is_open = is_open
        self._waiting = RoundRobin[Key]()
        self._wanted: set[Key] = set()
        self._working: set[Key] = set()
        self._busy: Counter[str] = Counter()  # workers, by namespace
        self._shares = LoopShares()
        self._resting: dict[Key, asyncio.TimerHandle] = {}
        self._credits: OrderedDict[Key, tuple[float, float]] = OrderedDict()  # the credit, and since when
        self._timers: dict[Key, asyncio.TimerHandle] = {}
        self._failures: dict[Key, int] = {}
        self._held: AbstractSet[str] = frozenset()
        self._filled = asyncio.Event()

    def __len__(self) -> int:
        return len(self._waiting) - sum(map(self._waiting.waiting, self._held))

    def open(self, keys: Iterable[Key]) -> None:
        """Open the queue: add these keys, and keep those that are added from now on."""
        self._is_open = True
        for key in keys:
            self.add(key)

    def hold(self, namespaces: AbstractSet[str]) -> None:
        """Hold these namespaces, and no others: their keys wait."""
        self._held = frozenset(namespaces)
        self._metrics.hold(self._held)
        self._filled.set()

    def add(self, key: Key) -> None:
        """Ask for a key to be reconciled now."""
        if not self._is_open or key in self._wanted:
            return
        self._wanted.add(key)
        if key not in self._working and key not in self._resting:
            self._push(key)

    def later(self, key: Key, after: timedelta | None) -> None:
        """Add a key after a while. With None, cancel that."""
        if timer := self._timers.pop(key, None):
            timer.cancel()
        if after is not None:
            loop = asyncio.get_running_loop()
            self._timers[key] = loop.call_later(max(0.0, after.total_seconds()), self.add, key)

    def retry(self, key: Key) -> timedelta:
        """Add a key again after a failure, each time after a longer wait. Returns the wait."""
        failures = self._failures.get(key, 0)
        self._failures[key] = failures + 1
        self._metrics.retried()
        delay: timedelta = min(self._longest_retry, _FIRST_RETRY * 2 ** min(failures, 20))
        self.later(key, delay)
        return delay

    def succeeded(self, key: Key) -> None:
        """Forget a key's failures."""
        self._failures.pop(key, None)

    async def get(self) -> Key:
        """The next key. One worker has it until `done`."""
        while (key := self._next()) is None:
            self._filled.clear()
            await self._filled.wait()
        self._wanted.discard(key)
        self._working.add(key)
        self._busy[key[0]] += 1
        self._metrics.got(key)
        return key

    def done(self, key: Key, cost: float = 0.0) -> None:
        """Give a key back. `cost` is how many seconds of the event loop its pass used."""
        self._working.discard(key)
        self._busy[key[0]] -= 1
        if not self._busy[key[0]]:
            del self._busy[key[0]]
        self._metrics.done(key)
        self.charge(key[0], cost)
        rest = self._rest(key, cost) if cost else 0.0
        if rest > 0:
            self._resting[key] = asyncio.get_running_loop().call_later(rest, self._rested, key)
        elif key in self._wanted:
            self._push(key)
        self._filled.set()  # a namespace may have another worker

    def charge(self, namespace: str, seconds: float) -> None:
        """Note that a namespace has used the event loop for so many seconds."""
        self._shares.charge(namespace, seconds)

    def close(self) -> None:
        """Cancel all timers."""
        for timer in (*self._timers.values(), *self._resting.values()):
            timer.cancel()
        self._timers.clear()
        self._resting.clear()

    def _rest(self, key: Key, cost: float) -> float:
        """Take the cost of a pass from the key's credit, which is restored as time passes. Returns how many
        seconds the key rests.
        """
        now = time.monotonic()
        left, since = self._credits.pop(key, (_CREDIT, now))
        left = min(_CREDIT, left + (now - since) / _RESTS) - cost
        rest = min(_LONGEST_REST, max(0.0, -left * _RESTS))
        self._credits[key] = max(left, -_LONGEST_REST / _RESTS), now
        if len(self._credits) > _REMEMBERED:
            self._credits.popitem(last=False)
        return rest

    def _next(self) -> Key | None:
        """The next key that may have a worker. Namespaces that used little of the event loop come first."""
        key = self._waiting.take(
            lambda name: not self._shares.is_heavy(name) and self._may_have_another(name)
        )
        if key is not None or not self._heavy_may_have_another():
            return key
        return self._waiting.take(self._may_have_another)

    def _heavy_may_have_another(self) -> bool:
        """Whether the namespaces that used much of the event loop may have another worker: they have a
        quarter of the workers together while others work.
        """
        heavy = [name for name in self._busy if self._shares.is_heavy(name)]
        working = sum(self._busy[name] for name in heavy)
        return len(heavy) == len(self._busy) or working < max(1, self._workers // 4)

    def _may_have_another(self, namespace: str) -> bool:
        """Whether a namespace has fewer workers than are idle, and isn't held."""
        return namespace not in self._held and self._busy[namespace] < self._workers - len(self._working)

    def _rested(self, key: Key) -> None:
        del self._resting[key]
        if key in self._wanted:
            self._push(key)

    def _push(self, key: Key) -> None:
        self._waiting.add(key[0], key)
        self._metrics.added(key)
        self._filled.set()
