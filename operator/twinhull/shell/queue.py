"""The queue: keys of Workloads to look at, each once however often it is asked for, one worker a key."""

from __future__ import annotations

import asyncio
from collections import deque
from datetime import timedelta

from prometheus_client import CollectorRegistry

from twinhull.shell.metrics import Workqueue
from twinhull.shell.store import Key

#: The wait after the first failure of a key; each further one doubles it.
_FIRST_RETRY = timedelta(milliseconds=100)
_LONGEST_RETRY = timedelta(minutes=5)


class Queue:
    """As client-go's workqueue: a key asked for while it is worked on comes again after.

    A key has one timer; setting another replaces it.
    """

    def __init__(self, metrics: Workqueue | None = None) -> None:
        self._metrics = metrics or Workqueue(CollectorRegistry())
        self._waiting: deque[Key] = deque()
        self._wanted: set[Key] = set()
        self._working: set[Key] = set()
        self._timers: dict[Key, asyncio.TimerHandle] = {}
        self._failures: dict[Key, int] = {}
        self._filled = asyncio.Event()

    def __len__(self) -> int:
        return len(self._waiting)

    def open(self) -> None:
        """Workers begin. What was asked for before waits from now on."""
        self._metrics.begin()

    def add(self, key: Key) -> None:
        """Ask for a key now."""
        if key in self._wanted:
            return
        self._wanted.add(key)
        self._metrics.added(key)
        if key not in self._working:
            self._push(key)

    def later(self, key: Key, after: timedelta | None) -> None:
        """Ask for a key after a while, or (None) no more unless something happens."""
        if timer := self._timers.pop(key, None):
            timer.cancel()
        if after is not None:
            loop = asyncio.get_running_loop()
            self._timers[key] = loop.call_later(max(0.0, after.total_seconds()), self.add, key)

    def retry(self, key: Key) -> timedelta:
        """Ask for a key again after a failure, later each time. How much later."""
        failures = self._failures.get(key, 0)
        self._failures[key] = failures + 1
        self._metrics.retried()
        delay: timedelta = min(_LONGEST_RETRY, _FIRST_RETRY * 2 ** min(failures, 20))
        self.later(key, delay)
        return delay

    def succeeded(self, key: Key) -> None:
        """Forget a key's failures."""
        self._failures.pop(key, None)

    async def get(self) -> Key:
        """The next key, for one worker alone, until `done`."""
        while not self._waiting:
            self._filled.clear()
            await self._filled.wait()
        key = self._waiting.popleft()
        self._wanted.discard(key)
        self._working.add(key)
        self._metrics.got(key)
        return key

    def done(self, key: Key) -> None:
        """Give a key back."""
        self._working.discard(key)
        self._metrics.done(key)
        if key in self._wanted:
            self._push(key)

    def close(self) -> None:
        """Let no timer fire any more."""
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()

    def _push(self, key: Key) -> None:
        self._waiting.append(key)
        self._filled.set()
