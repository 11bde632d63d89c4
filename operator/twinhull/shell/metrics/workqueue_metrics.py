"""What is counted of the queue, by client-go's names. A key that rests, or that a worker has, waits for no
worker: it is counted as waiting once a worker may take it.
"""

from __future__ import annotations

import time
from collections.abc import Set as AbstractSet

from prometheus_client import CollectorRegistry

from twinhull.shell.metrics import catalogue
from twinhull.shell.store import Key

#: The one controller that is measured, as the labels `controller` and `name` have it: that of Workloads.
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
        """How many keys workers have."""
        return len(self._working)

    def hold(self, namespaces: AbstractSet[str]) -> None:
        """The keys of these namespaces wait for something else than a worker from now on, and those of no
        others.
        """
        now, released = time.monotonic(), self._held_namespaces - namespaces
        self._waiting |= {key: now for key in self._waiting if key[0] in released}
        self._held_namespaces = frozenset(namespaces)

    def added(self, key: Key) -> None:
        """A key waits for a worker from now on."""
        self._waiting[key] = time.monotonic()
        self._adds.inc()

    def got(self, key: Key) -> None:
        """A worker has it."""
        now = time.monotonic()
        self._queue_seconds.observe(now - self._waiting.pop(key, now))
        self._working[key] = now

    def done(self, key: Key) -> None:
        """The worker is done with it."""
        now = time.monotonic()
        self._work_seconds.observe(now - self._working.pop(key, now))

    def retried(self) -> None:
        """A key comes again after a failure."""
        self._retries.inc()

    def _depth(self) -> int:
        return sum(key[0] not in self._held_namespaces for key in list(self._waiting))

    def _held(self) -> list[float]:
        now = time.monotonic()
        # Metrics are told in another thread; a copy by `list` isn't interrupted by this one.
        return [now - since for since in list(self._working.values())]
