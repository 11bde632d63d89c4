"""What Workloads refer to, and their inputs don't have."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.controlplane import nodes
from tests.conversions.namespaced_objects import NamespacedObject
from twinhull.api.base import Raw
from twinhull.core.references import of_spec

#: The API of what inputs refer to and don't have.
_APIS = {
    "PersistentVolumeClaim": "v1",
    "PriorityClass": "scheduling.k8s.io/v1",
    "StorageClass": "storage.k8s.io/v1",
    "VirtualMachineClusterInstancetype": "instancetype.kubevirt.io/v1beta1",
    "VirtualMachineClusterPreference": "instancetype.kubevirt.io/v1beta1",
}


def missing_objects(objects: list[NamespacedObject]) -> Iterator[Raw]:
    """What inputs refer to and don't have themselves, as little of it as a hull needs to start."""
    known = {(one.obj["kind"], one.namespace, one.obj["metadata"]["name"]) for one in objects}
    for one in objects:
        for kind, name in sorted(set(_references(one.obj["spec"]))) if one.is_workload else ():
            namespace = one.namespace if kind == "PersistentVolumeClaim" else ""
            if (kind, namespace, name) in known:
                continue
            known.add((kind, namespace, name))
            metadata = {"name": name, **({"namespace": namespace} if namespace else {})}
            obj: Raw = {"apiVersion": _APIS[kind], "kind": kind, "metadata": metadata}
            match kind:
                case "PersistentVolumeClaim":
                    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
                    yield {**obj, "spec": spec}
                case "PriorityClass":
                    yield {**obj, "value": 7}
                case "StorageClass":
                    yield {**nodes.storage_class(), **obj}
                case "VirtualMachineClusterInstancetype":
                    yield {**obj, "spec": {"cpu": {"guest": 1}, "memory": {"guest": "1Gi"}}}
                case _:
                    yield {**obj, "spec": {}}


def _references(spec: Raw) -> Iterator[tuple[str, str]]:
    yield from (reference.target for reference in of_spec(spec))
    yield from _inside(spec)


def _inside(value: Any) -> Iterator[tuple[str, str]]:
    """Claims and PriorityClasses, however deep they are: a machine's overrides have some."""
    if isinstance(value, list):
        for element in value:
            yield from _inside(element)
    elif isinstance(value, dict):
        if claim := value.get("claimName"):
            yield "PersistentVolumeClaim", claim
        if (name := value.get("priorityClassName")) and not name.startswith("system-"):
            yield "PriorityClass", name
        for below in value.values():
            yield from _inside(below)
