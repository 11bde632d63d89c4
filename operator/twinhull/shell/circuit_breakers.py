"""The circuits: how many writes of a kind are under way at a time, and which kinds' writes time out.

A webhook that hangs holds each write of its kind for up to 30 seconds (admissionregistration.k8s.io/v1,
timeoutSeconds). Without a limit the writes of that kind would soon hold all workers, and Pods would wait for
machines. Once one has timed out, one write at a time asks whether that is over, for all of its namespace: a
webhook may concern one namespace alone, and what it does there says nothing of others.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict, defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from twinhull.core.observed import LONGEST_WAIT
from twinhull.shell.errors import Busy, CircuitOpen, NotLeading, TimedOut, Unreachable
from twinhull.shell.roundrobin import RoundRobin
from twinhull.shell.store import Key

#: Which share of the workers may write a kind at a time, in sixteenths. Three kinds other than Pods together
#: leave workers for Pods even where all are of one namespace, which has half of the workers at most.
_SHARE, _SHARE_OF_PODS = 3, 8
#: For how many seconds a write waits for its turn while others are quick.
_WAIT = 0.05
#: For how many seconds a write may be under way and still count as quick.
_SLOW = 1.0
#: How long after the first write that timed out the next one asks whether that is over.
_FIRST_PROBE = timedelta(seconds=2)
#: How long, at most, lies between two that ask.
_LONGEST_PROBE = timedelta(minutes=1)
#: How many actions of a Workload are woken with it. Its others are tried again when their time comes.
_MOST_ACTIONS = 8


@dataclass(frozen=True, slots=True)
class Write:
    """A write of a Workload's."""

    #: The Workload.
    workload: Key
    #: The name of the kind that is written.
    kind: str
    #: The action, as refusals name it.
    action: str
    #: Whether it deletes: other webhooks are asked then.
    deletes: bool


@dataclass
class _Lane:
    """The writes of a kind, of all namespaces."""

    #: Those under way, by number: since when each is, on the monotonic clock, in seconds.
    under_way: dict[int, float] = field(default_factory=dict)
    #: The Workloads that wait for a place, by namespace.
    waiting: RoundRobin[Key] = field(default_factory=RoundRobin)
    #: The same Workloads.
    queued: set[Key] = field(default_factory=set)
    #: Set whenever a write ends.
    moved: asyncio.Event = field(default_factory=asyncio.Event)
    #: How many writes are under way that ask whether a circuit may close.
    probes: int = 0
    #: The writes that are to ask so next, by namespace.
    next_probes: RoundRobin[Write] = field(default_factory=RoundRobin)

    def wait(self, workload: Key) -> None:
        """A Workload comes to the end of its namespace's line, unless it waits already."""
        if workload not in self.queued:
            self.queued.add(workload)
            self.waiting.add(workload[0], workload)

    def take(self) -> Key | None:
        """The Workload whose turn it is."""
        workload = self.waiting.take()
        if workload is not None:
            self.queued.discard(workload)
        return workload


@dataclass
class _Circuit:
    """Writes that time out in a namespace."""

    #: The last one's message.
    message: str
    #: From when on one write may ask whether that is over.
    probe_at: datetime
    #: How much time lies between two that ask. It doubles with each that times out.
    interval: timedelta = _FIRST_PROBE
    #: Whether one asks now.
    probing: bool = False
    #: The Workloads that wait, each with the actions that were put off.
    waiting: dict[Key, OrderedDict[str, None]] = field(default_factory=dict)

    def is_due(self, now: datetime) -> bool:
        """Whether it is time to ask: also if that time lies further ahead than it ever did, since the clock
        was set back.
        """
        return not now < self.probe_at <= now + self.interval

    def wait(self, write: Write) -> None:
        """An action waits, too. Of very many of a Workload's the first are former ones."""
        actions = self.waiting.setdefault(write.workload, OrderedDict())
        actions[write.action] = None
        actions.move_to_end(write.action)
        if len(actions) > _MOST_ACTIONS:
            actions.popitem(last=False)


