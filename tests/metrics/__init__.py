"""Prometheus as users run it, and what asks it: the dashboard and the alerts."""

from __future__ import annotations

from tests.metrics.prometheus import Prometheus, promtool
from tests.metrics.questions import ALERTS, DASHBOARD, Question, alerts, dashboard

__all__ = ["ALERTS", "DASHBOARD", "Prometheus", "Question", "alerts", "dashboard", "promtool"]
