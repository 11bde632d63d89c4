"""The circuits: which kinds' writes time out, and when one asks whether that is over.

Once a write of a kind has timed out, one at a time asks whether that is over, for all of its namespace: a
webhook may concern one namespace alone, and what it does there says nothing of others.
"""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from twinhull.core.observed import LONGEST_WAIT
from twinhull.shell.errors import CircuitOpen, NotLeading, TimedOut, Unreachable
from twinhull.shell.roundrobin import RoundRobin
from twinhull.shell.store import Key
from twinhull.shell.write_lanes import WriteLanes

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
class _Probes:
    """The writes of a kind that ask whether a circuit may close."""

    #: How many are under way.
    under_way: int = 0
    #: Those that are to ask next, by namespace.
    queued: RoundRobin[Write] = field(default_factory=RoundRobin)


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
        self._now, self._wake = now, wake
        self._lanes = WriteLanes(workers, lambda workload: wake(workload, frozenset()))
        self._probes: defaultdict[str, _Probes] = defaultdict(_Probes)
        #: By namespace; in it by kind, and by whether it deletes.
        self._circuits: defaultdict[str, dict[tuple[str, bool], _Circuit]] = defaultdict(dict)

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
            self._lanes.leave(write.kind, number)

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
            number = await self._lanes.enter(write.kind, write.workload)
        except BaseException:
            self._leave_circuit(write, probes=probes)
            raise
        if probes:
            return True, number
        try:
            # It may have opened while the write waited for its place.
            return self._enter_circuit(write), number
        except CircuitOpen:
            self._lanes.leave(write.kind, number)
            raise

    def _enter_circuit(self, write: Write) -> bool:
        """Whether a write is the one that asks for all of its namespace. As many may ask at a time as leave
        a place of the kind to namespaces that don't time out.
        """
        circuit, of_kind = self._circuit(write), self._probes[write.kind]
        if circuit is None:
            return False
        now = self._now()
        is_due = circuit.is_due(now) and not circuit.probing
        has_place = of_kind.under_way < max(1, self._lanes.places(write.kind) - 1)
        if not is_due or not has_place:
            circuit.wait(write)
            if is_due and not of_kind.queued.waiting(write.workload[0]):
                of_kind.queued.add(write.workload[0], write)
            # One after the other, so that there is always one to ask, and never all at once.
            place = circuit.interval * min(len(circuit.waiting), 1_000)
            at = min(max(now, circuit.probe_at) + place, now + LONGEST_WAIT)
            raise CircuitOpen(circuit.message, at)
        circuit.probing = True
        of_kind.under_way += 1
        return True

    def _leave_circuit(self, write: Write, *, probes: bool) -> None:
        if not probes:
            return
        if circuit := self._circuit(write):
            circuit.probing = False  # if nothing was learnt, the next one that asks may
        of_kind = self._probes[write.kind]
        of_kind.under_way -= 1
        if probe := of_kind.queued.take():
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
        self._lanes.wake_namespace(write.kind, namespace)  # they are told why

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
