"""The Service: one address for a Workload, whatever its hull."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from itertools import chain, count

from twinhull.api.base import GROUP, Raw
from twinhull.api.service import ServicePort, ServiceSettings
from twinhull.api.workload import ObjectMeta
from twinhull.hulls.applied import APPLIED_ANNOTATION
from twinhull.hulls.hull import HULL_NAME_LABEL, WORKLOAD_LABEL, owner_reference, timestamp
from twinhull.hulls.merge import difference, merge_patch

#: On the Service, while it sends new connections to one hull of two: since when.
PINNED_ANNOTATION = f"{GROUP}/pinned-at"
#: The fields of spec.service that a Service's spec has as they are.
_SAME = (
    *("loadBalancerClass", "externalTrafficPolicy", "internalTrafficPolicy"),
    *("sessionAffinity", "sessionAffinityConfig", "ipFamilyPolicy", "ipFamilies"),
)
#: Those that can change, and go back to the API server's default.
_FIELDS = (*_SAME, "publishNotReadyAddresses")


def render(
    workload: ObjectMeta, policy: ServiceSettings, ports: list[Raw], hull: str | None = None
) -> Raw | None:
    """The Service of a Workload, None when there is none: switched off, or without a port.

    `hull` is the one hull that it is to reach while there is another; None for whichever is ready. It notes
    what of it spec.service asks for, so that this can be taken off it again; nothing if that is nothing.
    """
    if not policy.enabled or not ports:
        return None
    fields = _policy_fields(policy)
    note = Asked.of(policy, fields).as_annotation()
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
    """The fields of the Service's spec that spec.service asks for beside its type."""
    settings = policy.raw()
    return {
        **{key: settings[key] for key in _SAME if key in settings},
        **({"publishNotReadyAddresses": True} if policy.publish_not_ready_addresses else {}),
        **({"clusterIP": "None"} if policy.headless else {}),
    }


def _fixed(port: Raw, node_ports: Mapping[str, int]) -> Raw:
    return {**port, "nodePort": node_ports[port["name"]]} if port["name"] in node_ports else port


def unknown_ports(policy: ServiceSettings, ports: list[Raw]) -> list[str]:
    """The names in spec.service.nodePorts that no port of the Service has."""
    return sorted(set(policy.node_ports or ()) - {port["name"] for port in ports})


def differences(desired: Raw, seen: Raw) -> tuple[str, ...]:
    """The fields in which a Service isn't what it should be. What others have added to it is theirs."""
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
            for key in _FIELDS
            if key in desired["spec"]
        },
        **dict.fromkeys(Asked.read(seen).beyond(desired).fields(), False),
    }
    return tuple(field for field, is_same in same.items() if not is_same)


def change(desired: Raw, seen: Raw) -> Raw:
    """The merge patch that makes a Service what it is to be: it leaves what it doesn't name. Of what was
    asked for once and isn't any more, the API server makes its defaults.
    """
    outdated = Asked.read(seen).beyond(desired)
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
    """Whether a Service has to be made anew, since it is to be headless and isn't, or the other way round:
    the API server changes no clusterIP. If somebody else made it so as it was created, it stays so.
    """
    wanted, is_headless = "clusterIP" in desired["spec"], seen["spec"].get("clusterIP") == "None"
    return wanted not in {is_headless, "clusterIP" in Asked.read(seen).spec}


def _own_part(key: str, seen: Raw, wanted: Raw) -> object:
    """What a Service has in a field, without the family that the API server adds to the first one of two
    (k8s.io/kubernetes/pkg/registry/core/service/storage/alloc.go).
    """
    if key != "ipFamilies" or wanted.get("ipFamilyPolicy", "SingleStack") == "SingleStack":
        return seen.get(key)
    return (seen.get(key) or [])[: len(wanted[key])]


def _matches(seen: object, wanted: object) -> bool:
    """Whether a field has what it is to have; the API server adds its defaults to maps."""
    return merge_patch({"it": seen}, {"it": wanted}) == {"it": seen}


def _has_node_ports(desired: Raw, seen: Raw) -> bool:
    node_ports = {port.get("name"): port.get("nodePort") for port in seen["spec"].get("ports") or ()}
    wanted = (port for port in desired["spec"]["ports"] if "nodePort" in port)
    return all(node_ports.get(port["name"]) == port["nodePort"] for port in wanted)


