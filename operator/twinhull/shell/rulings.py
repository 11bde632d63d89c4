"""The rulings: what was last decided for each Workload, and how often each policy had a part in it."""

from __future__ import annotations

import asyncio
from collections import Counter

from twinhull.api.workload import Isolation
from twinhull.core.isolation import Effect, Resolution
from twinhull.shell.store import Key


class Rulings:
    """Kept in memory only: every Workload is decided on after a start."""

    def __init__(self) -> None:
        self._isolations: dict[Key, Isolation] = {}
        self._effects: dict[Key, frozenset[Effect]] = {}
        self._counts: Counter[Effect] = Counter()
        #: Set when a count may have changed.
        self.changed = asyncio.Event()

    def record(self, workload: Key, resolution: Resolution | None) -> None:
        """Take down what was decided, None for a Workload that is gone."""
        new = workload not in self._isolations
        before = self._effects.pop(workload, frozenset())
        after = resolution.effects if resolution else frozenset()
        if after:
            self._effects[workload] = after
        if resolution:
            self._isolations[workload] = resolution.resolved
        else:
            self._isolations.pop(workload, None)
        if before != after:
            self._counts.subtract(before - after)
            self._counts.update(after - before)
        if new or before != after:
            self.changed.set()

    def isolation(self, workload: Key) -> Isolation | None:
        """What a Workload is to run in, None if that wasn't decided yet."""
        return self._isolations.get(workload)

    @property
    def decided(self) -> int:
        """How many Workloads were decided on."""
        return len(self._isolations)

    def count(self, effect: Effect) -> int:
        """How many Workloads a policy has an effect on."""
        return self._counts[effect]
