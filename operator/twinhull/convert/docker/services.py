"""The Services of a container: the Workload's own, which has the container's ports unless spec.service lists
others, and one for each other name.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from twinhull.api.bounds import MOST_SERVICE_PORTS
from twinhull.api.group import WORKLOAD_LABEL, Raw
from twinhull.convert.conversion import Left, LeftKind
from twinhull.convert.docker.draft import Draft
from twinhull.convert.docker.givenoptions import InputValue

#: How many ports or names a sentence lists at most.
_MOST_LISTED = 8


def other_services(draft: Draft) -> Iterator[Raw]:
    """The Services for a Workload's other names. Without ports, such a Service is headless: its name leads to
    the hull's address.
    """
    for name in draft.aliases:
        listed = [
            {
                "name": f"{port.get('protocol', 'TCP').lower()}-{port['containerPort']}",
                "port": port["containerPort"],
                "protocol": port.get("protocol", "TCP"),
            }
            for port in draft.container.get("ports", [])
        ]
        yield {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": name},
            "spec": {
                **({} if listed else {"clusterIP": "None"}),
                "selector": {WORKLOAD_LABEL: draft.name},
                **({"ports": listed} if listed else {}),
                **({"publishNotReadyAddresses": True} if draft.is_reached_unready else {}),
            },
        }


def reach_unready(draft: Draft) -> None:
    """If a container has a health check, let its names lead to it even while the check fails.

    Docker's DNS and its published ports don't depend on health: docs.docker.com/reference/dockerfile,
    HEALTHCHECK, gives a container a status and nothing else. A Service leaves out Pods that aren't Ready
    (kubernetes.io/docs/concepts/services-networking/dns-pod-service). So a check that asks for the
    container's own name would never succeed (a replica set of MongoDB), members of a cluster would wait for
    each other for good (etcd), and a container that is only slow would be cut off from the others.

    To be called for containers whose names are used by others, or by themselves. Traffic from outside comes
    by the same Service, so it reaches them before they are Ready, too, as in Docker. A container that Compose
    would start once they are healthy (depends_on) reaches them earlier: it has to try again either way, since
    otherwise it would find no address. Workloads with StartFirst aren't changed: new connections have to go
    to the hull that is Ready.
    """
    starts_first = draft.spec.get("replacement", {}).get("strategy") == "StartFirst"
    if "readinessProbe" not in draft.container or draft.has_host_network or starts_first:
        return
    draft.is_reached_unready = True
    if draft.container.get("ports"):
        draft.spec["service"] = {**draft.spec.get("service", {}), "publishNotReadyAddresses": True}


def lead_by_name(draft: Draft) -> None:
    """Give a Workload without ports a Service of its name, since containers of a network find each other by
    name.

    Without ports, that isn't the operator's Service but one of our own. It is headless, so that the name
    leads to the hull at every port.
    """
    if draft.container.get("ports") or draft.has_host_network or draft.has_no_network:
        return
    draft.spec["service"] = {"enabled": False}
    draft.aliases.append(draft.name)


def lists_its_ports(draft: Draft) -> bool:
    """Whether a Workload is reached by its name only at the ports that its Service lists."""
    if draft.has_host_network or draft.has_no_network or draft.spec.get("service", {}).get("headless"):
        return False
    return bool(draft.container.get("ports"))


def declare(draft: Draft, number: int, protocol: str) -> Raw | None:
    """Add a port of the container to a Workload's Services, unless they have it. Returns the published port
    of the same number, which is replaced: in Docker, other containers reach the container's own port.
    """
    ports = draft.container["ports"]
    service: Raw = draft.spec.get("service", {})
    listed: list[Raw] = service.get("ports", [])
    if any((port["containerPort"], port.get("protocol", "TCP")) == (number, protocol) for port in ports):
        return None
    clash = next(
        (port for port in listed if (port["port"], port.get("protocol", "TCP")) == (number, protocol)), None
    )
    if max(len(ports), len(listed)) >= MOST_SERVICE_PORTS and clash is None:
        return None
    of_protocol = {} if protocol == "TCP" else {"protocol": protocol}
    draft.container["ports"] = [*ports, {"containerPort": number, **of_protocol}]
    if listed:
        kept = [port for port in listed if port is not clash]
        draft.spec["service"] = {**service, "ports": [*kept, {"port": number, **of_protocol}]}
    return clash


def outside(part: str, drafts: Iterable[Draft]) -> Iterator[Left]:
    """A remark on published ports, once for an input: a person has to choose how they are reached from
    outside, and nothing is lost until then.
    """
    reached = [draft for draft in drafts if any(draft.published.values()) and not draft.has_no_network]
    names = [draft.name for draft in reached]
    if names:
        listed = f"Service {names[0]}" if len(names) == 1 else f"Services {_listed(names)}"
        yield Left(
            part,
            f"published ports are for the cluster only ({listed}): to reach one from outside, set "
            "spec.service.type to LoadBalancer or NodePort, or lead an Ingress to the Service",
            LeftKind.CHECK,
        )


def _listed(words: list[str]) -> str:
    """Some of the words, joined for a sentence."""
    shown = words if len(words) <= _MOST_LISTED else [*words[: _MOST_LISTED - 1], "others"]
    return f"{', '.join(shown[:-1])} and {shown[-1]}"


def tell_ports(part: InputValue | str, draft: Draft, expose: str) -> None:
    """Name the ports at which other containers reach this one by its name. `expose` is the input's option or
    key for such ports.
    """
    ports = [
        str(port["containerPort"]) + (f"/{port['protocol']}" if "protocol" in port else "")
        for port in draft.container["ports"]
    ]
    listed = f"port {ports[0]}" if len(ports) == 1 else f"ports {_listed(ports)}"
    draft.leave(
        part,
        f"other containers reach it by its name at {listed} only, and in Docker at each port: if they need "
        f"another one, add it to {expose}, and convert again",
        LeftKind.CHECK,
    )
