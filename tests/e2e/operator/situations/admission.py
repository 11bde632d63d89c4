"""What a cluster's own admission policies do to objects of a test's namespace: change them, or deny them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial

from tests.controlplane import Cluster
from tests.controlplane.api import ApiError
from tests.e2e.operator.subject import Manifest

_API_VERSION = "admissionregistration.k8s.io/v1"
#: The annotation that every mutation of a test leaves, by which it is known to be in force.
_MARK = "mutated.example.com/by"
_LABELS = {"twinhull.dev/workload": "probe", "twinhull.dev/revision": "probe"}
#: Each kind's group, version and plural, and what an object has that is tried out.
_KINDS: dict[str, tuple[str, str, str, Manifest]] = {
    "Pod": ("", "v1", "pods", {"spec": {"containers": [{"name": "web", "image": "nginx:1.29"}]}}),
    "Service": ("", "v1", "services", {"spec": {"type": "NodePort", "ports": [{"port": 80}]}}),
    "ConfigMap": ("", "v1", "configmaps", {"data": {"probe": "1"}}),
    "VirtualMachine": (
        "kubevirt.io",
        "v1",
        "virtualmachines",
        {"spec": {"runStrategy": "Halted", "template": {"spec": {"domain": {"devices": {}}}}}},
    ),
}


@dataclass(frozen=True)
class Mutation:
    """What is done to each object of a kind: CEL that gives an apply configuration or, in brackets, a JSON
    patch, which alone may change lists that are atomic. `when` is CEL, too.
    """

    kind: str
    expression: str
    operations: tuple[str, ...] = ("CREATE",)
    when: str = "true"


@contextmanager
def mutating(cluster: Cluster, namespace: str, *mutations: Mutation) -> Iterator[None]:
    """These mutations are in force when this is entered, and gone after."""
    with ExitStack() as stack:
        for number, mutation in enumerate(mutations):
            name = f"mutation-{number}-{namespace}"
            group, version, plural, _ = _KINDS[mutation.kind]
            mark = f'Object{{metadata: Object.metadata{{annotations: {{"{_MARK}-{name}": "yes"}}}}}}'
            spec = {
                "failurePolicy": "Fail",
                "reinvocationPolicy": "Never",
                **_matching(namespace, group, version, plural, *mutation.operations),
                "matchConditions": [{"name": "when", "expression": mutation.when}],
                "mutations": [_applied(mutation.expression), _applied(mark)],
            }
            check = partial(_is_marked, cluster, namespace, f"{_MARK}-{name}", mutation)
            stack.enter_context(_in_force(cluster, "MutatingAdmissionPolicy", name, (spec, {}), check))
        yield


@contextmanager
def denied(cluster: Cluster, namespace: str, resource: str, unless: str, probe: Manifest) -> Iterator[None]:
    """Writing a resource (`configmaps`, `virtualmachines.kubevirt.io`) is denied unless a CEL expression
    holds. It is in force from the moment at which `probe` is denied.
    """
    plural, _, group = resource.partition(".")
    why = f"house rule: {unless}"
    spec = {
        "failurePolicy": "Fail",
        **_matching(namespace, group, "v1", plural, "CREATE", "UPDATE"),
        "validations": [{"expression": unless, "message": why}],
    }
    path = cluster.api.path(probe["kind"], probe["metadata"]["namespace"])
    check = partial(_is_refused, cluster, "POST", path, probe, why)
    with _denying(cluster, f"{plural}-{namespace}", spec, check):
        yield


@contextmanager
def undeletable(cluster: Cluster, namespace: str, pod: str, why: str) -> Iterator[None]:
    """A Pod can't be deleted, and is refused for this reason."""
    spec = {
        **_matching(namespace, "", "v1", "pods", "DELETE"),
        "validations": [{"expression": f"oldObject.metadata.name != '{pod}'", "message": why}],
    }
    check = partial(_is_refused, cluster, "DELETE", cluster.api.path("Pod", namespace, pod), None, why)
    with _denying(cluster, f"kept-{namespace}", spec, check):
        yield


def until_refused(cluster: Cluster, probe: Manifest, why: str) -> None:
    """Wait until the API server, which only tries an object out, refuses it for this reason.

    It knows of a quota, a LimitRange or a namespace's label some time after it has taken them. A quota
    refuses nothing before its controller has counted what there is.
    """
    path = cluster.api.path(probe["kind"], probe["metadata"]["namespace"])
    check = partial(_is_refused, cluster, "POST", path, probe, why)
    cluster.eventually(check, 30, f"a {probe['kind']} is refused: {why}")


