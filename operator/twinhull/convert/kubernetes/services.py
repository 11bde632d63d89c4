"""Converts Services that lead to the converted objects: into Workloads' own Services, or kept as objects.

Fields: k8s.io/api/core/v1, types.go, ServiceSpec.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from twinhull.api.base import GROUP, Raw
from twinhull.api.service import ServiceSettings
from twinhull.convert.conversion import Left
from twinhull.convert.formats import Options
from twinhull.convert.kubernetes.source import (
    POD_NAME,
    SET_ANNOTATIONS,
    SET_BY_SERVER,
    SET_LABELS,
    Draft,
    Source,
    kept,
    without,
)
from twinhull.convert.kubernetes.untyped import list_at, map_at
from twinhull.hulls import service as rendered
from twinhull.hulls.hull import WORKLOAD_LABEL

#: The fields that spec.service has under the same name.
_SAME = (
    *("type", "loadBalancerClass", "externalTrafficPolicy", "internalTrafficPolicy", "sessionAffinity"),
    *("sessionAffinityConfig", "ipFamilyPolicy", "ipFamilies", "publishNotReadyAddresses"),
)
#: The labels that KubeVirt puts on a machine's Pod, by which Services may select it (kubevirt.io/api/core/v1,
#: types.go).
_OF_LAUNCHERS = {"kubevirt.io": "virt-launcher"}
_NAMES_OF_MACHINES = ("kubevirt.io/vm", "vm.kubevirt.io/name")


def use_services(
    services: Iterable[Source], drafts: Sequence[Draft], options: Options, left: list[Left]
) -> list[Raw]:
    """Make Services the Workloads' own if spec.service can express them; give the others as objects of their
    own.

    Services that select none of the Workloads are passed over, and named.
    """
    stay: list[Raw] = []
    own: set[int] = set()
    labelled = _by_label(drafts)
    for source in services:
        selected = _selected(source, labelled)
        if not selected:
            left.append(Left(source.title, _why_unused(source, drafts)))
            continue
        (made, *more), policy = selected, None
        if not more and id(made) not in own and made.name == source.name and not source.is_live:
            policy = _policy(source, made)
        if policy is not None:
            made.spec["service"] = policy
            own.add(id(made))
        else:
            stay.append(_kept(source, selected, options, left))
    for made in drafts:
        if id(made) not in own and not made.is_machine and rendered.declared(made.spec["template"]["spec"]):
            # Its Pod declares ports, so the operator would make a Service that the input doesn't have.
            made.spec["service"] = {"enabled": False}
    return stay


def _labels(made: Draft) -> dict[str, str]:
    """The labels of the converted object's Pods, by which a Service selects them."""
    if not made.is_machine:
        return made.pod_labels
    return {**made.pod_labels, **_OF_LAUNCHERS, **dict.fromkeys(_NAMES_OF_MACHINES, made.source.name)}


def _by_label(drafts: Iterable[Draft]) -> dict[tuple[str, str, str], list[Draft]]:
    """The Workloads by each of their labels: namespace, key and value."""
    by_label: dict[tuple[str, str, str], list[Draft]] = {}
    for made in drafts:
        for key, value in _labels(made).items():
            by_label.setdefault((made.source.namespace, key, value), []).append(made)
    return by_label


def _selected(source: Source, labelled: Mapping[tuple[str, str, str], list[Draft]]) -> list[Draft]:
    """The Workloads to which a Service leads."""
    selector = map_at(map_at(source.document, "spec"), "selector")
    if not selector or not all(isinstance(value, str) for value in selector.values()):
        return []
    some = min((labelled.get((source.namespace, *label), []) for label in selector.items()), key=len)
    return [made for made in some if selector.items() <= _labels(made).items()]


def _why_unused(source: Source, drafts: Iterable[Draft]) -> str:
    """What happens to a Service that selects none of the Workloads."""
    selector = map_at(map_at(source.document, "spec"), "selector")
    own = sorted(selector.keys() & SET_LABELS)
    for made in drafts if own else ():
        if made.source.namespace == source.namespace and _selected_until_now(selector, made):
            return (
                f"it finds no Pod once {made.source.title} is gone, since only its controller sets the "
                f"label {own[0]}: set its selector to {WORKLOAD_LABEL}: {made.name}"
            )
    return "it selects none of the Workloads: it stays as it is"


def _selected_until_now(selector: Raw, made: Draft) -> bool:
    """Whether a selector selects Pods of the object that became a Workload, by labels that the object's
    controller sets. Values that only a cluster knows, such as a hash, count as matching.
    """
    plain = {key: value for key, value in selector.items() if key not in SET_LABELS}
    if (name := selector.get(POD_NAME)) is not None:
        is_of_set = made.source.kind == "StatefulSet" and str(name).rpartition("-")[0] == made.source.name
        if not is_of_set and made.pod_fields.get(f"metadata.labels['{POD_NAME}']") != name:
            return False
    elif not plain:
        return False
    return plain.items() <= _labels(made).items()


