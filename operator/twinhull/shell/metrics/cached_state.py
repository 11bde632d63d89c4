"""The gauges of the cluster's state as they were last collected, for the servers' thread."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from twinhull.shell.metrics.state_collector import StateCollector

#: The least seconds between two collections.
_FRESH = 1.0
#: After a collection the next one waits so many times as long as it computed. So collecting takes little of
#: the main event loop's time, however many Workloads there are and however often somebody asks.
_RESTS = 20.0
#: How many seconds old the gauges may be that are served.
_STALE = 60.0


class CachedState(Collector):
    """Gauges that are collected in the main event loop, and served in another thread."""

    def __init__(
        self,
        state: StateCollector,
        clock: Callable[[], float] = time.monotonic,
        computed: Callable[[], float] = time.thread_time,
    ) -> None:
        self._state = state
        self._clock = clock
        self._computed = computed
        self._collected: tuple[tuple[Metric, ...], float] = (), -_STALE
        self._rests_until = -_STALE

    async def refresh(self) -> None:
        """Collect the gauges, unless it is too early for that. It runs in the main event loop."""
        at, began = self._clock(), self._computed()
        if at < self._rests_until:
            return
        self._collected = tuple(self._state.collect()), at
        # Only the computing time counts: on a busy machine a collection takes longer than it computes.
        self._rests_until = self._clock() + max(_FRESH, (self._computed() - began) * _RESTS)

    def describe(self) -> Iterable[Metric]:
        """The gauges, without their values."""
        return self._state.describe()

    def collect(self) -> Iterable[Metric]:
        """The last collected gauges; none if they are old, since they would tell of a former state."""
        metrics, at = self._collected
        return metrics if self._clock() < at + _STALE else ()
