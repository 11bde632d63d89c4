"""The decisions: the last isolation decided for each Workload, and how many Workloads each policy affects."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict

from prometheus_client import CollectorRegistry
from prometheus_client import Counter as CounterMetric

from twinhull.api.isolation import Isolation
from twinhull.core.case import Case
from twinhull.core.isolation import PolicyAndEffect, PolicyEffect, Resolution, WorkloadCounts
from twinhull.core.unreadable_workload import UnreadableWorkload
from twinhull.shell.metrics import catalogue
from twinhull.shell.store import Key


class Decisions:
    """The last decisions, kept in memory only: after a start each Workload is decided on again."""

    def __init__(self, counter: CounterMetric | None = None) -> None:
        self.counter = counter or catalogue.DECISIONS.counter(CollectorRegistry())
        self._resolved: dict[Key, tuple[Isolation, str]] = {}
        self._looked_at: set[Key] = set()
        self._effects: dict[Key, frozenset[PolicyAndEffect]] = {}
        self._workloads: defaultdict[PolicyAndEffect, set[Key]] = defaultdict(set)
        #: Set when a count may have changed.
        self.changed = asyncio.Event()

    def record_observation(self, workload: Key, observed: Case | UnreadableWorkload) -> None:
        """Record the decision on an observed Workload, and below which policies' minimums it runs. If the
        Workload can't be read, its last decision stays.
        """
        if isinstance(observed, UnreadableWorkload):
            new = workload not in self._looked_at
            self._looked_at.add(workload)
            self._count(workload, observed.effects, new=new)
        else:
            pending = frozenset(shortfall.policy.name for shortfall in observed.compliance.shortfalls)
            self.record(workload, observed.blueprint.resolution, pending)

    def record(self, workload: Key, resolution: Resolution, pending: frozenset[str] = frozenset()) -> None:
        """Record a decision on a Workload. `pending` are the names of the policies below whose minimum the
        Workload runs.
        """
        new = workload not in self._looked_at
        self._looked_at.add(workload)
        if self._resolved.get(workload) != (resolution.resolved, resolution.reason):
            self._resolved[workload] = resolution.resolved, resolution.reason
            self.counter.labels(resolution.resolved.value, resolution.reason).inc()
        self._count(workload, resolution.effects(pending), new=new)

    def forget(self, workload: Key) -> None:
        """Record that a Workload is gone."""
        new = workload not in self._looked_at
        self._looked_at.discard(workload)
        self._resolved.pop(workload, None)
        self._count(workload, frozenset(), new=new)

    def _count(self, workload: Key, new_effects: frozenset[PolicyAndEffect], *, new: bool) -> None:
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
        """The isolation that was decided for a Workload. None if there was no decision yet."""
        resolved = self._resolved.get(workload)
        return resolved and resolved[0]

    @property
    def decided(self) -> int:
        """How many Workloads were observed. Those that can't be read are counted, too."""
        return len(self._looked_at)

    def count(self, effect: PolicyAndEffect) -> int:
        """On how many Workloads a policy has an effect."""
        return len(self._workloads.get(effect, ()))

    def counted(self, policy: str) -> WorkloadCounts:
        """The numbers of Workloads for a policy's status, by effect, and the first pending Workload."""
        pending = self._workloads.get(PolicyAndEffect(policy, PolicyEffect.PENDING))
        first = "/".join(min(pending)) if pending else None
        return WorkloadCounts({one: self.count(PolicyAndEffect(policy, one)) for one in PolicyEffect}, first)

    def pending_by_namespace(self, policy: str) -> Counter[str]:
        """How many Workloads of each namespace run below a policy's minimum."""
        return Counter(
            namespace
            for namespace, _ in self._workloads.get(PolicyAndEffect(policy, PolicyEffect.PENDING), ())
        )
