"""The Service: one address for a Workload, whatever its hull."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from itertools import chain, count

from twinhull.api.base import GROUP, Raw
from twinhull.api.service import ServicePort, ServiceSettings
from twinhull.api.workload import ObjectMeta
from twinhull.hulls.applied import APPLIED_ANNOTATION
from twinhull.hulls.hull import HULL_NAME_LABEL, WORKLOAD_LABEL, owner_reference
from twinhull.hulls.merge import difference, merge_patch
from twinhull.hulls.objectmeta import timestamp
from twinhull.hulls.servicenote import CHANGEABLE_FIELDS, COPIED_FIELDS, RequestedServiceFields

#: On a Service that sends new connections to one of two hulls only: since when it does so.
PINNED_ANNOTATION = f"{GROUP}/pinned-at"


def render(
    workload: ObjectMeta, policy: ServiceSettings, ports: list[Raw], hull: str | None = None
) -> Raw | None:
    """The Service of a Workload; None if spec.service disables it or no port is named.

    `hull` is the name of the only hull that the Service selects while two exist; None selects every ready
    hull. The Service carries a note of the labels, annotations and fields that spec.service asks for, so that
    the operator can remove them later. It carries no note if spec.service asks for none.
    """
    if not policy.enabled or not ports:
        return None
    fields = _policy_fields(policy)
    note = RequestedServiceFields.of(policy, fields).as_annotation()
    annotations = {**(policy.annotations or {}), **({APPLIED_ANNOTATION: note} if note else {})}
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {
            "name": workload.name,
            "namespace": workload.namespace,
            "labels": {**(policy.labels or {}), WORKLOAD_LABEL: workload.name},
            **({"annotations": annotations} if annotations else {}),
            "ownerReferences": [owner_reference(workload)],
        },
        "spec": {
            "type": policy.type,
            "selector": {WORKLOAD_LABEL: workload.name, **({HULL_NAME_LABEL: hull} if hull else {})},
            "ports": [_fixed(port, policy.node_ports or {}) for port in ports],
            **fields,
        },
    }


def _policy_fields(policy: ServiceSettings) -> Raw:
    """The fields of the Service's spec that spec.service sets, without the type and the ports."""
    settings = policy.raw()
    return {
        **{key: settings[key] for key in COPIED_FIELDS if key in settings},
        **({"publishNotReadyAddresses": True} if policy.publish_not_ready_addresses else {}),
        **({"clusterIP": "None"} if policy.headless else {}),
    }


def _fixed(port: Raw, node_ports: Mapping[str, int]) -> Raw:
    return {**port, "nodePort": node_ports[port["name"]]} if port["name"] in node_ports else port


def unknown_ports(policy: ServiceSettings, ports: list[Raw]) -> list[str]:
    """The names in spec.service.nodePorts that aren't the name of any of the Service's `ports`."""
    return sorted(set(policy.node_ports or ()) - {port["name"] for port in ports})


def differences(desired: Raw, seen: Raw) -> tuple[str, ...]:
    """The paths of the fields in which the Service `seen` differs from `desired`. Labels, annotations and
    fields that others have added don't count.
    """
    metadata, spec = desired["metadata"], seen["spec"]
    same = {
        "spec.type": spec.get("type") == desired["spec"]["type"],
        "spec.selector": spec.get("selector") == desired["spec"]["selector"],
        "spec.ports": ports_of(seen) == ports_of(desired) and _has_node_ports(desired, seen),
        "metadata.labels": metadata["labels"].items() <= (seen["metadata"].get("labels") or {}).items(),
        "metadata.annotations": metadata.get("annotations", {}).items()
        <= (seen["metadata"].get("annotations") or {}).items(),
        **{
            f"spec.{key}": _matches(_own_part(key, spec, desired["spec"]), desired["spec"][key])
            for key in CHANGEABLE_FIELDS
            if key in desired["spec"]
        },
        **dict.fromkeys(RequestedServiceFields.read(seen).no_longer_in(desired).paths(), False),
    }
    return tuple(field for field, is_same in same.items() if not is_same)


def change(desired: Raw, seen: Raw) -> Raw:
    """The merge patch that turns the Service `seen` into `desired`. Fields that others have added stay. A
    field that spec.service no longer asks for is removed, and gets the API server's default.
    """
    outdated = RequestedServiceFields.read(seen).no_longer_in(desired)
    present = (seen["metadata"].get("annotations") or {}).keys()
    own = {} if APPLIED_ANNOTATION in desired["metadata"].get("annotations", {}) else {APPLIED_ANNOTATION}
    gone = {*outdated.annotations, *own} & present
    annotations = {**dict.fromkeys(sorted(gone)), **desired["metadata"].get("annotations", {})}
    return {
        "metadata": {
            "labels": {**dict.fromkeys(outdated.labels), **desired["metadata"]["labels"]},
            **({"annotations": annotations} if annotations else {}),
        },
        "spec": {
            **{key: value for key, value in desired["spec"].items() if key != "clusterIP"},
            **dict.fromkeys(outdated.spec),
            "selector": difference(seen["spec"].get("selector") or {}, desired["spec"]["selector"]),
        },
    }