def until_taken(cluster: Cluster, pod: Manifest) -> None:
    """Wait until the API server, which only tries a Pod out, would take it."""
    path = cluster.api.path("Pod", pod["metadata"]["namespace"])
    cluster.eventually(
        lambda: cluster.api.request("POST", path, pod, query={"dryRun": "All"}), 30, "the Pod would be taken"
    )


def until_limited(cluster: Cluster, namespace: str) -> None:
    """Wait until the API server gives limits to a Pod, which it only tries out, that asks for none."""
    path = cluster.api.path("Pod", namespace)

    def has_limits() -> bool:
        made = cluster.api.request("POST", path, probe_of(namespace), query={"dryRun": "All"})
        return bool(made["spec"]["containers"][0]["resources"]["limits"])

    cluster.eventually(has_limits, 30, "a LimitRange is in force")


def probe_of(namespace: str, **container: object) -> Manifest:
    """A Pod to try out, with one container."""
    of_pod = {"containers": [{"name": "web", "image": "nginx:1.29", **container}]}
    return {**of_kind("Pod", namespace), "spec": of_pod}


def of_kind(kind: str, namespace: str) -> Manifest:
    """An object to try out, of a kind that Workloads are made of."""
    group, version, _, has = _KINDS[kind]
    about = {"name": "probe", "namespace": namespace, "labels": _LABELS}
    return {"apiVersion": f"{group}/{version}".lstrip("/"), "kind": kind, "metadata": about, **has}


def service_probe_of(namespace: str, **spec: object) -> Manifest:
    """A Service to try out, with one port."""
    return {**of_kind("Service", namespace), "spec": {"ports": [{"port": 80}], **spec}}


@contextmanager
def _denying(cluster: Cluster, name: str, spec: Manifest, check: Callable[[], bool]) -> Iterator[None]:
    specs = (spec, {"validationActions": ["Deny"]})
    with _in_force(cluster, "ValidatingAdmissionPolicy", name, specs, check):
        yield


@contextmanager
def _in_force(
    cluster: Cluster, kind: str, name: str, specs: tuple[Manifest, Manifest], check: Callable[[], bool]
) -> Iterator[None]:
    """A policy and its binding, by the specs of both, from when a check says that they are in force."""
    policy, binding = specs
    for made, spec in ((kind, policy), (f"{kind}Binding", {"policyName": name, **binding})):
        cluster.api.apply(
            {"apiVersion": _API_VERSION, "kind": made, "metadata": {"name": name}, "spec": spec}
        )
    try:
        cluster.eventually(check, 30, f"{name} is in force")
        yield
    finally:
        cluster.api.delete(f"{kind}Binding", name)
        cluster.api.delete(kind, name)


def _matching(namespace: str, group: str, version: str, plural: str, *operations: str) -> Manifest:
    rule = {
        "apiGroups": [group],
        "apiVersions": [version],
        "operations": [*operations],
        "resources": [plural],
    }
    place = {"matchLabels": {"kubernetes.io/metadata.name": namespace}}
    return {"matchConstraints": {"namespaceSelector": place, "resourceRules": [rule]}}


def _applied(expression: str) -> Manifest:
    if expression.startswith("["):
        return {"patchType": "JSONPatch", "jsonPatch": {"expression": expression}}
    return {"patchType": "ApplyConfiguration", "applyConfiguration": {"expression": expression}}


def _is_marked(cluster: Cluster, namespace: str, mark: str, mutation: Mutation) -> bool:
    """Whether an object that is only tried out has the mark."""
    probe = of_kind(mutation.kind, namespace)
    try:
        made = cluster.api.request(
            "POST", cluster.api.path(mutation.kind, namespace), probe, query={"dryRun": "All"}
        )
    except ApiError as error:
        raise AssertionError(error.message) from error
    return mark in (made["metadata"].get("annotations") or {})


def _is_refused(cluster: Cluster, method: str, path: str, body: Manifest | None, why: str) -> bool:
    try:
        cluster.api.request(method, path, body, query={"dryRun": "All"})
    except ApiError as error:
        return why in error.message
    return False
