"""The metrics of the queue, under client-go's names. A key that rests, or that a worker has, isn't counted as
waiting until a worker may take it.
"""

from __future__ import annotations

import time
from collections.abc import Set as AbstractSet

from prometheus_client import CollectorRegistry

from twinhull.shell.metrics import catalogue
from twinhull.shell.store import Key

#: The only controller that is measured, that of Workloads, as the labels `controller` and `name` name it.
CONTROLLER = "workload"


class WorkqueueMetrics:
    """Knows since when each key waits, and since when a worker has it."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._waiting: dict[Key, float] = {}
        self._working: dict[Key, float] = {}
        self._held_namespaces: AbstractSet[str] = frozenset()
        of_queue = (CONTROLLER, CONTROLLER)
        self._adds = catalogue.ADDS.counter(registry).labels(*of_queue)
        self._retries = catalogue.RETRIES.counter(registry).labels(*of_queue)
        self._queue_seconds = catalogue.QUEUE_SECONDS.histogram(registry).labels(*of_queue)
        self._work_seconds = catalogue.WORK_SECONDS.histogram(registry).labels(*of_queue)
        depth = catalogue.DEPTH.gauge(registry).labels(*of_queue)
        unfinished = catalogue.UNFINISHED_SECONDS.gauge(registry).labels(*of_queue)
        longest = catalogue.LONGEST_SECONDS.gauge(registry).labels(*of_queue)
        depth.set_function(self._depth)
        unfinished.set_function(lambda: sum(self._held()))
        longest.set_function(lambda: max(self._held(), default=0.0))

    @property
    def working(self) -> int:
        """How many keys workers have now."""
        return len(self._working)

    def hold(self, namespaces: AbstractSet[str]) -> None:
        """Hold these namespaces, and no others: their keys don't wait for a worker."""
        now, released = time.monotonic(), self._held_namespaces - namespaces
        self._waiting |= {key: now for key in self._waiting if key[0] in released}
        self._held_namespaces = frozenset(namespaces)

    def added(self, key: Key) -> None:
        """Note that a key waits for a worker from now on."""
        self._waiting[key] = time.monotonic()
        self._adds.inc()

    def got(self, key: Key) -> None:
        """Note that a worker has taken a key."""
        now = time.monotonic()
        self._queue_seconds.observe(now - self._waiting.pop(key, now))
        self._working[key] = now

    def done(self, key: Key) -> None:
        """Note that the worker has given the key back."""
        now = time.monotonic()
        self._work_seconds.observe(now - self._working.pop(key, now))

    def retried(self) -> None:
        """Count a key that is added again after a failure."""
        self._retries.inc()

    def _depth(self) -> int:
        return sum(key[0] not in self._held_namespaces for key in list(self._waiting))

    def _held(self) -> list[float]:
        now = time.monotonic()
        # Metrics are read in another thread. A copy by `list` isn't interrupted by this one.
        return [now - since for since in list(self._working.values())]
