"""The decisions: what was last decided for each Workload, and how often each policy had a part in it. Beside
them is the memory of each Workload.
"""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from dataclasses import replace

from prometheus_client import CollectorRegistry
from prometheus_client import Counter as CounterMetric

from twinhull.api.base import Raw
from twinhull.api.brevity import shortened
from twinhull.api.isolation import Isolation
from twinhull.api.workloadstatus import Exit
from twinhull.core.backoff import to_remember
from twinhull.core.case import Case
from twinhull.core.isolation import Counted, Effect, Part, Resolution
from twinhull.core.observed import GoneHull, SeenHull
from twinhull.core.unreadable_workload import UnreadableWorkload
from twinhull.hulls.hull import revision_of
from twinhull.hulls.podstatus import disruption
from twinhull.shell.metrics import catalogue
from twinhull.shell.store import Key
from twinhull.shell.workload_memory import WorkloadMemory


class Decisions:
    """Kept in memory only: every Workload is decided on after a start."""

    def __init__(self, counter: CounterMetric | None = None) -> None:
        self.counter = counter or catalogue.DECISIONS.counter(CollectorRegistry())
        self._resolved: dict[Key, tuple[Isolation, str]] = {}
        self._looked_at: set[Key] = set()
        self._effects: dict[Key, frozenset[Effect]] = {}
        self._workloads: defaultdict[Effect, set[Key]] = defaultdict(set)
        #: What is remembered of each Workload that was looked at.
        self.memories: dict[Key, WorkloadMemory] = {}
        #: Set when a count may have changed.
        self.changed = asyncio.Event()

    def record_observation(self, workload: Key, observed: Case | UnreadableWorkload | None) -> None:
        """Take down what was decided on a Workload, and what of it runs below policies' minimums; None for
        one that is gone. For one that can't be read, what was last decided stands.
        """
        if observed is None:
            self.memories.pop(workload, None)
            self.record(workload, None)
            return
        if self.is_another(workload, observed.metadata.uid):
            self.record_observation(workload, None)
        self._remember(workload, observed)
        if isinstance(observed, UnreadableWorkload):
            new = workload not in self._looked_at
            self._looked_at.add(workload)
            self._count(workload, observed.effects, new=new)
        else:
            pending = frozenset(shortfall.policy.name for shortfall in observed.compliance.shortfalls)
            self.record(workload, observed.blueprint.resolution, pending)

    def is_another(self, workload: Key, uid: str) -> bool:
        """Whether what is remembered under a Workload's name is of a former Workload, not of that uid's."""
        memory = self.memories.get(workload)
        return memory is not None and memory.uid != uid

    def _remember(self, workload: Key, observed: Case | UnreadableWorkload) -> None:
        violations = observed.compliance if isinstance(observed, Case) else observed
        ends = observed.history if isinstance(observed, Case) else observed
        memory = self.memories.get(workload) or WorkloadMemory(observed.metadata.uid)
        self.memories[workload] = replace(
            memory,
            pending_since=violations.pending_since,
            hulls=to_remember(observed) if isinstance(observed, Case) else memory.hulls,
            unwritten_exit=ends.unwritten_exit,
        )

    def record_created_hull(self, workload: Key, obj: Raw) -> None:
        """Take down a hull that was created: it may be gone before it is seen."""
        memory = self.memories.get(workload)
        if memory and memory.hulls:
            seen = SeenHull(obj["metadata"]["uid"], revision_of(obj))
            self.memories[workload] = replace(memory, hulls=replace(memory.hulls, seen=seen))

    def record_exit(self, workload: Key, uid: str, end: Exit) -> None:
        """Take down how a run of the Workload of that uid ended, whose Pod is gone: a pass may not have seen
        the end, or may not have written it to the status yet.
        """
        if self.is_another(workload, uid):
            return
        memory = self.memories.get(workload) or WorkloadMemory(uid)
        self.memories[workload] = replace(memory, unwritten_exit=end)

    def forget(self, workload: Key, uid: str) -> None:
        """Forget what is remembered of the Workload of that uid, which is gone, if no pass has looked at it:
        an operator that only watches makes none that would.
        """
        memory = self.memories.get(workload)
        if memory and memory.uid == uid and workload not in self._looked_at:
            del self.memories[workload]

    def record_lost_hull(self, workload: Key, obj: Raw) -> None:
        """Take down why a Pod that is gone is so, in case that it is the hull."""
        memory, why = self.memories.get(workload), disruption(obj)
        if memory and memory.hulls and why:
            gone = GoneHull(obj["metadata"]["uid"], why[0], shortened(why[1]))
            self.memories[workload] = replace(memory, hulls=replace(memory.hulls, gone=gone))

    def record(
        self, workload: Key, resolution: Resolution | None, pending: frozenset[str] = frozenset()
    ) -> None:
        """Take down what was decided, None for a Workload that is gone. It runs below the minimums of the
        policies that are `pending`.
        """
        new = workload not in self._looked_at
        if resolution is None:
            self._looked_at.discard(workload)
            self._resolved.pop(workload, None)
        else:
            self._looked_at.add(workload)
            if self._resolved.get(workload) != (resolution.resolved, resolution.reason):
                self._resolved[workload] = resolution.resolved, resolution.reason
                self.counter.labels(resolution.resolved.value, resolution.reason).inc()
        self._count(workload, resolution.effects(pending) if resolution else frozenset(), new=new)

    def _count(self, workload: Key, new_effects: frozenset[Effect], *, new: bool) -> None:
        old_effects = self._effects.pop(workload, frozenset())
        if new_effects:
            self._effects[workload] = new_effects
        for effect in old_effects - new_effects:
            self._workloads[effect].discard(workload)
            if not self._workloads[effect]:
                del self._workloads[effect]
        for effect in new_effects - old_effects:
            self._workloads[effect].add(workload)
        if new or old_effects != new_effects:
            self.changed.set()

    def isolation(self, workload: Key) -> Isolation | None:
        """What a Workload is to run in, None if that wasn't decided yet."""
        resolved = self._resolved.get(workload)
        return resolved and resolved[0]

    @property
    def decided(self) -> int:
        """How many Workloads were decided on, or looked at in vain."""
        return len(self._looked_at)

    def count(self, effect: Effect) -> int:
        """How many Workloads a policy has an effect on."""
        return len(self._workloads.get(effect, ()))

    def counted(self, policy: str) -> Counted:
        """What a policy does, in numbers."""
        pending = self._workloads.get(Effect(policy, Part.PENDING))
        first = "/".join(min(pending)) if pending else None
        return Counted({part: self.count(Effect(policy, part)) for part in Part}, first)

    def pending_by_namespace(self, policy: str) -> Counter[str]:
        """How many Workloads of each namespace run below a policy's minimum."""
        return Counter(namespace for namespace, _ in self._workloads.get(Effect(policy, Part.PENDING), ()))
