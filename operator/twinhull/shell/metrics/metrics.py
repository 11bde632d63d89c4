"""The registry of one process and its metrics. They may be counted in any thread."""

from __future__ import annotations

import platform
from collections.abc import Iterable

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.metrics_core import Metric

import twinhull
from twinhull.shell.metrics import catalogue
from twinhull.shell.metrics.lifetime_metrics import LifetimeMetrics
from twinhull.shell.metrics.reconcile_metrics import ReconcileMetrics
from twinhull.shell.metrics.request_metrics import RequestMetrics
from twinhull.shell.metrics.workqueue_metrics import WorkqueueMetrics


class Metrics:
    """All metrics of the process but the gauges of the cluster's state."""

    def __init__(self) -> None:
        self.registry = _Registry()
        self.workqueue = WorkqueueMetrics(self.registry)
        self.passes = ReconcileMetrics(self.registry, self.workqueue)
        self.requests = RequestMetrics(self.registry)
        self.lifetimes = LifetimeMetrics(self.registry)
        self.decisions = catalogue.DECISIONS.counter(self.registry)
        ProcessCollector(registry=self.registry)
        build = catalogue.BUILD.gauge(self.registry)
        build.labels(twinhull.__version__, platform.python_version()).set(1)


class _Registry(CollectorRegistry):
    """A registry without the _created series, which would be half as many again."""

    def collect(self) -> Iterable[Metric]:
        for metric in super().collect():
            metric.samples = [sample for sample in metric.samples if not sample.name.endswith("_created")]
            yield metric
