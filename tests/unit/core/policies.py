"""Policies and namespaces for the tests of decisions."""

from __future__ import annotations

from typing import Any

from twinhull.api.base import API_VERSION, Raw
from twinhull.core.isolation import Policy
from twinhull.core.isolation.policy_reading import read

from .objects import NAMESPACE


def policy(name: str, **spec: Any) -> Raw:
    """An IsolationPolicy as an API server returns it."""
    return {
        "apiVersion": API_VERSION,
        "kind": "IsolationPolicy",
        "metadata": {"name": name, "generation": 1},
        "spec": spec,
    }


def rules(*policies: Raw) -> tuple[Policy, ...]:
    """The policies of these objects, in the given order."""
    return tuple(read(obj) for obj in policies)


def namespace(name: str = NAMESPACE, **labels: str) -> Raw:
    """A namespace with these labels."""
    return {"kind": "Namespace", "metadata": {"name": name, "labels": labels}}
