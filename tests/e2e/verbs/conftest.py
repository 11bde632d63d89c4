"""Fixtures: a Workload for each test."""

from tests.e2e.operator.conftest import web

__all__ = ["web"]