class CircuitBreakers:
    """Kept in memory only: after a restart the first write that times out opens its circuit again.

    `wake` is told of Workloads whose writes waited and may be tried, with the actions that were put off
    (none where a write only waited for its turn).
    """

    def __init__(
        self,
        workers: int,
        now: Callable[[], datetime],
        wake: Callable[[Key, frozenset[str]], None],
    ) -> None:
        self._workers, self._now, self._wake = workers, now, wake
        self._lanes: defaultdict[str, _Lane] = defaultdict(_Lane)
        #: By namespace; in it by kind, and by whether it deletes.
        self._circuits: defaultdict[str, dict[tuple[str, bool], _Circuit]] = defaultdict(dict)
        self._count = 0

    @asynccontextmanager
    async def writing(self, write: Write) -> AsyncIterator[None]:
        """Goes around a write. Raises Busy when others of the kind are slow and enough, and CircuitOpen when
        they time out and it isn't time to ask again; nothing is sent then.
        """
        probes, number = await self._enter(write)
        try:
            yield
        except Exception as error:
            if isinstance(error, TimedOut) or isinstance(error.__cause__, TimeoutError):
                self._open(write, str(error), probes=probes)
            elif not isinstance(error, (NotLeading, Unreachable)):  # they say nothing of the webhook
                self._close(write)
            raise
        else:
            self._close(write)
        finally:
            self._leave_circuit(write, probes=probes)
            self._leave_lane(write.kind, number)

    def forget(self, workload: Key) -> None:
        """Drop a Workload that is gone, and what nobody waits for any more."""
        circuits = self._circuits.get(workload[0], {})
        for key, circuit in tuple(circuits.items()):
            circuit.waiting.pop(workload, None)
            if not circuit.waiting:
                self._drop(workload[0], key)

    async def _enter(self, write: Write) -> tuple[bool, int]:
        """Takes a write's place. Whether it is the one that asks for all, and the place's number."""
        probes = self._enter_circuit(write)
        try:
            number = await self._enter_lane(write)
        except BaseException:
            self._leave_circuit(write, probes=probes)
            raise
        if probes:
            return True, number
        try:
            # It may have opened while the write waited for its place.
            return self._enter_circuit(write), number
        except CircuitOpen:
            self._leave_lane(write.kind, number)
            raise

    def _enter_circuit(self, write: Write) -> bool:
        """Whether a write is the one that asks for all of its namespace. As many may ask at a time as leave
        a place of the kind to namespaces that don't time out.
        """
        circuit, lane = self._circuit(write), self._lanes[write.kind]
        if circuit is None:
            return False
        now = self._now()
        is_due = circuit.is_due(now) and not circuit.probing
        has_place = lane.probes < max(1, self._most(write.kind) - 1)
        if not is_due or not has_place:
            circuit.wait(write)
            if is_due and not lane.next_probes.waiting(write.workload[0]):
                lane.next_probes.add(write.workload[0], write)
            # One after the other, so that there is always one to ask, and never all at once.
            place = circuit.interval * min(len(circuit.waiting), 1_000)
            at = min(max(now, circuit.probe_at) + place, now + LONGEST_WAIT)
            raise CircuitOpen(circuit.message, at)
        circuit.probing = True
        lane.probes += 1
        return True

    def _leave_circuit(self, write: Write, *, probes: bool) -> None:
        if not probes:
            return
        if circuit := self._circuit(write):
            circuit.probing = False  # if nothing was learnt, the next one that asks may
        lane = self._lanes[write.kind]
        lane.probes -= 1
        if probe := lane.next_probes.take():
            self._wake(probe.workload, frozenset({probe.action}))

    def _open(self, write: Write, message: str, *, probes: bool) -> None:
        namespace, now = write.workload[0], self._now()
        circuit = self._circuit(write)
        if circuit is None:
            circuit = _Circuit(message, now + _FIRST_PROBE)
            self._circuits[namespace][write.kind, write.deletes] = circuit
        elif probes:
            circuit.interval = min(_LONGEST_PROBE, circuit.interval * 2)
            circuit.probe_at = now + circuit.interval
        circuit.message = message
        circuit.wait(write)
        lane = self._lanes[write.kind]
        for workload in lane.waiting.leave(namespace):  # they are told why
            lane.queued.discard(workload)
            self._wake(workload, frozenset())

    def _close(self, write: Write) -> None:
        """A write was answered: what times out in its namespace does so no more. That says nothing of
        others, which a webhook may concern alone.
        """
        circuit = self._circuit(write)
        if circuit is None:
            return
        self._drop(write.workload[0], (write.kind, write.deletes))
        for workload, actions in circuit.waiting.items():
            self._wake(workload, frozenset(actions))

    def _circuit(self, write: Write) -> _Circuit | None:
        return self._circuits.get(write.workload[0], {}).get((write.kind, write.deletes))

    def _drop(self, namespace: str, key: tuple[str, bool]) -> None:
        del self._circuits[namespace][key]
        if not self._circuits[namespace]:
            del self._circuits[namespace]

    async def _enter_lane(self, write: Write) -> int:
        """Takes a place among the writes of a kind, for which it waits a moment. The place's number."""
        lane = self._lanes[write.kind]
        until = time.monotonic() + _WAIT
        while len(lane.under_way) >= self._most(write.kind):
            left = until - time.monotonic()
            if left <= 0 or time.monotonic() - min(lane.under_way.values()) > _SLOW:
                lane.wait(write.workload)
                raise Busy(f"enough writes of {write.kind} objects are under way")
            lane.moved.clear()
            try:
                await asyncio.wait_for(lane.moved.wait(), left)
            except TimeoutError:
                continue
        self._count += 1
        lane.under_way[self._count] = time.monotonic()
        return self._count

    def _leave_lane(self, kind: str, number: int) -> None:
        lane = self._lanes[kind]
        del lane.under_way[number]
        lane.moved.set()
        # Whoever is woken may have nothing to write any more, so with the last one all are.
        free = self._most(kind) - len(lane.under_way) if lane.under_way else len(lane.waiting)
        for _ in range(min(free, len(lane.waiting))):
            if workload := lane.take():
                self._wake(workload, frozenset())

    def _most(self, kind: str) -> int:
        return max(1, self._workers * (_SHARE_OF_PODS if kind == "Pod" else _SHARE) // 16)
