"""`networks`: which services can reach each other.

Source: the Compose Specification, chapter Networks: services that share no network can't reach each other,
and a service that has only internal networks can't reach anything outside of them.

In a cluster, all Pods can reach each other. So NetworkPolicies keep services apart, if the file does.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from twinhull.api.group import WORKLOAD_LABEL, Raw
from twinhull.convert.compose import typed
from twinhull.convert.conversion import CannotConvert, Left
from twinhull.convert.docker.draft import Draft
from twinhull.convert.docker.givenoptions import InputValue

#: The network of a service that names none.
_DEFAULT = "default"


@dataclass(frozen=True, slots=True)
class Attachment:
    """A service's networks."""

    networks: frozenset[str]
    #: Other names of the service.
    aliases: tuple[InputValue, ...] = ()


def attachment(service: InputValue, declared: Mapping[str, InputValue]) -> Attachment:
    """A service's networks; none with a network_mode. Raises CannotConvert for an undeclared network."""
    keys = typed.mapping(service)
    networks = keys.get("networks")
    mode = keys.get("network_mode")
    if mode is not None and mode.value is not None:
        if networks is not None and networks.value:
            raise CannotConvert(f"{networks.path}: there is a network_mode, too: remove one of the two")
        return Attachment(frozenset())
    if networks is None or not networks.value:
        return Attachment(frozenset([_DEFAULT]))
    if isinstance(networks.value, list):
        named = {typed.text(one): InputValue(one.path, None) for one in typed.listing(networks)}
    else:
        named = typed.mapping(networks)
    for name, network in named.items():
        if name not in declared and name != _DEFAULT:
            raise CannotConvert(f"{network.path}: {name!r} isn't among networks: add it there")
    aliases = [typed.mapping(network).get("aliases") for network in named.values()]
    return Attachment(
        frozenset(named), tuple(alias for listed in aliases if listed for alias in typed.listing(listed))
    )


def is_separated(attachments: Mapping[str, Attachment], declared: Mapping[str, InputValue]) -> bool:
    """Whether any service is kept from reaching another one, or the outside."""
    network_sets = [one.networks for one in attachments.values() if one.networks]
    return any(not one & other for one in network_sets for other in network_sets) or any(
        one <= internal(declared) for one in network_sets
    )


def internal(declared: Mapping[str, InputValue]) -> frozenset[str]:
    """The networks whose services can't reach the outside."""
    return frozenset(
        name
        for name, network in declared.items()
        if network.value is not None
        and "internal" in typed.mapping(network)
        and typed.truth(typed.mapping(network)["internal"])
    )


def policies(
    drafts: Mapping[str, Draft], attachments: Mapping[str, Attachment], declared: Mapping[str, InputValue]
) -> Iterator[Raw]:
    """A NetworkPolicy for each service with networks: who may reach it, and what it may reach if its networks
    are internal.
    """
    inner = internal(declared)
    for name, draft in drafts.items():
        own = attachments[name].networks
        if not own:
            continue
        peers = [other.name for key, other in drafts.items() if attachments[key].networks & own]
        closed = own <= inner
        # Others can't reach exposed ports, or ports on a loopback address, in Compose either: `expose` only
        # opens ports to linked services ("accessible to linked services", says the Compose Specification).
        published = {} if closed else draft.published
        ports = list({str(port): port for listed in published.values() for port in listed}.values())
        yield _policy(draft.name, peers, ports, closed=closed)


def external(declared: Mapping[str, InputValue]) -> Iterator[Left]:
    """An entry for each network that the file doesn't make itself."""
    for network in declared.values():
        key = typed.mapping(network).get("external") if network.value is not None else None
        if key is not None and (isinstance(key.value, dict) or typed.truth(key)):
            yield Left(key.path, "what else is in that network is reached by its Service, or by its own name")


def separation_sentence(declared: Mapping[str, InputValue]) -> str:
    """The sentence about each network, if there are NetworkPolicies."""
    return (
        (
            "NetworkPolicies keep services apart that share no network, if the cluster's network enforces "
            "them; everybody reaches each port that a service publishes, other than on a loopback address"
        )
        if declared
        else ""
    )


def _policy(name: str, peers: list[str], ports: list[Raw], *, closed: bool) -> Raw:
    of_peers = {
        "podSelector": {"matchExpressions": [{"key": WORKLOAD_LABEL, "operator": "In", "values": peers}]}
    }
    listed = [{"port": port["containerPort"], "protocol": port.get("protocol", "TCP")} for port in ports]
    spec: Raw = {
        "podSelector": {"matchLabels": {WORKLOAD_LABEL: name}},
        "policyTypes": ["Ingress", *(["Egress"] if closed else [])],
        "ingress": [{"from": [of_peers]}, *([{"ports": listed}] if listed else [])],
    }
    if closed:
        dns = {"namespaceSelector": {}, "podSelector": {"matchLabels": {"k8s-app": "kube-dns"}}}
        both = [{"port": 53, "protocol": protocol} for protocol in ("UDP", "TCP")]
        spec["egress"] = [{"to": [of_peers]}, {"to": [dns], "ports": both}]
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": name},
        "spec": spec,
    }
