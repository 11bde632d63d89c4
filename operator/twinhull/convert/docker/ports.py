"""Ports: those that Docker publishes, and those that a Workload's Service then has.

Source: docker run's reference (`--publish`, `--expose`), and the Compose Specification (`ports`, `expose`).

In Docker, containers of one network reach a container at its own port, and everybody else reaches it at the
host's port. So the Service has both numbers, if they differ.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count

from twinhull.api import commands
from twinhull.api.bounds import MOST_SERVICE_PORTS
from twinhull.api.group import Raw
from twinhull.api.objectnames import is_port_name
from twinhull.convert.conversion import CannotConvert, LeftKind
from twinhull.convert.docker.addresses import is_address, is_loopback
from twinhull.convert.docker.draft import Draft
from twinhull.convert.docker.givenoptions import GivenOptions, InputValue

_HIGHEST = 65_535
_RANGE = re.compile(r"([0-9]{1,5})(?:-([0-9]{1,5}))?")
_PROTOCOLS = {"tcp": "TCP", "udp": "UDP", "sctp": "SCTP"}
#: Addresses that mean all addresses of the host.
_EVERY = frozenset({"", "0.0.0.0", "::"})  # noqa: S104  addresses that are read


@dataclass(frozen=True, slots=True)
class Publication:
    """Ports of a container, and the host's ports that lead to them."""

    path: str
    #: The first and the last port of the container.
    inside: tuple[int, int]
    #: The first and the last port of the host; None if it has none, or Docker chooses them.
    outside: tuple[int, int] | None = None
    #: The host's address, empty for all.
    address: str = ""
    protocol: str = "TCP"
    #: Whether the host has a port for it at all.
    published: bool = True
    name: str = ""
    app_protocol: str = ""

    @property
    def numbers(self) -> range:
        """The container's ports."""
        return range(self.inside[0], self.inside[1] + 1)


def parse(port: InputValue) -> Publication:
    """A port as `--publish` and Compose's `ports` take it: [[ip:][host]:]container[/protocol], where host and
    container may be ranges. Raises CannotConvert for an invalid one.
    """
    text = str(port.value).strip()
    if "=" in text:
        return _named(port, text)
    rest, _, protocol = text.partition("/")
    address, numbers = _address(rest)
    outside, colon, inside = numbers.rpartition(":")
    if colon and not outside and not address:
        return Publication(port.path, span(port, inside), protocol=protocol_of(port, protocol))
    return _publication(port, inside, outside, address, protocol)


def exposed(port: InputValue) -> Publication:
    """A port as `--expose` takes it: a number or a range, and a protocol."""
    inside, _, protocol = str(port.value).strip().partition("/")
    return Publication(port.path, span(port, inside), protocol=protocol_of(port, protocol), published=False)


def span(port: InputValue, text: str) -> tuple[int, int]:
    """A port, or a range of ports. Raises CannotConvert for an invalid one."""
    match = _RANGE.fullmatch(text.strip())
    first, last = (int(match[1]), int(match[2] or match[1])) if match else (0, 0)
    if not 1 <= first <= last <= _HIGHEST:
        raise CannotConvert(f"{port.path}: {text[:40]!r} is no port: write a number from 1 to {_HIGHEST}")
    return first, last


def host_span(port: InputValue, text: str) -> tuple[int, int] | None:
    """The ports of the host, None if Docker chooses them, as it does for 0 (github.com/moby/moby,
    libnetwork/portallocator).
    """
    return None if text.strip() in {"", "0"} else span(port, text)


def protocol_of(port: InputValue, text: str) -> str:
    """A protocol as Kubernetes writes it. Raises CannotConvert for an invalid one."""
    if (protocol := _PROTOCOLS.get(text.strip().lower() or "tcp")) is None:
        raise CannotConvert(f"{port.path}: {text[:40]!r} is no protocol: write tcp, udp or sctp")
    return protocol


def ports(options: GivenOptions, draft: Draft) -> None:
    """The options `publish` and `expose`: the container's ports, and the Service's."""
    publications = [
        port.value if isinstance(port.value, Publication) else parse(port) for port in options.take("publish")
    ]
    publications += [exposed(port) for port in options.take("expose")]
    declared: dict[tuple[int, str], Raw] = {}
    for publication in publications:
        if publication.published and draft.has_host_network:
            draft.leave(
                publication.path,
                "with the host's network nothing is published: the node has each port itself",
            )
        elif len(publication.numbers) + len(declared) > MOST_SERVICE_PORTS:
            draft.leave(
                publication.path,
                f"a Service lists each of its ports, and a Workload's at most {MOST_SERVICE_PORTS}: publish "
                "fewer, or have the host's network (spec.template.spec.hostNetwork)",
            )
        else:
            _declare(publication, declared, draft)
    if declared:
        draft.container["ports"] = list(declared.values())
    draft.published = {
        one.path: [
            declared[number, one.protocol] for number in one.numbers if (number, one.protocol) in declared
        ]
        for one in publications
        if one.published and not is_loopback(one.address) and not draft.has_host_network
    }
    others = list(_others(publications, declared, draft))
    protocols = {
        (number, publication.protocol): publication.app_protocol
        for publication in publications
        if publication.app_protocol
        for number in publication.numbers
    }
    if declared and (others or protocols):
        own = [_service_port(port, protocols) for port in declared.values()]
        draft.spec["service"] = {**draft.spec.get("service", {}), "ports": [*own, *others]}


