"""Policies and namespaces to decide by."""

from __future__ import annotations

from typing import Any

from twinhull.api.base import API_VERSION, Raw
from twinhull.core.isolation import Policy
from twinhull.core.isolation.policy_reading import read

from .objects import NAMESPACE


def policy(name: str, **spec: Any) -> Raw:
    """An IsolationPolicy as an API server gives it."""
    return {
        "apiVersion": API_VERSION,
        "kind": "IsolationPolicy",
        "metadata": {"name": name, "generation": 1},
        "spec": spec,
    }


def rules(*policies: Raw) -> tuple[Policy, ...]:
    """Policies as they are decided by."""
    return tuple(read(obj) for obj in policies)


def namespace(name: str = NAMESPACE, **labels: str) -> Raw:
    """A namespace with these labels."""
    return {"kind": "Namespace", "metadata": {"name": name, "labels": labels}}
