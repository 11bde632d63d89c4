"""The rulings: what was last decided for each Workload, and how often each policy had a part in it."""

from __future__ import annotations

import asyncio
from collections import Counter

from prometheus_client import CollectorRegistry
from prometheus_client import Counter as CounterMetric

from twinhull.api.workload import Isolation
from twinhull.core.isolation import Effect, Resolution
from twinhull.shell.metrics import catalogue
from twinhull.shell.store import Key


class Rulings:
    """Kept in memory only: every Workload is decided on after a start."""

    def __init__(self, decisions: CounterMetric | None = None) -> None:
        self.decisions = decisions or catalogue.DECISIONS.counter(CollectorRegistry())
        self._resolved: dict[Key, tuple[Isolation, str]] = {}
        self._looked_at: set[Key] = set()
        self._effects: dict[Key, frozenset[Effect]] = {}
        self._counts: Counter[Effect] = Counter()
        #: Set when a count may have changed.
        self.changed = asyncio.Event()

    def record(self, workload: Key, resolution: Resolution | None) -> None:
        """Take down what was decided, None for a Workload that is gone."""
        new = workload not in self._looked_at
        before = self._effects.pop(workload, frozenset())
        after = resolution.effects if resolution else frozenset()
        if after:
            self._effects[workload] = after
        if resolution is None:
            self._looked_at.discard(workload)
            self._resolved.pop(workload, None)
        else:
            self._looked_at.add(workload)
            if self._resolved.get(workload) != (resolution.resolved, resolution.reason):
                self._resolved[workload] = resolution.resolved, resolution.reason
                self.decisions.labels(resolution.resolved.value, resolution.reason).inc()
        if before != after:
            self._counts.subtract(before - after)
            self._counts.update(after - before)
        if new or before != after:
            self.changed.set()

    def leave(self, workload: Key) -> None:
        """Let what was last decided stand, for a Workload that can't be read."""
        if workload not in self._looked_at:
            self._looked_at.add(workload)
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
        return self._counts[effect]