def _named(port: InputValue, text: str) -> Publication:
    """The form `published=8080,target=80,protocol=tcp`."""
    parts = dict(part.partition("=")[::2] for part in text.split(","))
    if not parts.keys() <= {"published", "target", "protocol"} or "target" not in parts:
        raise CannotConvert(f"{port.path}: {text[:80]!r} is no port: write one such as 8080:80")
    return _publication(port, parts["target"], parts.get("published", ""), "", parts.get("protocol", ""))


def _publication(port: InputValue, inside: str, outside: str, address: str, protocol: str) -> Publication:
    within, host = span(port, inside), host_span(port, outside)
    if address not in {"", "localhost"} and not is_address(address):
        raise CannotConvert(f"{port.path}: {address[:60]!r} is no address of a host: correct it")
    if host and within[0] != within[1] and host[1] - host[0] != within[1] - within[0]:
        raise CannotConvert(
            f"{port.path}: {outside} and {inside} are ranges of different lengths: correct them"
        )
    return Publication(port.path, within, host, address, protocol_of(port, protocol))


def _address(text: str) -> tuple[str, str]:
    """The host's address, empty if there is none, and the rest of the text."""
    if text.startswith("["):
        address, _, rest = text[1:].partition("]")
        return address, rest.removeprefix(":")
    parts = text.rsplit(":", 2)
    return (parts[0], f"{parts[1]}:{parts[2]}") if len(parts) == 3 else ("", text)  # noqa: PLR2004  ip, host, inside


def _declare(publication: Publication, declared: dict[tuple[int, str], Raw], draft: Draft) -> None:
    name, single = publication.name, publication.inside[0] == publication.inside[1]
    names = {port.get("name") for port in declared.values()}
    if name and not (single and is_port_name(name) and name not in names):
        draft.leave(
            f"{publication.path}.name",
            "Kubernetes takes up to 15 lower-case letters, digits and '-' as a port's name, and each name "
            "once",
        )
        name = ""
    for number in publication.numbers:
        key = (number, publication.protocol)
        protocol = {} if publication.protocol == "TCP" else {"protocol": publication.protocol}
        declared.setdefault(key, {**({"name": name} if name else {}), "containerPort": number, **protocol})


def _others(
    publications: list[Publication], declared: dict[tuple[int, str], Raw], draft: Draft
) -> Iterator[Raw]:
    """The Service's ports for ports published under another number. Ports that can't be are named."""
    used_ports = set(declared)
    for one in publications:
        if not one.published or draft.has_host_network or (one.inside[0], one.protocol) not in declared:
            continue
        if is_loopback(one.address):
            draft.leave(one.path, _loopback(one, draft))
            continue
        if one.address not in _EVERY:
            draft.leave(one.path, f"a Service has an address of its own: {one.address[:60]} is left out")
        if one.outside is None or len(one.numbers) != one.outside[1] - one.outside[0] + 1:
            among = f" among {one.outside[0]} to {one.outside[1]}" if one.outside else ""
            why = f"Docker chooses the host's port{among}, and a Service has the container's"
            draft.leave(one.path, why, LeftKind.MEANINGLESS)
            continue
        pairs = zip(count(one.outside[0]), one.numbers, strict=False)
        others = {outside: inside for outside, inside in pairs if outside != inside}
        clash = [outside for outside in others if (outside, one.protocol) in used_ports]
        if clash or len(used_ports) + len(others) > MOST_SERVICE_PORTS:
            draft.leave(one.path, _clash(clash))
            continue
        used_ports |= {(outside, one.protocol) for outside in others}
        protocol = {} if one.protocol == "TCP" else {"protocol": one.protocol}
        yield from ({"port": outside, "targetPort": inside, **protocol} for outside, inside in others.items())


#: The most ports of a range that a command in a message lists.
_MOST_FORWARDED = 20


def _loopback(publication: Publication, draft: Draft) -> str:
    outside = publication.outside or publication.inside
    first, last = publication.inside
    pairs = [f"{here}:{there}" for here, there in zip(count(outside[0]), publication.numbers, strict=False)]
    forward = commands.ours("port-forward", draft.name, draft.namespace, *pairs[:_MOST_FORWARDED])
    more = f", and so on to {pairs[-1]}" if len(pairs) > _MOST_FORWARDED else ""
    ports, are = (
        (f"its port is the container's, {first}", "the port")
        if first == last
        else (f"its ports are the container's, {first} to {last}", "the ports")
    )
    return (
        f"only this host was to reach {are}, and a Service is reached from the whole cluster: {ports}, as "
        f"for other containers; for yourself, run {forward}{more}"
    )


def _clash(clash: list[int]) -> str:
    if not clash:
        return f"a Service has at most {MOST_SERVICE_PORTS} ports, so that it has the container's ports alone"
    return f"the Service's port {clash[0]} leads to the container's port of that number"


def _service_port(port: Raw, protocols: dict[tuple[int, str], str]) -> Raw:
    number, protocol = port["containerPort"], port.get("protocol", "TCP")
    app = protocols.get((number, protocol))
    return {
        **({"name": port["name"]} if "name" in port else {}),
        "port": number,
        **({"protocol": protocol} if protocol != "TCP" else {}),
        **({"appProtocol": app} if app else {}),
    }
