"""Who attacks, with exactly the rights that they have, and who is to notice nothing of it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.controlplane import Api, ControlPlane, Kubectl

if TYPE_CHECKING:
    from pathlib import Path

    from tests.e2e.operator.subject import Subject

Manifest = dict[str, Any]
#: What a tenant may write in a namespace of their own: what people who deploy things are given.
TENANT = {
    "": ["configmaps", "secrets", "services", "persistentvolumeclaims"],
    "twinhull.dev": ["workloads"],
}
#: What some people are given who deploy nothing: to change settings.
SETTINGS = {"": ["configmaps"]}


@dataclass(frozen=True)
class Person:
    """Somebody with a client certificate, and rights in one namespace or none."""

    api: Api
    kubectl: Kubectl
    namespace: str

    @classmethod
    def with_rights(
        cls, plane: ControlPlane, namespace: str, name: str, rights: dict[str, list[str]]
    ) -> Person:
        """Somebody who may do all with these resources, by group, and nothing else."""
        if rights:
            rules = [
                {"apiGroups": [group], "resources": resources, "verbs": ["*"]}
                for group, resources in rights.items()
            ]
            _grant(plane, namespace, name, rules)
        kubeconfig: Path = plane.kubeconfig_for(name)
        kubectl = Kubectl(plane.kubectl.program, kubeconfig, plane.kubectl.cache)
        person = cls(Api(kubeconfig), kubectl, namespace)
        wanted = [(group, resource) for group, resources in rights.items() for resource in resources]
        plane.eventually(
            lambda: all(person.api.may("*", *right, namespace) for right in wanted),
            30,
            f"{name} has these rights",
        )
        return person


def _grant(plane: ControlPlane, namespace: str, name: str, rules: list[Manifest]) -> None:
    group = "rbac.authorization.k8s.io"
    about = {"name": name, "namespace": namespace}
    role = {"apiVersion": f"{group}/v1", "kind": "Role", "metadata": about, "rules": rules}
    binding = {
        "apiVersion": f"{group}/v1",
        "kind": "RoleBinding",
        "metadata": about,
        "roleRef": {"apiGroup": group, "kind": "Role", "name": name},
        "subjects": [{"apiGroup": group, "kind": "User", "name": name}],
    }
    for manifest in (role, binding):
        plane.api.apply(manifest)


def is_served(neighbour: Subject) -> None:
    """A new Workload of somebody else becomes Ready, and is gone again afterwards."""
    seconds_to_ready(neighbour)


def seconds_to_ready(neighbour: Subject) -> float:
    """How long a new Workload of somebody else takes to be Ready, which is gone again afterwards."""
    began = time.monotonic()
    neighbour.apply()
    neighbour.becomes("Ready")
    taken = time.monotonic() - began
    neighbour.delete()
    neighbour.is_gone()
    return taken
