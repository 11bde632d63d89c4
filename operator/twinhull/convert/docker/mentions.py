"""Finds where the texts of containers name other containers, and with which ports.

Source: docs.docker.com/engine/network/drivers/bridge: containers of one network reach each other by name, at
every port, exposed or not, published or not. A Service has only the ports that it lists.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from twinhull.api.group import Raw
from twinhull.convert.docker.draft import Draft

#: The ports of URLs that name none: IANA's list of services, and the clients' documentation.
_OF_SCHEMES = {
    "http": 80,
    "ws": 80,
    "https": 443,
    "wss": 443,
    "ldap": 389,
    "ldaps": 636,
    "amqp": 5672,
    "amqps": 5671,
    "mqtt": 1883,
    "nats": 4222,
    "redis": 6379,
    "rediss": 6379,
    "postgres": 5432,
    "postgresql": 5432,
    "mysql": 3306,
    "mariadb": 3306,
    "mongodb": 27017,
}
#: A word that may be a host's name, and the ports after it: rabbitmq:5672, zoo1:2888:3888. Images
#: (library/postgres:18, postgres:18-alpine) and users with a password (guest:1234@) don't match.
_WORD = re.compile(
    r"(?<![\w.-])(?<!\w/)(\w[\w-]*+(?:\.\w[\w-]*+)*+)((?::[0-9]{1,5})++(?![\w@-]|\.\w))?", re.ASCII
)
#: The end of a text before the host of a URL, perhaps with another host before it.
_URL = re.compile(r"([a-z][a-z0-9]{0,30})(?:\+[a-z0-9]{1,30})?://(?:[^\s/]{0,200}[@,])?$", re.IGNORECASE)
_LONGEST_URL = 300
_HIGHEST = 65_535
#: Variables with a host, beside which another one has the port: DB_HOST and DB_PORT. PORT without a prefix is
#: the container's own.
_HOST = re.compile(r"(.+?)(?:HOST|HOSTNAME|SERVER|ADDR|ADDRESS)", re.IGNORECASE)
#: The lowest port that systems don't reserve: a lower number after a name is as often a tag or a time.
_LOWEST_BARE = 1024
#: Variables with a user and a password, unless their name matches _HOST.
_CREDENTIALS = re.compile(r"AUTH|USER|PASS|CRED", re.IGNORECASE)
#: The end of a text before a user or an image, which isn't a host: chown -R redis:1000.
_NO_HOST = re.compile(
    r"(?<![^\s;&|(\"'])(?:(?:-u|--[\w-]{0,40}(?:user|auth|image))[\s=]|chown\s(?:\s{0,9}-[\w-]{1,40}\s)*)"
    r"\s{0,9}[\"']?$",
    re.ASCII,
)
_LONGEST_BEFORE = 100
#: A part of an IPv6 or MAC address, and the end of a text before such a part. A single part before a name may
#: be a port in ssh's options (-L 5432:db:5432).
_HEX = re.compile(r"[0-9a-f]{1,4}", re.IGNORECASE)
_IN_HEX = re.compile(r"(?<![\w.-])(?:[0-9a-f]{1,4}:){2,7}$", re.IGNORECASE)
#: Variables with an image, whose tag is no port, unless their value is a URL.
_IMAGE = re.compile(r"(?:^|_)IMAGE(?:_NAME|_TAG)?$", re.IGNORECASE)
#: The fields of a container in which others can be named.
_FIELDS = ("command", "args", "readinessProbe", "lifecycle")


@dataclass(slots=True)
class Mentions:
    """The mentions of one container."""

    #: The containers that name it, by the caller's keys.
    by: set[str] = field(default_factory=set)
    #: The ports at which it is reached, each with its protocol (empty if none is given), and the containers
    #: that do.
    ports: dict[tuple[int, str], set[str]] = field(default_factory=dict)
    #: The ports that a text gives itself, with the containers: http://web only implies its port.
    said: dict[tuple[int, str], set[str]] = field(default_factory=dict)

    def add(self, asker: str, ports: Iterable[tuple[int, str, bool]]) -> None:
        """Add a mention by the container `asker`: its ports, their protocols, and whether the text gives each
        port itself.
        """
        self.by.add(asker)
        for number, protocol, is_said in ports:
            self.ports.setdefault((number, protocol), set()).add(asker)
            if is_said:
                self.said.setdefault((number, protocol), set()).add(asker)


def mentions(
    names: dict[str, str], drafts: Iterable[tuple[str, Draft]], contents: dict[str, str]
) -> dict[str, Mentions]:
    """The mentions of each container that is mentioned, by its key.

    `names` has the key for each name of a container, `drafts` the containers that may mention others, by the
    same keys, and `contents` the text of ConfigMaps by their names.
    """
    found: dict[str, Mentions] = {}
    for asker, draft in drafts:
        for text, may_be_bare in _texts(draft, contents):
            for name, ports in _hosts(text, names.keys(), may_be_bare=may_be_bare):
                # A container's own URL without a port is mostly the one for people outside.
                said = [port for port in ports if port[2]]
                found.setdefault(names[name], Mentions()).add(asker, said if names[name] == asker else ports)
        for variables in _environments(draft):
            for name, number in _pairs(variables, names.keys()):
                found.setdefault(names[name], Mentions()).add(asker, [(number, "", True)])
    return found


def _hosts(
    text: str, names: Collection[str], *, may_be_bare: bool
) -> Iterator[tuple[str, list[tuple[int, str, bool]]]]:
    """The names in a text, each with its ports, their protocols, and whether the text gives the port itself.
    Unless a port may stand anywhere (`may_be_bare`), ports count only in URLs and after @.
    """
    for match in _WORD.finditer(text):
        name, after = match[1], text[match.end() : match.end() + 2]
        if name not in names or (not match[2] and after[:1] in {"@", ":"}):
            continue
        before = text[max(0, match.start() - _LONGEST_BEFORE) : match.start()]
        is_hex = (after == "::" or before.endswith(":")) and _HEX.fullmatch(name)
        if before.endswith("::") or (is_hex and (after == "::" or _IN_HEX.search(before))):
            continue
        scheme = _scheme(text, match.start())
        if match[2]:
            is_bare = not scheme and not before.endswith(("//", "@"))
            protocol = "UDP" if scheme == "udp" else "TCP" if scheme == "tcp" or scheme in _OF_SCHEMES else ""
            numbers = _numbers(match[2], lowest=_LOWEST_BARE if is_bare else 1)
            if is_bare and (not may_be_bare or _NO_HOST.search(before)):
                numbers = []
            yield name, [(number, protocol, True) for number in numbers]
        else:
            default = _OF_SCHEMES.get(scheme)
            yield name, [(default, "TCP", False)] if default else []


def _numbers(text: str, *, lowest: int) -> list[int]:
    """The ports after a name. If there are several, those after the first may be something else
    (redis:6379:1).
    """
    numbers = [int(number) if number[0] != "0" else 0 for number in text[1:].split(":")]
    several = numbers if min(numbers) >= _LOWEST_BARE else numbers[:1]
    return [number for number in several if lowest <= number <= _HIGHEST]


def _scheme(text: str, start: int) -> str:
    """The scheme of the URL whose host begins at `start`, empty if none does."""
    if start == 0 or text[start - 1] not in "/@,":
        return ""
    match = _URL.search(text[max(0, start - _LONGEST_URL) : start])
    return match[1].lower() if match else ""


def _pairs(variables: dict[str, str], names: Collection[str]) -> Iterator[tuple[str, int]]:
    """The names and ports that pairs of variables give."""
    for variable, value in variables.items():
        if value in names and (match := _HOST.fullmatch(variable)):
            port = variables.get(f"{match[1]}PORT", variables.get(f"{match[1]}port", ""))
            if re.fullmatch(r"[0-9]{1,5}", port) and 0 < int(port) <= _HIGHEST:
                yield value, int(port)


def _containers(draft: Draft) -> list[Raw]:
    return [draft.container, *draft.pod.get("initContainers", [])]


def _environments(draft: Draft) -> Iterator[dict[str, str]]:
    for container in _containers(draft):
        yield {variable["name"]: variable["value"] for variable in container.get("env", [])}


def _texts(draft: Draft, contents: dict[str, str]) -> Iterator[tuple[str, bool]]:
    """All texts of a container that may name others, each with whether a port in it may stand outside of a
    URL.
    """
    for variables in _environments(draft):
        for name, value in variables.items():
            if "://" in value or not _IMAGE.search(name):
                yield value, not _CREDENTIALS.search(name) or bool(_HOST.fullmatch(name))
    for container in _containers(draft):
        for key in _FIELDS:
            yield from ((text, True) for text in _strings(container.get(key)))
    config_maps = {volume["configMap"]["name"] for volume in draft.volumes if "configMap" in volume}
    yield from ((contents[name], True) for name in sorted(config_maps) if name in contents)


def _strings(value: Any) -> Iterator[str]:  # noqa: ANN401  JSON
    match value:
        case str():
            yield value
        case dict():
            for below in value.values():
                yield from _strings(below)
        case list() if all(isinstance(word, str) for word in value):
            yield "\n".join(value)  # a word may give the next one its meaning
        case list():
            for below in value:
                yield from _strings(below)
