"""The referrer walk: asks the queue for the Workloads that may refer to an object, some at a time.

A namespace may have thousands of Workloads that refer to one claim, which its tenant makes and deletes.
"""

from __future__ import annotations

import asyncio
import time

from twinhull.shell.kinds import Kind
from twinhull.shell.queue import Queue
from twinhull.shell.roundrobin import RoundRobin
from twinhull.shell.store import Key, Store

#: How many Workloads are asked for in a row, which takes less than a millisecond.
_AT_ONCE = 256

_Referred = tuple[Kind, Key]


class ReferrerWalk:
    """Few Workloads are asked for at once, and many by `run`: namespaces take turns, after so many each, and
    the time is charged to the object's namespace. No Workload is unpacked to see whether it really refers to
    the object: that costs as much as its tenant likes, and nearly all that may do.
    """

    def __init__(self, store: Store, queue: Queue) -> None:
        self._store = store
        self._queue = queue
        self._waiting = RoundRobin[_Referred]()
        #: What is left to ask for, of each object in line; None if its walk hasn't begun.
        self._left: dict[_Referred, list[Key] | None] = {}
        self._again: set[_Referred] = set()
        self._filled = asyncio.Event()

    def ask(self, kind: Kind, key: Key) -> None:
        """An object is new, gone or another."""
        candidates = self._store.may_refer(kind, key)
        if len(candidates) <= _AT_ONCE:
            self._add(key[0], candidates)
        elif (kind, key) not in self._left:
            self._begin((kind, key))
        elif self._left[kind, key] is not None:  # those that were asked for already know nothing of this
            self._again.add((kind, key))

    async def run(self) -> None:
        """Walk until cancelled."""
        while True:
            while (referred := self._waiting.take()) is None:
                self._filled.clear()
                await self._filled.wait()
            self._step(referred)
            await asyncio.sleep(0)

    def _begin(self, referred: _Referred) -> None:
        self._left[referred] = None
        self._waiting.add(referred[1][0], referred)
        self._filled.set()

    def _step(self, referred: _Referred) -> None:
        left = self._left[referred]
        candidates = self._store.may_refer(*referred) if left is None else left
        self._add(referred[1][0], candidates[:_AT_ONCE])
        if remaining := candidates[_AT_ONCE:]:
            self._left[referred] = remaining
            self._waiting.add(referred[1][0], referred)
            return
        del self._left[referred]
        if referred in self._again:
            self._again.discard(referred)
            self._begin(referred)

    def _add(self, namespace: str, candidates: list[Key]) -> None:
        began = time.thread_time()
        for candidate in candidates:
            self._queue.add(candidate)
        self._queue.charge(namespace, time.thread_time() - began)
