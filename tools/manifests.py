"""The manifests in deploy/: what the chart renders for each of its variants, for kustomize."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from tests.chart.helm import NAMESPACE, Helm, Manifest

#: Each folder of deploy/ and the chart's values for it. The guest's key can't be committed: whoever deploys
#: makes that Secret.
_KEY: Manifest = {"guest": {"existingSecret": "twinhull-guest-key"}}
VARIANTS: Mapping[str, Manifest] = {
    "default": _KEY,
    "namespaced": {**_KEY, "watchNamespaces": ["team-a", "team-b"], "crds": {"enabled": False}},
    "no-kubevirt": {"kubevirt": {"enabled": False}},
    "openshift": {
        **_KEY,
        "rbac": {"ownerReferencesPermissionEnforcement": True},
        "podSecurityContext": {"runAsUser": None, "runAsGroup": None, "fsGroup": None},
    },
}

#: What says that Helm has an object, which is not so of these.
_HELMS = {
    "labels": ("helm.sh/chart", "app.kubernetes.io/managed-by"),
    "annotations": ("helm.sh/resource-policy",),
}


@cache
def rendered(variant: str) -> tuple[list[Manifest], list[Manifest]]:
    """A variant's CustomResourceDefinitions, and its other objects. Raises BuildError."""
    with tempfile.TemporaryDirectory() as home:
        objects = Helm.built("helm", Path(home)).template(VARIANTS[variant])
    crds = [without_helm(obj) for obj in objects if obj["kind"] == "CustomResourceDefinition"]
    others = [without_helm(obj) for obj in objects if obj["kind"] != "CustomResourceDefinition"]
    return crds, others


def user_roles() -> list[Manifest]:
    """The ClusterRoles that give people their rights to Workloads, for operators of some namespaces.

    They have names of their own, so that a release that makes its own can be installed beside them.
    """
    names = {f"twinhull-{role}": f"workloads.twinhull.dev-{role}" for role in ("edit", "view")}
    return [
        {**obj, "metadata": {**obj["metadata"], "name": names[obj["metadata"]["name"]]}}
        for obj in rendered("default")[1]
        if obj["kind"] == "ClusterRole" and obj["metadata"]["name"] in names
    ]


def without_helm(obj: Manifest) -> Manifest:
    """An object less what Helm is told by, or tells."""
    metadata: dict[str, Any] = dict(obj["metadata"])
    for field, keys in _HELMS.items():
        kept = {key: value for key, value in (metadata.pop(field, None) or {}).items() if key not in keys}
        metadata |= {field: kept} if kept else {}
    return {**obj, "metadata": metadata}


def parsed(text: str) -> list[Manifest]:
    """The objects in a text of several."""
    return [obj for obj in yaml.load_all(text, yaml.CSafeLoader) if obj]


def namespace() -> Manifest:
    """The operator's namespace, where Pods are held to the restricted standard."""
    levels = {f"pod-security.kubernetes.io/{mode}": "restricted" for mode in ("enforce", "audit", "warn")}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE, "labels": levels}}


def kustomization(variant: str) -> Manifest:
    """What `kubectl apply -k` reads."""
    crds, _ = rendered(variant)
    return {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "resources": [*(["../crds"] if crds else []), "namespace.yaml", "twinhull.yaml"],
    }