@dataclass(frozen=True, slots=True)
class Asked:
    """What of a Service spec.service asked for when it was last written: the keys of its annotations and
    labels, and the fields of its spec. Noted on the Service: what isn't in it is others'.
    """

    annotations: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    spec: tuple[str, ...] = ()

    @classmethod
    def of(cls, policy: ServiceSettings, fields: Raw) -> Asked:
        """What a policy asks for, of which `fields` are the Service's spec."""
        return cls(tuple(sorted(policy.annotations or ())), tuple(sorted(policy.labels or ())), tuple(fields))

    @classmethod
    def read(cls, seen: Raw) -> Asked:
        """A Service's note; empty if it has none that can be read. It speaks of nothing that is ours."""
        try:
            note = json.loads((seen["metadata"].get("annotations") or {})[APPLIED_ANNOTATION])
            return cls(
                tuple(key for key in note["annotations"] if not key.startswith(f"{GROUP}/")),
                tuple(key for key in note["labels"] if not key.startswith(f"{GROUP}/")),
                tuple(key for key in note["spec"] if key in {*_FIELDS, "clusterIP"}),
            )
        except (AttributeError, KeyError, RecursionError, TypeError, ValueError):
            return cls()

    def as_annotation(self) -> str:
        """The annotation's value, empty if nothing was asked for."""
        nonempty = {key: value for key, value in asdict(self).items() if value}
        return json.dumps(asdict(self), separators=(",", ":")) if nonempty else ""

    def beyond(self, desired: Raw) -> Asked:
        """The part of it that a Service isn't to have any more."""
        metadata = desired["metadata"]
        return Asked(
            tuple(key for key in self.annotations if key not in metadata.get("annotations", {})),
            tuple(key for key in self.labels if key not in metadata["labels"]),
            tuple(key for key in self.spec if key not in desired["spec"] and key != "clusterIP"),
        )

    def fields(self) -> list[str]:
        """It, as paths of fields."""
        parts = {"metadata.annotations": self.annotations, "metadata.labels": self.labels}
        return [*(part for part, keys in parts.items() if keys), *(f"spec.{key}" for key in self.spec)]


def pinned_since(seen: Raw, hull: str) -> datetime | None:
    """Since when a Service has reached that hull alone, None if it doesn't."""
    if (seen["spec"].get("selector") or {}).get(HULL_NAME_LABEL) != hull:
        return None
    try:
        return timestamp((seen["metadata"].get("annotations") or {}).get(PINNED_ANNOTATION))
    except ValueError:  # somebody else's writing
        return None


def is_pinned(seen: Raw) -> bool:
    """Whether a Service reaches one hull of two alone."""
    return HULL_NAME_LABEL in (seen["spec"].get("selector") or {})


def ports_of(seen: Raw) -> list[Raw]:
    """The ports of a Service, as we say them."""
    return [_without_defaults(port) for port in seen["spec"].get("ports") or ()]


def _without_defaults(port: Raw) -> Raw:
    """A port of a Service without what the API server puts in, such as the nodePort."""
    kept = {key: port.get(key) for key in ("name", "port", "targetPort", "protocol")}
    return kept | ({"appProtocol": port["appProtocol"]} if port.get("appProtocol") else {})


def ports_of_policy(policy: ServiceSettings) -> list[Raw]:
    """The ports that spec.service gives, which take the place of those of the containers.

    Each has a name of its own: a name that is given is kept, and one that is made gives way to it.
    """
    ports = policy.ports or ()
    names = {port.name for port in ports if port.name}

    def made(port: ServicePort) -> str:
        wanted = f"{port.protocol.lower()}-{port.port}"
        candidates = chain((wanted,), (f"{wanted}-{n}" for n in count(2)))
        name = next(name for name in candidates if name not in names)
        names.add(name)
        return name

    return [
        {
            "name": port.name or made(port),
            "port": port.port,
            "targetPort": port.target_port or port.port,
            "protocol": port.protocol,
            **({"appProtocol": port.app_protocol} if port.app_protocol else {}),
        }
        for port in ports
    ]


def serving(pod_spec: Raw) -> list[Raw]:
    """The containers whose ports a Service may reach, in the order in which Kubernetes looks for a port by
    its name: all containers, and then the sidecars.
    """
    sidecars = [c for c in pod_spec.get("initContainers") or () if c.get("restartPolicy") == "Always"]
    return [*pod_spec["containers"], *sidecars]


def declared(pod_spec: Raw) -> list[Raw]:
    """The ports of all containers and sidecars, each number and protocol once; the first to name it wins.

    Target ports are numbers, since a machine's launcher Pod doesn't have the containers' port names.
    """
    ports: dict[tuple[int, str], Raw] = {}
    names: set[str] = set()
    for container in serving(pod_spec):
        for port in container.get("ports") or ():
            number, protocol = port["containerPort"], port.get("protocol") or "TCP"
            if (number, protocol) in ports:
                continue
            made = f"{protocol.lower()}-{number}"
            candidates = chain((port.get("name") or made, made), (f"{made}-{n}" for n in count(2)))
            name = next(name for name in candidates if name not in names)
            names.add(name)
            ports[number, protocol] = {
                "name": name,
                "port": number,
                "targetPort": number,
                "protocol": protocol,
            }
    return list(ports.values())
