"""The metrics of passes over Workloads, under controller-runtime's names."""

from __future__ import annotations

from typing import Literal

from prometheus_client import CollectorRegistry

from twinhull.shell.metrics import catalogue
from twinhull.shell.metrics.workqueue_metrics import CONTROLLER, WorkqueueMetrics

Result = Literal["success", "requeue_after", "requeue", "error"]


class ReconcileMetrics:
    """Counts passes by their result. The series of all results exist from the start."""

    def __init__(self, registry: CollectorRegistry, workqueue: WorkqueueMetrics) -> None:
        results: tuple[Result, ...] = ("success", "requeue_after", "requeue", "error")
        total = catalogue.RECONCILES.counter(registry)
        self._total = {result: total.labels(CONTROLLER, result) for result in results}
        self._errors = catalogue.RECONCILE_ERRORS.counter(registry).labels(CONTROLLER)
        self._seconds = catalogue.RECONCILE_SECONDS.histogram(registry).labels(CONTROLLER)
        self._workers = catalogue.MAX_WORKERS.gauge(registry).labels(CONTROLLER)
        active = catalogue.ACTIVE_WORKERS.gauge(registry).labels(CONTROLLER)
        active.set_function(lambda: workqueue.working)

    def workers(self, count: int) -> None:
        """Set the number of workers."""
        self._workers.set(count)

    def ended(self, result: Result, seconds: float) -> None:
        """Count a pass that has ended."""
        self._total[result].inc()
        self._seconds.observe(seconds)
        if result == "error":
            self._errors.inc()
