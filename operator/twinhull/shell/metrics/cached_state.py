"""The gauges of the cluster's state as they were collected last, for the servers' thread."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from twinhull.shell.metrics.state_collector import StateCollector

#: How long collecting rests at least, in seconds.
_FRESH = 1.0
#: How many times as long as it computed collecting rests. With very many Workloads it is to take little of
#: the work's time, however often somebody asks.
_RESTS = 20.0
#: How old the gauges may be that are told, in seconds.
_STALE = 60.0


class CachedState(Collector):
    """Gauges that are collected in the work's event loop, and told in another thread."""

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
        """Collect the gauges, unless the last ones are fresh. Runs in the work's loop."""
        at, began = self._clock(), self._computed()
        if at < self._rests_until:
            return
        self._collected = tuple(self._state.collect()), at
        # On a busy machine it takes longer than it computes, for which it needn't rest.
        self._rests_until = self._clock() + max(_FRESH, (self._computed() - began) * _RESTS)

    def describe(self) -> Iterable[Metric]:
        """The gauges, without their values."""
        return self._state.describe()

    def collect(self) -> Iterable[Metric]:
        """The gauges as they were seen last; none if that is long ago, since they would say what isn't so."""
        metrics, at = self._collected
        return metrics if self._clock() < at + _STALE else ()
