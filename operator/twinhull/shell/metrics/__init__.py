"""Metrics: what the operator counts as it works, and what it sees when it is asked."""

from __future__ import annotations

from twinhull.shell.metrics.lifetimes import Lifetimes
from twinhull.shell.metrics.metrics import Metrics
from twinhull.shell.metrics.page import Page
from twinhull.shell.metrics.passes import Passes
from twinhull.shell.metrics.requests import Requests
from twinhull.shell.metrics.workqueue import Workqueue

__all__ = ["Lifetimes", "Metrics", "Page", "Passes", "Requests", "Workqueue"]
