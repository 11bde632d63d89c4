"""Tests of core/isolation: how the isolation of a Workload is decided."""