def is_of_another_kind(desired: Raw, seen: Raw) -> bool:
    """Whether a Service has to be deleted and created anew, since only one of `desired` and `seen` is
    headless: the API server lets nobody change clusterIP. False if spec.service asked for the same at the
    last write: then somebody else, such as a webhook, made it otherwise, and would again.
    """
    wanted, is_headless = "clusterIP" in desired["spec"], seen["spec"].get("clusterIP") == "None"
    return wanted not in {is_headless, "clusterIP" in RequestedServiceFields.read(seen).spec}


def _own_part(key: str, seen: Raw, wanted: Raw) -> object:
    """The value of a field of a Service's spec, without the second ipFamily that the API server adds to a
    dual-stack Service (k8s.io/kubernetes/pkg/registry/core/service/storage/alloc.go).
    """
    if key != "ipFamilies" or wanted.get("ipFamilyPolicy", "SingleStack") == "SingleStack":
        return seen.get(key)
    return (seen.get(key) or [])[: len(wanted[key])]


def _matches(seen: object, wanted: object) -> bool:
    """Whether a field has the wanted value. A map may have further keys: the API server adds its defaults."""
    return merge_patch({"it": seen}, {"it": wanted}) == {"it": seen}


def _has_node_ports(desired: Raw, seen: Raw) -> bool:
    node_ports = {port.get("name"): port.get("nodePort") for port in seen["spec"].get("ports") or ()}
    wanted = (port for port in desired["spec"]["ports"] if "nodePort" in port)
    return all(node_ports.get(port["name"]) == port["nodePort"] for port in wanted)


def pinned_since(seen: Raw, hull: str) -> datetime | None:
    """Since when a Service has selected that hull only; None if it doesn't, or the time isn't known."""
    if (seen["spec"].get("selector") or {}).get(HULL_NAME_LABEL) != hull:
        return None
    try:
        return timestamp((seen["metadata"].get("annotations") or {}).get(PINNED_ANNOTATION))
    except ValueError:  # somebody else wrote the annotation
        return None


def is_pinned(seen: Raw) -> bool:
    """Whether a Service selects one hull by its name."""
    return HULL_NAME_LABEL in (seen["spec"].get("selector") or {})


def ports_of(seen: Raw) -> list[Raw]:
    """The ports of a Service in the form in which the operator writes them: without the defaults."""
    return [_without_defaults(port) for port in seen["spec"].get("ports") or ()]


def _without_defaults(port: Raw) -> Raw:
    """A port of a Service without the fields that the API server adds, such as nodePort."""
    kept = {key: port.get(key) for key in ("name", "port", "targetPort", "protocol")}
    return kept | ({"appProtocol": port["appProtocol"]} if port.get("appProtocol") else {})


def ports_of_policy(policy: ServiceSettings) -> list[Raw]:
    """The ports that spec.service lists. They replace the ports of the containers.

    A port without a name gets one that no other port has.
    """
    ports = policy.ports or ()
    names = {port.name for port in ports if port.name}

    def name_of(port: ServicePort) -> str:
        name = _free_name((f"{port.protocol.lower()}-{port.port}",), names)
        names.add(name)
        return name

    return [
        {
            "name": port.name or name_of(port),
            "port": port.port,
            "targetPort": port.target_port or port.port,
            "protocol": port.protocol,
            **({"appProtocol": port.app_protocol} if port.app_protocol else {}),
        }
        for port in ports
    ]


def _free_name(wanted: tuple[str, ...], names: Collection[str]) -> str:
    """The first of the `wanted` names that isn't in `names`, or else the last one with the first free number
    from 2 on: tcp-80, tcp-80-2, tcp-80-3.
    """
    numbered = (f"{wanted[-1]}-{n}" for n in count(2))
    return next(name for name in chain(wanted, numbered) if name not in names)


def serving(pod_spec: Raw) -> list[Raw]:
    """The containers whose ports a Service may reach: all containers, then the sidecars. In this order
    Kubernetes looks for a port by its name.
    """
    sidecars = [c for c in pod_spec.get("initContainers") or () if c.get("restartPolicy") == "Always"]
    return [*pod_spec["containers"], *sidecars]


def declared(pod_spec: Raw) -> list[Raw]:
    """The ports of all containers and sidecars, each number and protocol once. Its first container names it.

    Target ports are numbers, since a machine's launcher Pod doesn't have the containers' port names.
    """
    ports: dict[tuple[int, str], Raw] = {}
    names: set[str] = set()
    for container in serving(pod_spec):
        for port in container.get("ports") or ():
            number, protocol = port["containerPort"], port.get("protocol") or "TCP"
            if (number, protocol) in ports:
                continue
            default = f"{protocol.lower()}-{number}"
            name = _free_name((port.get("name") or default, default), names)
            names.add(name)
            ports[number, protocol] = {
                "name": name,
                "port": number,
                "targetPort": number,
                "protocol": protocol,
            }
    return list(ports.values())
