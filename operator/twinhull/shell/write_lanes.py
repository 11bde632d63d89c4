"""The lanes of writes: they limit how many writes of a kind are under way at a time.

A webhook that hangs holds each write of its kind for up to 30 seconds (admissionregistration.k8s.io/v1,
timeoutSeconds). Without a limit the writes of that kind would soon hold all workers, and Pods would wait for
machines.
"""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field

from twinhull.shell.errors import Busy
from twinhull.shell.roundrobin import RoundRobin
from twinhull.shell.store import Key

#: Which share of the workers may write a kind at a time, in sixteenths. A namespace has half of the workers
#: at most. If the writes of two kinds hang, its Pods still have workers: 2 of 8 if there are 16 in all. If
#: three kinds hang, its Pods may wait until these writes time out and their circuits open
#: (shell/circuit_breakers).
_SHARE, _SHARE_OF_PODS = 3, 8
#: For how many seconds a write waits for its turn while others are quick.
_WAIT = 0.05
#: For how many seconds a write may be under way and still count as quick.
_SLOW = 1.0


@dataclass
class _Lane:
    """The writes of one kind, in all namespaces."""

    #: When each write that is under way began, by the number of its place, in seconds of the monotonic clock.
    under_way: dict[int, float] = field(default_factory=dict)
    #: The Workloads that wait for a place, by namespace.
    waiting: RoundRobin[Key] = field(default_factory=RoundRobin)
    #: The same Workloads, to tell whether one waits already.
    queued: set[Key] = field(default_factory=set)
    #: Set whenever a write ends.
    moved: asyncio.Event = field(default_factory=asyncio.Event)

    def wait(self, workload: Key) -> None:
        """Put a Workload at the end of its namespace's line, unless it waits already."""
        if workload not in self.queued:
            self.queued.add(workload)
            self.waiting.add(workload[0], workload)

    def take(self) -> Key | None:
        """Take the Workload whose turn it is out of its line. None if nobody waits."""
        workload = self.waiting.take()
        if workload is not None:
            self.queued.discard(workload)
        return workload


class WriteLanes:
    """One lane for each kind. `wake` is called with Workloads that waited for a place and may try again."""

    def __init__(self, workers: int, wake: Callable[[Key], None]) -> None:
        self._workers, self._wake = workers, wake
        self._by_kind: defaultdict[str, _Lane] = defaultdict(_Lane)
        self._count = 0

    def places(self, kind: str) -> int:
        """How many writes of a kind may be under way at a time."""
        return max(1, self._workers * (_SHARE_OF_PODS if kind == "Pod" else _SHARE) // 16)

    async def enter(self, kind: str, workload: Key) -> int:
        """Take a place among the writes of a kind, and return its number. A write waits for a place for a
        moment.

        Raises Busy if all places are taken and their writes are slow. `wake` is called with the Workload
        later.
        """
        lane = self._by_kind[kind]
        until = time.monotonic() + _WAIT
        while len(lane.under_way) >= self.places(kind):
            left = until - time.monotonic()
            if left <= 0 or time.monotonic() - min(lane.under_way.values()) > _SLOW:
                lane.wait(workload)
                raise Busy(f"enough writes of {kind} objects are under way")
            lane.moved.clear()
            try:
                await asyncio.wait_for(lane.moved.wait(), left)
            except TimeoutError:
                continue
        self._count += 1
        lane.under_way[self._count] = time.monotonic()
        return self._count

    def leave(self, kind: str, number: int) -> None:
        """Give a place back, and wake as many waiting Workloads as there are free places."""
        lane = self._by_kind[kind]
        del lane.under_way[number]
        lane.moved.set()
        # A woken Workload may have nothing left to write, and then wakes nobody. So the last write wakes all.
        free = self.places(kind) - len(lane.under_way) if lane.under_way else len(lane.waiting)
        for _ in range(min(free, len(lane.waiting))):
            if workload := lane.take():
                self._wake(workload)

    def wake_namespace(self, kind: str, namespace: str) -> None:
        """Wake all Workloads of a namespace that wait for a place, and take them out of the line."""
        lane = self._by_kind[kind]
        for workload in lane.waiting.leave(namespace):
            lane.queued.discard(workload)
            self._wake(workload)
