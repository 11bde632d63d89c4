"""The Service: one address for a Workload, whatever its hull."""

from __future__ import annotations

from itertools import chain, count

from twinhull.api.base import Raw
from twinhull.api.workload import ObjectMeta, ServicePolicy
from twinhull.hulls.hull import WORKLOAD_LABEL, owner_reference


def render(workload: ObjectMeta, policy: ServicePolicy, pod_spec: Raw) -> Raw | None:
    """The Service of a Workload, None when there is none: switched off, or no container declares a port.

    Target ports are numbers, since a machine's launcher Pod doesn't have the containers' port names.
    """
    ports = _ports(pod_spec)
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
            "selector": {WORKLOAD_LABEL: workload.name},
            "ports": ports,
        },
    }


def differs(desired: Raw, seen: Raw) -> bool:
    """Whether a Service isn't what it should be. What others have added to it is theirs."""
    return not (
        seen["spec"].get("type") == desired["spec"]["type"]
        and seen["spec"].get("selector") == desired["spec"]["selector"]
        and [_said(port) for port in seen["spec"].get("ports") or ()] == desired["spec"]["ports"]
        and desired["metadata"]["labels"].items() <= (seen["metadata"].get("labels") or {}).items()
    )


def _said(port: Raw) -> Raw:
    """A port of a Service without what the API server puts in, such as the nodePort."""
    return {key: port.get(key) for key in ("name", "port", "targetPort", "protocol")}


def _ports(pod_spec: Raw) -> list[Raw]:
    """The ports of all containers and sidecars, each number and protocol once; the first to name it wins."""
    sidecars = [c for c in pod_spec.get("initContainers") or () if c.get("restartPolicy") == "Always"]
    ports: dict[tuple[int, str], Raw] = {}
    names: set[str] = set()
    for container in (*pod_spec["containers"], *sidecars):
        for declared in container.get("ports") or ():
            number, protocol = declared["containerPort"], declared.get("protocol", "TCP")
            if (number, protocol) in ports:
                continue
            made = f"{protocol.lower()}-{number}"
            candidates = chain((declared.get("name") or made, made), (f"{made}-{n}" for n in count(2)))
            name = next(name for name in candidates if name not in names)
            names.add(name)
            ports[number, protocol] = {
                "name": name,
                "port": number,
                "targetPort": number,
                "protocol": protocol,
            }
    return list(ports.values())
