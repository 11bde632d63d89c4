"""What kustomize has to know of our kinds, made from their CRDs: lists with keys, kinds without namespace.

A schema that a kustomization names takes the place of kustomize's own, so Kubernetes' kinds with a Pod
template are in ours as well: patches of a Deployment beside a Workload still merge.
"""

from __future__ import annotations

import json
from typing import Any

from twinhull.api.base import GROUP, VERSION, Raw
from twinhull.api.crd import crds
from twinhull.api.podtemplate import podtemplate

_TEMPLATE = {"$ref": "#/definitions/PodTemplateSpec"}
#: Kubernetes' kinds with a Pod template, by group and version, and where they have it.
_BUILT_IN = {
    ("", "v1", "Pod"): "",
    ("", "v1", "ReplicationController"): "spec.template",
    ("apps", "v1", "DaemonSet"): "spec.template",
    ("apps", "v1", "Deployment"): "spec.template",
    ("apps", "v1", "ReplicaSet"): "spec.template",
    ("apps", "v1", "StatefulSet"): "spec.template",
    ("batch", "v1", "CronJob"): "spec.jobTemplate.spec.template",
    ("batch", "v1", "Job"): "spec.template",
}
#: Lists whose elements kustomize tells apart as it does in a Deployment, though the CRD has no keys for them
#: (docs/adr/0030).
_KEYS = {"ports": ["containerPort", "protocol"]}


def schema() -> str:
    """The text of deploy/kustomize/openapi.json."""
    service = {"type": "object", "properties": {"ports": _merged(["port", "protocol"], {"type": "object"})}}
    definitions = {
        "PodTemplateSpec": _keyed(podtemplate()),
        **{".".join(filter(None, kind)): _at(path, kind) for kind, path in _BUILT_IN.items()},
        "v1.Service": _of(("", "v1", "Service"), {"spec": service}),
        f"{GROUP}.{VERSION}.Workload": _at("spec.template", (GROUP, VERSION, "Workload")),
    }
    return json.dumps({"definitions": definitions, "paths": dict(map(_path, crds()))}, indent=1) + "\n"


def _path(crd: Raw) -> tuple[str, Raw]:
    """Where a kind of ours is served, which tells whether it has a namespace."""
    names, scope = crd["spec"]["names"], crd["spec"]["scope"]
    place = "/namespaces/{namespace}" if scope == "Namespaced" else ""
    kind = {"group": GROUP, "version": VERSION, "kind": names["kind"]}
    path = f"/apis/{GROUP}/{VERSION}{place}/{names['plural']}/{{name}}"
    return path, {"get": {"x-kubernetes-action": "get", "x-kubernetes-group-version-kind": kind}}


def _at(path: str, kind: tuple[str, str, str]) -> Raw:
    """A kind that has a Pod template at this path."""
    if not path:
        return _of(kind, _keyed(podtemplate())["properties"])
    *above, last = path.split(".")
    properties: Raw = {last: _TEMPLATE}
    for name in reversed(above):
        properties = {name: {"type": "object", "properties": properties}}
    return _of(kind, properties)


def _of(kind: tuple[str, str, str], properties: Raw) -> Raw:
    gvk = dict(zip(("group", "version", "kind"), kind, strict=True))
    return {"type": "object", "properties": properties, "x-kubernetes-group-version-kind": [gvk]}


def _keyed(of: Raw) -> Raw:
    """A schema without all that leads to no list with keys. Kustomize replaces any other list whole."""
    kept = {name: below for name, value in of.get("properties", {}).items() if (below := _part(name, value))}
    return {"type": "object", **({"properties": kept} if kept else {})}


def _part(name: str, value: Raw) -> Raw | None:
    if keys := value.get("x-kubernetes-list-map-keys") or _KEYS.get(name):
        return _merged(keys, _keyed(value["items"]))
    below = _keyed(value)
    return below if "properties" in below else None


def _merged(keys: list[str], items: Any) -> Raw:
    return {
        "type": "array",
        "items": items,
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": keys,
        "x-kubernetes-patch-merge-key": keys[0],
        "x-kubernetes-patch-strategy": "merge",
    }
