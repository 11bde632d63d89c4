"""Aggregated APIs of a control plane whose programs listen on loopback: there is no Service network."""

from __future__ import annotations

from typing import Any


def service(name: str, namespace: str, port: int) -> dict[str, Any]:
    """The Service of an aggregated API that is served at a port of loopback, to which its name resolves."""
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"type": "ExternalName", "externalName": "localhost", "ports": [{"port": port}]},
    }
