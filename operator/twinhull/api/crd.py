"""The CustomResourceDefinitions, made from the models."""

from __future__ import annotations

from twinhull.api.base import GROUP, VERSION, Raw
from twinhull.api.podtemplate import podtemplate
from twinhull.api.schema import structural
from twinhull.api.workload import Workload


def crds() -> list[Raw]:
    """Every CustomResourceDefinition of the group, as it can be applied."""
    return [workloads()]


def workloads() -> Raw:
    """The CustomResourceDefinition of Workload."""
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"workloads.{GROUP}"},
        "spec": {
            "group": GROUP,
            "names": {
                "kind": "Workload",
                "listKind": "WorkloadList",
                "plural": "workloads",
                "singular": "workload",
                "shortNames": ["wl"],
                "categories": ["twinhull"],
            },
            "scope": "Namespaced",
            "versions": [
                {
                    "name": VERSION,
                    "served": True,
                    "storage": True,
                    "subresources": {"status": {}},
                    "additionalPrinterColumns": [
                        _column("Ready", _condition("Ready", "status")),
                        _column("Reason", _condition("Ready", "reason")),
                        _column("Isolation", ".status.isolation.resolved"),
                        _column("Hull", ".status.hull.name"),
                        _column("Node", ".status.hull.node"),
                        _column("Age", ".metadata.creationTimestamp", type="date"),
                        _wide("Requested", ".status.isolation.requested"),
                        _wide("Address", ".status.hull.address"),
                        _wide("Revision", ".status.hull.revision"),
                        _wide("Message", _condition("Ready", "message")),
                    ],
                    "selectableFields": [
                        {"jsonPath": ".spec.isolationPolicy"},
                        {"jsonPath": ".status.isolation.resolved"},
                    ],
                    "schema": {"openAPIV3Schema": _workload()},
                }
            ],
        },
    }


def _workload() -> Raw:
    schema = structural(Workload)
    # What a CustomResourceDefinition may say of metadata is next to nothing: the API server knows it.
    schema["properties"]["metadata"] = {"type": "object"}
    schema["required"].remove("metadata")
    spec = schema["properties"]["spec"]["properties"]
    spec["template"] = podtemplate() | {"description": spec["template"]["description"]}
    return schema


def _column(name: str, path: str, **extra: str | int) -> Raw:
    return {"name": name, "type": "string", "jsonPath": path, **extra}


def _wide(name: str, path: str) -> Raw:
    """A column of `kubectl get -o wide`."""
    return _column(name, path, priority=1)


def _condition(kind: str, field: str) -> str:
    return f'.status.conditions[?(@.type=="{kind}")].{field}'
