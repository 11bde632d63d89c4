"""The rights that the chart gives the operator, and a kubeconfig of somebody who has just these."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml
from kubernetes import client, config

from tests import jsonlog
from tests.chart.helm import NAMESPACE, Manifest
from tests.controlplane import Api, Cluster, kubeconfig
from tests.controlplane.api import USER_AGENT

DEPLOY = Path(__file__).parents[2] / "deploy"
_RBAC = {"ServiceAccount", "ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding"}
#: The name of what keeps these rights within the operator's own objects, and its kinds.
BOUNDS = f"twinhull-own-objects.{NAMESPACE}"
_BOUNDS = {"ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"}
_ACCOUNT = "twinhull"
_TOKEN_SECONDS = 86_400


@dataclass(frozen=True, order=True)
class Right:
    """To do one thing with one kind of object, in one namespace or in all."""

    group: str
    resource: str
    verb: str
    namespace: str = ""

    def __str__(self) -> str:
        within = f" in {self.namespace}" if self.namespace else ""
        return f"{self.verb} {self.resource}{'.' if self.group else ''}{self.group}{within}"


def manifests(variant: str) -> list[Manifest]:
    """All objects of a folder of deploy/, which are the chart's."""
    return [
        obj
        for name in ("namespace", "twinhull")
        for obj in yaml.load_all(
            (DEPLOY / variant / f"{name}.yaml").read_text(encoding="utf-8"), yaml.CSafeLoader
        )
    ]


def grant(cluster: Cluster, folder: Path, objects: Iterable[Manifest]) -> Path:
    """Make the ServiceAccount of these objects, give it their rights and their bounds; a kubeconfig with its
    token, once it has these rights.
    """
    made = [obj for obj in objects if obj["kind"] in _RBAC | _BOUNDS | {"Namespace"}]
    for obj in made:
        cluster.api.apply(obj)
    path = kubeconfig_of(cluster, folder, _ACCOUNT)
    has_rights(cluster, path, made)
    return path


def has_rights(cluster: Cluster, path: Path, objects: Iterable[Manifest]) -> None:
    """Wait until whoever has this kubeconfig has the rights that roles among these objects give the
    operator's ServiceAccount.
    """
    api, lacking = Api(path), granted(objects)

    def has_all() -> bool:
        # Where a role names the objects, it is the Lease, which has the operator's name.
        for right in sorted(lacking):
            assert api.may(right.verb, right.group, right.resource, right.namespace, _ACCOUNT), str(right)
            lacking.remove(right)
        return True

    cluster.eventually(has_all, 30, "the operator's account has its rights")
    api.close()


def kubeconfig_of(cluster: Cluster, folder: Path, account: str) -> Path:
    """A kubeconfig with a token of a ServiceAccount in the operator's namespace."""
    settings = client.Configuration()
    config.load_kube_config(  # type: ignore[no-untyped-call]
        str(cluster.kubeconfig), client_configuration=settings, persist_config=False
    )
    path = cluster.api.path("ServiceAccount", NAMESPACE, account) + "/token"
    body = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest"}
    body |= {"spec": {"expirationSeconds": _TOKEN_SECONDS}}  # type: ignore[dict-item]
    token: str = cluster.api.request("POST", path, body)["status"]["token"]
    return kubeconfig.write(
        folder / f"{account}.kubeconfig",
        server=settings.host,
        authority=Path(str(settings.ssl_ca_cert)),
        client=token,
        user=account,
    )


def granted(objects: Iterable[Manifest]) -> set[Right]:
    """What roles that are bound to the operator's ServiceAccount allow."""
    by_name = {(obj["kind"], _place(obj)): obj for obj in objects}
    return {
        right
        for (kind, (namespace, _)), binding in by_name.items()
        if kind in {"ClusterRoleBinding", "RoleBinding"}
        and any(subject["name"] == _ACCOUNT for subject in binding["subjects"])
        for right in of_role(by_name[binding["roleRef"]["kind"], (namespace, binding["roleRef"]["name"])])
    }


def of_role(role: Manifest) -> Iterator[Right]:
    """What a role allows, whoever has it."""
    for rule in role["rules"]:
        for group in rule["apiGroups"]:
            for resource in rule["resources"]:
                for verb in rule["verbs"]:
                    yield Right(group, resource, verb, role["metadata"].get("namespace", ""))


def _place(obj: Manifest) -> tuple[str, str]:
    return obj["metadata"].get("namespace", ""), obj["metadata"]["name"]


@dataclass(frozen=True)
class Used:
    """What the operator asked for of the API server, by its audit log: what its roles allowed, what they did
    not, and what was refused although they did, since it wasn't for an object of the operator's own.
    """

    allowed: frozenset[Right]
    forbidden: frozenset[Right]
    out_of_bounds: frozenset[Right]

    @classmethod
    def of(cls, log: Path) -> Used:
        """What the operator's ServiceAccount asked for, in any namespace, but for tests that act as it."""
        rights: dict[bool, set[Right]] = {True: set(), False: set()}
        out_of_bounds = set()
        for event in jsonlog.entries(log):
            about = event.get("objectRef")
            if about is None or event["user"]["username"] != f"system:serviceaccount:{NAMESPACE}:{_ACCOUNT}":
                continue
            if event.get("userAgent") == USER_AGENT:
                continue
            resource = "/".join(filter(None, (about["resource"], about.get("subresource"))))
            right = Right(about.get("apiGroup", ""), resource, event["verb"], about.get("namespace", ""))
            decision = event.get("annotations", {}).get("authorization.k8s.io/decision")
            if decision is None:  # nobody was asked: a busy API server put it off, or its client was gone
                continue
            rights[decision == "allow"].add(right)
            if BOUNDS in event.get("responseStatus", {}).get("message", ""):
                out_of_bounds.add(right)
        return cls(frozenset(rights[True]), frozenset(rights[False]), frozenset(out_of_bounds))

    def covers(self, right: Right) -> bool:
        """Whether a right was made use of."""
        return any(
            (used.group, used.resource, used.verb) == (right.group, right.resource, right.verb)
            and right.namespace in {"", used.namespace}
            for used in self.allowed
        )
