"""What is made in a benchmark: the same Pod by way of a Workload, a ReplicaSet, a Sandbox, and of nobody.

The template declares no port, so that a Workload is two objects to write: its Pod and its status.
"""

from __future__ import annotations

from typing import Any

Manifest = dict[str, Any]

_POD_SPEC: Manifest = {
    "containers": [
        {
            "name": "web",
            "image": "nginx:1.29",
            "env": [{"name": "GREETING", "value": "hello"}],
            "resources": {"requests": {"cpu": "10m", "memory": "16Mi"}},
        }
    ]
}


def workload(namespace: str, number: int, isolation: str) -> Manifest:
    """A Workload of the template."""
    return {
        "apiVersion": "twinhull.dev/v1alpha1",
        "kind": "Workload",
        "metadata": {"name": f"bench-{number:05}", "namespace": namespace},
        "spec": {"isolationPolicy": isolation, "template": {"spec": _POD_SPEC}},
    }


def replica_set(namespace: str, number: int, replicas: int) -> Manifest:
    """A ReplicaSet of the template."""
    labels = {"bench": f"{number:05}"}
    return {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "metadata": {"name": f"bench-{number:05}", "namespace": namespace},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": _POD_SPEC},
        },
    }


def sandbox(namespace: str, number: int) -> Manifest:
    """A Sandbox of the template, agent-sandbox's kind."""
    return {
        "apiVersion": "agents.x-k8s.io/v1beta1",
        "kind": "Sandbox",
        "metadata": {"name": f"bench-{number:05}", "namespace": namespace},
        "spec": {"podTemplate": {"spec": _POD_SPEC}},
    }


def is_ready(obj: Manifest) -> bool:
    """Whether a Workload, a Sandbox or a Pod is Ready, or a ReplicaSet has all its Pods Ready."""
    status = obj.get("status", {})
    if obj["kind"] == "ReplicaSet":
        return bool(0 < obj["spec"]["replicas"] == status.get("readyReplicas"))
    return any(
        condition["type"] == "Ready" and condition["status"] == "True"
        for condition in status.get("conditions") or ()
    )


def exists(_: Manifest) -> bool:
    """True: for what is only waited to be there."""
    return True
