"""Sorts objects that aren't converted: those that Workloads refer to are kept, the others are passed over."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from twinhull.api.base import GROUP, Raw
from twinhull.convert.conversion import Left
from twinhull.convert.formats import Options
from twinhull.convert.kubernetes.source import OF_CLUSTER, SET_LABELS, Draft, Source, kept
from twinhull.core import references
from twinhull.hulls.hull import WORKLOAD_LABEL

#: Why an object of a kind isn't converted, and what to do with it.
_WHY = {
    "HorizontalPodAutoscaler": "a Workload is one Pod, and has nothing to scale: leave it out",
    "VerticalPodAutoscaler": "it can't change a Workload: set the resources in the template",
    "ScaledObject": "a Workload is one Pod, and has nothing to scale: leave it out",
    "PodDisruptionBudget": "it selects Pods by labels, which a Workload's Pod has, too: apply it as it is, "
    "with minAvailable as a number",
    "NetworkPolicy": "it selects Pods by labels, which a Workload's Pod has, too: apply it as it is",
    "Ingress": "it leads to a Service: apply it as it is",
    "HTTPRoute": "it leads to a Service: apply it as it is",
    "Endpoints": "a cluster makes it for a Service: leave it out",
    "EndpointSlice": "a cluster makes it for a Service: leave it out",
    "VirtualMachineInstance": "a machine that runs: convert its VirtualMachine",
}
#: Kinds that were of the group extensions until Kubernetes 1.15, and are of the group apps.
_OF_APPS = ("DaemonSet", "Deployment", "ReplicaSet")
#: The kinds that select Pods by labels.
_SELECTING = ("PodDisruptionBudget", "NetworkPolicy")
_STAYS = "no Workload is made of it: apply it as it is"
#: The fields in the spec of a Pod or a machine that name an object by its kind, at any depth.
_NAMING = {
    "configMap": ("ConfigMap", "name"),
    "configMapRef": ("ConfigMap", "name"),
    "configMapKeyRef": ("ConfigMap", "name"),
    "secret": ("Secret", "secretName"),
    "secretRef": ("Secret", "name"),
    "secretKeyRef": ("Secret", "name"),
    "networkDataSecretRef": ("Secret", "name"),
    "persistentVolumeClaim": ("PersistentVolumeClaim", "claimName"),
    "dataVolume": ("PersistentVolumeClaim", "name"),
}


def why_left(source: Source) -> Left:
    """Why an object is passed over."""
    if source.group == "extensions" and source.kind in _OF_APPS:
        return Left(
            source.title, f"{source.api_version} is no more: write apiVersion apps/v1, and convert again"
        )
    if source.kind in _SELECTING and (label := _label_of_controllers(source.document.get("spec"))):
        return Left(
            source.title,
            f"it selects Pods by {label}, which a controller sets, and a Workload's Pod lacks: set it to "
            f"{WORKLOAD_LABEL} with the Workload's name",
        )
    own = "it belongs to Twinhull already: apply it as it is"
    return Left(source.title, own if source.group == GROUP else _WHY.get(source.kind, _STAYS))


def _label_of_controllers(value: Any) -> str:  # noqa: ANN401  JSON
    """A label in a selector that only controllers set, empty if the selector has none."""
    if isinstance(value, list):
        return next(filter(None, map(_label_of_controllers, value)), "")
    if not isinstance(value, dict):
        return ""
    names = {*value, *(name for name in (value.get("key"),) if isinstance(name, str))}
    return next(iter(sorted(names & SET_LABELS)), "") or _label_of_controllers(list(value.values()))


def named_by(drafts: Iterable[Draft]) -> set[tuple[str, str, str]]:
    """The objects that Workloads refer to: namespace, kind and name."""
    named = set()
    for made in drafts:
        for kind, name in _named(made.spec):
            named.add(("" if kind in OF_CLUSTER else made.source.namespace, kind, name))
    return named


def _named(spec: Raw) -> Iterator[tuple[str, str]]:
    yield from (reference.target for reference in references.of_spec(spec))
    pod_spec = (spec.get("template") or {}).get("spec") or {}
    if account := pod_spec.get("serviceAccountName") or pod_spec.get("serviceAccount"):
        yield "ServiceAccount", account
    yield from (("Secret", secret["name"]) for secret in pod_spec.get("imagePullSecrets") or () if secret)
    yield from _below(pod_spec)
    machine = spec.get("virtualMachine") or {}
    yield from _of_machine({key: value for key, value in machine.items() if key != "overrides"})
    yield from _below(machine.get("overrides"))


def _of_machine(machine: Raw) -> Iterator[tuple[str, str]]:
    """The Secrets and ConfigMaps that spec.virtualMachine names in fields of its own."""
    for key, value in machine.items():
        if isinstance(value, str) and (key.endswith("Secret") or key in {"secret", "secretRef"}):
            yield "Secret", value
        elif isinstance(value, str) and key == "certConfigMap":
            yield "ConfigMap", value
        elif isinstance(value, dict):
            yield from _of_machine(value)
        elif isinstance(value, list):
            yield from (found for one in value if isinstance(one, dict) for found in _of_machine(one))


def _below(value: Any) -> Iterator[tuple[str, str]]:  # noqa: ANN401  JSON
    """The ConfigMaps and Secrets that are named anywhere in a value."""
    if isinstance(value, list):
        for element in value:
            yield from _below(element)
    elif isinstance(value, dict):
        for key, below in value.items():
            kind, field = _NAMING.get(key, ("", ""))
            named = below if isinstance(below, dict) else {}
            # A projected volume names a Secret by `name`, and a volume by `secretName`.
            name = named.get(field) or named.get("name")
            if kind and isinstance(name, str):
                yield kind, name
            yield from _below(below)


def sort_out(
    sources: Iterable[Source], drafts: Sequence[Draft], options: Options, left: list[Left]
) -> list[Raw]:
    """The objects that Workloads refer to; the others are named."""
    named = named_by(drafts)
    stay = []
    for source in sources:
        # The claim of a DataVolume has its name.
        kind = "PersistentVolumeClaim" if source.kind == "DataVolume" else source.kind
        if (source.namespace, kind, source.name) in named:
            stay.append(kept(source, options))
        else:
            left.append(why_left(source))
    return stay