def _policy(source: Source, made: Draft) -> Raw | None:
    """The spec.service that makes the same Service, None if there is none."""
    spec = map_at(source.document, "spec")
    metadata = {key: value for key, value in source.metadata.items() if key not in SET_BY_SERVER}
    policy: Raw = {key: spec[key] for key in _SAME if spec.get(key) is not None}
    ports = [_port(port, made) for port in list_at(spec, "ports")]
    known = {*_SAME, "selector", "ports", "clusterIP", "clusterIPs"}
    is_headless = spec.get("clusterIP") == "None"
    if is_headless:
        policy["headless"] = True
    if annotations := without(map_at(metadata, "annotations"), SET_ANNOTATIONS):
        policy["annotations"] = annotations
    if labels := map_at(metadata, "labels"):
        policy["labels"] = labels
    nodes = {
        port["name"] or f"{port['protocol'].lower()}-{port['port']}": port["nodePort"]
        for port in ports
        if port and port.get("nodePort")
    }
    if nodes:
        policy["nodePorts"] = nodes
    policy["ports"] = [
        {key: port[key] for key in port if key != "nodePort" and port[key]} for port in ports if port
    ]
    all_known = (
        source.document.keys() <= {"apiVersion", "kind", "metadata", "spec", "status"}
        and {key for key, value in spec.items() if value is not None} <= known
        and metadata.keys() <= {"name", "namespace", "labels", "annotations"}
    )
    addressed = not is_headless and (spec.get("clusterIP") or spec.get("clusterIPs"))
    return policy if all_known and None not in ports and not addressed and _is_policy(policy) else None


def _is_policy(policy: Raw) -> bool:
    """Whether spec.service allows all of these fields. Keys with Twinhull's own prefix belong to the
    operator.
    """
    if any(
        key.startswith(f"{GROUP}/") for field in ("annotations", "labels") for key in policy.get(field) or ()
    ):
        return False
    try:
        return (
            ServiceSettings.model_validate(policy).raw() | policy
            == ServiceSettings.model_validate(policy).raw()
        )
    except ValidationError:
        return False


def _port(port: Any, made: Draft) -> Raw | None:  # noqa: ANN401  JSON
    """A port in the form of spec.service, with its nodePort; None if spec.service can't have it."""
    if not isinstance(port, dict) or not isinstance(port.get("port"), int):
        return None
    target = port.get("targetPort")
    number = made.named_ports.get((target, _protocol(port))) if isinstance(target, str) else target
    if isinstance(target, str) and number is None:
        return None
    known = {"name", "port", "targetPort", "protocol", "appProtocol", "nodePort"}
    if not {key for key, value in port.items() if value is not None} <= known:
        return None
    return {
        "name": port.get("name"),
        "port": port["port"],
        "targetPort": number,
        "protocol": _protocol(port),
        "appProtocol": port.get("appProtocol"),
        "nodePort": port.get("nodePort"),
    }


def _protocol(port: Raw) -> str:
    """The protocol of a port of a Service."""
    return str(port.get("protocol") or "TCP")


def _named_target(target: str, protocol: str, selected: Sequence[Draft]) -> str:
    """What to do about a port's name in a Service that stays an object."""
    key = target, protocol
    numbers = sorted({made.named_ports[key] for made in selected if key in made.named_ports})
    if not numbers:
        return (
            f"none of the Pod's ports has that name and protocol ({target}, {protocol}), so it leads "
            "nowhere: set it to the port's number"
        )
    number = str(numbers[0]) if len(numbers) == 1 else "the port's number"
    return f"a machine has no ports with names, so {target} leads to Pods only: set it to {number}"


def _kept(source: Source, selected: Sequence[Draft], options: Options, left: list[Left]) -> Raw:
    """A Service that stays an object, adapted where it has to be. What else has to change is named."""
    service = kept(source, options)
    spec = map_at(service, "spec")
    for index, port in enumerate(list_at(spec, "ports")):
        target = port.get("targetPort") if isinstance(port, dict) else None
        if isinstance(target, str):
            left.append(
                Left(
                    f"{source.title}: spec.ports[{port.get('name') or index}].targetPort",
                    _named_target(target, _protocol(port), selected),
                )
            )
    machines = [made for made in selected if made.is_machine]
    if machines and len(selected) == 1:
        service["spec"] = {**spec, "selector": {WORKLOAD_LABEL: machines[0].name}}
        left.append(
            Left(
                f"{source.title}: spec.selector",
                "the labels of the machine's template aren't on a Workload's machine: it is "
                f"{WORKLOAD_LABEL}: {machines[0].name} now",
            )
        )
    elif machines:
        left.append(
            Left(
                f"{source.title}: spec.selector",
                "the labels of a machine's template aren't on a Workload's machine: make a Service for each, "
                f"with the selector {WORKLOAD_LABEL}",
            )
        )
    return service
