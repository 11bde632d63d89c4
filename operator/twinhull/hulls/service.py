"""The Service: one address for a Workload, whatever its hull."""

from __future__ import annotations

from datetime import datetime
from itertools import chain, count

from twinhull.api.base import GROUP, Raw
from twinhull.api.workload import ObjectMeta, ServicePolicy
from twinhull.hulls.hull import HULL_NAME_LABEL, WORKLOAD_LABEL, owner_reference, timestamp

#: On the Service, while it sends new connections to one hull of two: since when.
PINNED_ANNOTATION = f"{GROUP}/pinned-at"


def render(
    workload: ObjectMeta, policy: ServicePolicy, ports: list[Raw], hull: str | None = None
) -> Raw | None:
    """The Service of a Workload, None when there is none: switched off, or without a port.

    `hull` is the one hull that it is to reach while there is another; None for whichever is ready.
    """
    if not policy.enabled or not ports:
        return None
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {
            "name": workload.name,
            "namespace": workload.namespace,
            "labels": {WORKLOAD_LABEL: workload.name},
            "ownerReferences": [owner_reference(workload)],
        },
        "spec": {
            "type": policy.type,
            "selector": {WORKLOAD_LABEL: workload.name, **({HULL_NAME_LABEL: hull} if hull else {})},
            "ports": ports,
        },
    }


def differences(desired: Raw, seen: Raw) -> tuple[str, ...]:
    """The fields in which a Service isn't what it should be. What others have added to it is theirs."""
    same = {
        "spec.type": seen["spec"].get("type") == desired["spec"]["type"],
        "spec.selector": seen["spec"].get("selector") == desired["spec"]["selector"],
        "spec.ports": ports_of(seen) == desired["spec"]["ports"],
        "metadata.labels": desired["metadata"]["labels"].items()
        <= (seen["metadata"].get("labels") or {}).items(),
    }
    return tuple(field for field, is_same in same.items() if not is_same)


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
    return [_said(port) for port in seen["spec"].get("ports") or ()]


def _said(port: Raw) -> Raw:
    """A port of a Service without what the API server puts in, such as the nodePort."""
    return {key: port.get(key) for key in ("name", "port", "targetPort", "protocol")}


def declared(pod_spec: Raw) -> list[Raw]:
    """The ports of all containers and sidecars, each number and protocol once; the first to name it wins.

    Target ports are numbers, since a machine's launcher Pod doesn't have the containers' port names.
    """
    sidecars = [c for c in pod_spec.get("initContainers") or () if c.get("restartPolicy") == "Always"]
    found: dict[tuple[int, str], Raw] = {}
    names: set[str] = set()
    for container in (*pod_spec["containers"], *sidecars):
        for port in container.get("ports") or ():
            number, protocol = port["containerPort"], port.get("protocol", "TCP")
            if (number, protocol) in found:
                continue
            made = f"{protocol.lower()}-{number}"
            candidates = chain((port.get("name") or made, made), (f"{made}-{n}" for n in count(2)))
            name = next(name for name in candidates if name not in names)
            names.add(name)
            found[number, protocol] = {
                "name": name,
                "port": number,
                "targetPort": number,
                "protocol": protocol,
            }
    return list(found.values())
