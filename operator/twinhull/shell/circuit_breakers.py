"""The circuit breakers: which writes time out, and when the operator tries whether they still do.

Once a write has timed out, the circuit of its namespace, kind and verb (delete or not) is open: only one
write at a time is sent there, as a probe. Other namespaces go on, since a webhook may concern one namespace
alone.
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

#: How long after the first write that timed out the first probe is sent.
_FIRST_PROBE = timedelta(seconds=2)
#: The longest time between two probes.
_LONGEST_PROBE = timedelta(minutes=1)
#: How many of a Workload's waiting actions are woken with it. The others are tried again when their time
#: comes.
_MOST_ACTIONS = 8


@dataclass(frozen=True, slots=True)
class Write:
    """One write for a Workload."""

    #: The Workload.
    workload: Key
    #: The name of the kind that is written.
    kind: str
    #: The key of the action, as in Refusals.
    action: str
    #: Whether the write deletes an object: the API server calls other webhooks for that.
    deletes: bool


@dataclass
class _Probes:
    """The probes of a kind, in all namespaces."""

    #: How many probes are under way.
    under_way: int = 0
    #: The writes that are to be the next probes, by namespace.
    queued: RoundRobin[Write] = field(default_factory=RoundRobin)


@dataclass
class _Circuit:
    """An open circuit: writes of a kind time out in a namespace."""

    #: The message of the last write that timed out.
    message: str
    #: When the next probe may be sent.
    probe_at: datetime
    #: The time between two probes. Each probe that times out doubles it.
    interval: timedelta = _FIRST_PROBE
    #: Whether a probe is under way.
    probing: bool = False
    #: The Workloads that wait, each with its actions that were put off.
    waiting: dict[Key, OrderedDict[str, None]] = field(default_factory=dict)

    def is_due(self, now: datetime) -> bool:
        """Whether it is time for a probe. True, too, if the time of the probe is further ahead than it can
        be: the clock was set back.
        """
        return not now < self.probe_at <= now + self.interval

    def wait(self, write: Write) -> None:
        """Note an action that waits. Of too many actions of one Workload the oldest are dropped."""
        actions = self.waiting.setdefault(write.workload, OrderedDict())
        actions[write.action] = None
        actions.move_to_end(write.action)
        if len(actions) > _MOST_ACTIONS:
            actions.popitem(last=False)


class CircuitBreakers:
    """The open circuits, kept in memory only: after a restart the first write that times out opens its
    circuit again.

    `wake` is called with each Workload whose writes waited and may be tried, and with the actions that were
    put off (none if a write only waited for a place in its lane).
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
        """A context around one write. Nothing is sent if it raises Busy (all places of the kind are taken,
        and their writes are slow) or CircuitOpen (writes of the kind time out, and it isn't time for a
        probe).
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
        """Forget a Workload that is gone, and the circuits for which no other Workload waits."""
        circuits = self._circuits.get(workload[0], {})
        for key, circuit in tuple(circuits.items()):
            circuit.waiting.pop(workload, None)
            if not circuit.waiting:
                self._drop(workload[0], key)

    async def _enter(self, write: Write) -> tuple[bool, int]:
        """Take the write's place. Returns whether the write is a probe, and the number of the place."""
        probes = self._enter_circuit(write)
        try:
            number = await self._lanes.enter(write.kind, write.workload)
        except BaseException:
            self._leave_circuit(write, probes=probes)
            raise
        if probes:
            return True, number
        try:
            # The circuit may have opened while the write waited for its place.
            return self._enter_circuit(write), number
        except CircuitOpen:
            self._lanes.leave(write.kind, number)
            raise

    def _enter_circuit(self, write: Write) -> bool:
        """Whether a write is sent as a probe; False if its circuit is closed. Raises CircuitOpen if the write
        has to wait.

        Probes of a kind take one place fewer than the kind has, so that namespaces whose writes don't time
        out keep one.
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
            # The Workloads come back one after the other: one of them is always there to probe, and never all
            # at once.
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
            circuit.probing = False  # the next write may probe, if this one told nothing
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
        self._lanes.wake_namespace(write.kind, namespace)  # they learn why they wait

    def _close(self, write: Write) -> None:
        """Close the circuit of a write that was answered, and wake the Workloads that wait for it. Other
        circuits stay as they are: a webhook may concern them alone.
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
