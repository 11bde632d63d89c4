"""Metrics: counters of the operator's own work, and gauges of the cluster's state."""

from __future__ import annotations

from twinhull.shell.metrics.lifetime_metrics import LifetimeMetrics
from twinhull.shell.metrics.metrics import Metrics
from twinhull.shell.metrics.page import Page
from twinhull.shell.metrics.reconcile_metrics import ReconcileMetrics
from twinhull.shell.metrics.request_metrics import RequestMetrics
from twinhull.shell.metrics.workqueue_metrics import WorkqueueMetrics

__all__ = ["LifetimeMetrics", "Metrics", "Page", "ReconcileMetrics", "RequestMetrics", "WorkqueueMetrics"]
