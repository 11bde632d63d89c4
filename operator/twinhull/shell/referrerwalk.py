"""The referrer walk: asks the queue for the Workloads that may refer to an object, or for all of a namespace,
some at a time.

A namespace may have thousands of Workloads that refer to one claim, which its tenant makes and deletes; or
whose machines get one of its instancetypes by a policy.
"""

from __future__ import annotations

import asyncio
import time

from twinhull.shell.kinds import WORKLOAD, Kind
from twinhull.shell.queue import Queue
from twinhull.shell.roundrobin import RoundRobin
from twinhull.shell.store import Key, Store

#: How many Workloads are asked for in a row, which takes less than a millisecond.
_AT_ONCE = 256

#: An object's kind and key; or of all Workloads of a namespace their kind, and the namespace with no name.
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
        self._ask((kind, key))

    def ask_namespace(self, namespace: str) -> None:
        """Something is new, gone or another that any Workload of a namespace may get from a policy."""
        self._ask((WORKLOAD, (namespace, "")))

    def _ask(self, referred: _Referred) -> None:
        if referred in self._left:
            if self._left[referred] is not None:  # those that were asked for already know nothing of this
                self._again.add(referred)
            return
        candidates = self._candidates(referred)
        if len(candidates) <= _AT_ONCE:
            self._add(referred[1][0], candidates)
        else:
            self._begin(referred)

    def _candidates(self, referred: _Referred) -> list[Key]:
        kind, key = referred
        return self._store.keys_within(kind, key[0]) if kind is WORKLOAD else self._store.may_refer(kind, key)

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
        candidates = self._candidates(referred) if left is None else left
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
