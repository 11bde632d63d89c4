"""The CustomResourceDefinitions, made from the models."""

from __future__ import annotations

from typing import Any

from twinhull.api.accessrequest import AccessRequest
from twinhull.api.base import GROUP, VERSION, Raw
from twinhull.api.podtemplate import podtemplate
from twinhull.api.policy import IsolationPolicy
from twinhull.api.schema import structural
from twinhull.api.workload import Workload

#: The descriptions of the template's parts.
_METADATA = "The labels, annotations and finalizers of the Pod. Other fields have no effect."
_SPEC = "The Pod's spec, field by field as in Kubernetes 1.37."
_OWN = "See kubectl explain {}."
#: Kubernetes and Kueue have kinds of the name Workload, too: `workloads` and `wl` are theirs for kubectl.
#: A category of the name `twinhull` would win over the short name.
_WORKLOAD_NAMES = {
    "kind": "Workload",
    "plural": "workloads",
    "singular": "workload",
    "shortNames": ["twl", "twinhull"],
}


def crds() -> list[Raw]:
    """Every CustomResourceDefinition of the group, as it can be applied."""
    return [access_requests(), isolation_policies(), workloads()]


def workloads() -> Raw:
    """The CustomResourceDefinition of Workload."""
    columns = [
        _column("Ready", _condition("Ready", "status")),
        _column("Reason", _condition("Ready", "reason")),
        _column("Isolation", ".status.isolation.resolved"),
        _column("Running", ".status.isolation.running"),
        _column("Hull", ".status.hull.name"),
        _column("Node", ".status.hull.node"),
        _column("Age", ".metadata.creationTimestamp", type="date"),
        _wide("Requested", ".status.isolation.requested"),
        _wide("Policy", ".status.isolation.policy"),
        _wide("Address", ".status.hull.address"),
        _wide("Revision", ".status.hull.revision"),
        _wide("Message", _condition("Ready", "message")),
    ]
    fields = (".spec.isolationPolicy", ".status.isolation.resolved")
    return _definition(
        "Namespaced",
        _WORKLOAD_NAMES,
        additionalPrinterColumns=columns,
        selectableFields=[{"jsonPath": path} for path in fields],
        schema={"openAPIV3Schema": _workload()},
    )


def isolation_policies() -> Raw:
    """The CustomResourceDefinition of IsolationPolicy."""
    names = {
        "kind": "IsolationPolicy",
        "plural": "isolationpolicies",
        "singular": "isolationpolicy",
        "shortNames": ["isopol"],
    }
    columns = [
        _column("Priority", ".spec.priority", type="integer"),
        _column("Default", ".spec.default"),
        _column("Minimum", ".spec.minimum"),
        _column("On-Violation", ".spec.onViolation"),
        _column("Matched", ".status.matched", type="integer"),
        _column("Raised", ".status.raised", type="integer"),
        _column("Pending", ".status.pending", type="integer"),
        _column("Rejected", ".status.rejected", type="integer"),
        _column("Age", ".metadata.creationTimestamp", type="date"),
        _wide("First-Pending", ".status.firstPending"),
        _wide("Ready", _condition("Ready", "status")),
        _wide("Message", _condition("Ready", "message")),
    ]
    schema = _without_metadata(structural(IsolationPolicy))
    return _definition("Cluster", names, additionalPrinterColumns=columns, schema={"openAPIV3Schema": schema})


def access_requests() -> Raw:
    """The CustomResourceDefinition of AccessRequest."""
    names = {
        "kind": "AccessRequest",
        "plural": "accessrequests",
        "singular": "accessrequest",
        "shortNames": ["access"],
    }
    columns = [
        _column("Workload", ".spec.workload"),
        _column("Usages", ".spec.usages"),
        _column("Ready", _condition("Ready", "status")),
        _column("Reason", _condition("Ready", "reason")),
        _column("Expires", ".status.expiresAt", type="date"),
        _column("Age", ".metadata.creationTimestamp", type="date"),
        _wide("Machine", ".status.guest.machine"),
        _wide("Message", _condition("Ready", "message")),
    ]
    schema = {"openAPIV3Schema": _without_metadata(structural(AccessRequest))}
    return _definition("Namespaced", names, additionalPrinterColumns=columns, schema=schema)


def _definition(scope: str, names: Raw, **version: Any) -> Raw:  # noqa: ANN401  JSON
    kind = names["kind"]
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{names['plural']}.{GROUP}"},
        "spec": {
            "group": GROUP,
            "names": {"kind": kind, "listKind": f"{kind}List", **names},
            "scope": scope,
            "versions": [
                {
                    "name": VERSION,
                    "served": True,
                    "storage": True,
                    "subresources": {"status": {}},
                    **version,
                }
            ],
        },
    }


def _workload() -> Raw:
    schema = _without_metadata(structural(Workload))
    spec = schema["properties"]["spec"]["properties"]
    spec["template"] = _explained(podtemplate()) | {"description": spec["template"]["description"]}
    return schema


def _explained(template: Raw) -> Raw:
    """The template's schema. A hint at `kubectl explain` replaces the descriptions of Kubernetes' own fields,
    which would triple its size.
    """
    fields = template["properties"]
    return template | {
        "properties": {
            "metadata": fields["metadata"] | {"description": f"{_METADATA} {_OWN.format('pod.metadata')}"},
            "spec": fields["spec"] | {"description": f"{_SPEC} {_OWN.format('pod.spec')}"},
        }
    }


def _without_metadata(schema: Raw) -> Raw:
    """The schema with an empty `metadata`, since the API server allows almost nothing there."""
    properties = {**schema["properties"], "metadata": {"type": "object"}}
    required = [name for name in schema["required"] if name != "metadata"]
    return {**schema, "properties": properties, "required": required}


def _column(name: str, path: str, **extra: str | int) -> Raw:
    return {"name": name, "type": "string", "jsonPath": path, **extra}


def _wide(name: str, path: str) -> Raw:
    """A column of `kubectl get -o wide`."""
    return _column(name, path, priority=1)


def _condition(kind: str, field: str) -> str:
    return f'.status.conditions[?(@.type=="{kind}")].{field}'
