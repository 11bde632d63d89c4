"""Metrics: what the operator counts as it works, and what it sees when it is asked."""

from __future__ import annotations

from twinhull.shell.metrics.lifetime_metrics import LifetimeMetrics
from twinhull.shell.metrics.metrics import Metrics
from twinhull.shell.metrics.page import Page
from twinhull.shell.metrics.reconcile_metrics import ReconcileMetrics
from twinhull.shell.metrics.request_metrics import RequestMetrics
from twinhull.shell.metrics.workqueue_metrics import WorkqueueMetrics

__all__ = ["LifetimeMetrics", "Metrics", "Page", "ReconcileMetrics", "RequestMetrics", "WorkqueueMetrics"]
