"""Objects to be shown, of which a test says what matters."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from twinhull.view.workloadobjects import WorkloadObjects

Raw = dict[str, Any]

NOW = datetime(2026, 1, 1, 0, 5, tzinfo=UTC)
BEGAN = "2026-01-01T00:00:00Z"
OWNER = [{"kind": "Workload", "name": "web", "uid": "1", "controller": True}]


def condition(kind: str, status: str, reason: str, message: str = "it says why") -> Raw:
    return {
        "type": kind,
        "status": status,
        "reason": reason,
        "message": message,
        "lastTransitionTime": BEGAN,
    }


def workload(*conditions: Raw, spec: Raw | None = None, metadata: Raw | None = None, **status: Any) -> Raw:
    """A Workload that is Ready unless its conditions say otherwise."""
    by_type = {
        "Ready": condition("Ready", "True", "Ready", "Pod web-1 is ready"),
        "Reconciling": condition("Reconciling", "False", "Settled"),
        "Stalled": condition("Stalled", "False", "NotStalled"),
        "IsolationResolved": condition("IsolationResolved", "True", "Requested"),
        **{one["type"]: one for one in conditions},
    }
    return {
        "metadata": {
            "name": "web",
            "namespace": "shop",
            "uid": "1",
            "generation": 1,
            "creationTimestamp": BEGAN,
            **(metadata or {}),
        },
        "spec": spec or {"isolationPolicy": "Container"},
        "status": {"observedGeneration": 1, "conditions": list(by_type.values()), **status},
    }


def pod(*statuses: Raw, name: str = "web-1", spec: Raw | None = None, **status: Any) -> Raw:
    """A hull of that Workload."""
    return {
        "metadata": {
            "name": name,
            "namespace": "shop",
            "creationTimestamp": BEGAN,
            "labels": {"twinhull.dev/workload": "web", "twinhull.dev/hull": "Pod"},
            "ownerReferences": OWNER,
        },
        "spec": spec or {"containers": [{"name": "web"}]},
        "status": {"phase": "Running", "containerStatuses": list(statuses), **status},
    }


def workload_objects(*conditions: Raw, **status: Any) -> WorkloadObjects:
    """A Workload alone."""
    return WorkloadObjects(workload(*conditions, **status))
