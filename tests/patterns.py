"""The fields with a pattern that the operator reads itself, and values that engines may judge otherwise."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

#: No-break and ideographic spaces, next line, line and paragraph separators, zero width and byte order
#: marks, Arabic and fullwidth digits, letters that look like ASCII ones or fold to them, and ASCII's own
#: control characters.
ODD = (
    "\u00a0\u3000\u0085\u2028\u2029\u200b\ufeff\u0665\uff15\uff41\u0430\u017f\u212a\u0131\u00aa"
    "\n\r\t\v\f\x1f\x7f"
)


class Field(NamedTuple):
    """A field: the kind that has it, a value that fits, and the spec that has a given value there."""

    kind: str
    name: str
    value: str
    spec: Callable[[str], dict[str, Any]]

    def odd(self) -> Iterator[str]:
        """Its value with an odd character before, within and behind it."""
        middle = len(self.value) // 2
        for odd in ODD:
            yield odd + self.value
            yield self.value[:middle] + odd + self.value[middle:]
            yield self.value + odd


def _machine(**fields: Any) -> dict[str, Any]:
    template = {"spec": {"containers": [{"name": "web", "image": "nginx"}]}}
    return {"template": template, "virtualMachine": fields}


def _match(**match: Any) -> dict[str, Any]:
    return {"minimum": "Sandbox", "match": match}


def _requirement(**requirement: Any) -> dict[str, Any]:
    return _match(namespaceSelector={"matchExpressions": [requirement]})


FIELDS = (
    Field(
        "Workload",
        "mirrors",
        "https://mirror.example/a",
        lambda value: _machine(registries=[{"host": "docker.io", "mirrors": [value]}]),
    ),
    Field("Workload", "host", "docker.io:443", lambda value: _machine(registries=[{"host": value}])),
    Field("Workload", "guestImagePullSecret", "pull.s", lambda value: _machine(guestImagePullSecret=value)),
    Field("IsolationPolicy", "images", "docker.io/*", lambda value: _match(images=[value])),
    Field("IsolationPolicy", "serviceAccounts", "ci/bob", lambda value: _match(serviceAccounts=[value])),
    Field(
        "IsolationPolicy",
        "matchLabels",
        "gold",
        lambda value: _match(namespaceSelector={"matchLabels": {"tier": value}}),
    ),
    Field(
        "IsolationPolicy", "key", "a.example/tier", lambda value: _requirement(key=value, operator="Exists")
    ),
    Field(
        "IsolationPolicy",
        "values",
        "gold",
        lambda value: _requirement(key="tier", operator="In", values=[value]),
    ),
    Field(
        "IsolationPolicy",
        "guestImagePullSecret",
        "pull.s",
        lambda value: {
            "minimum": "VirtualMachine",
            "virtualMachine": {"guestImage": "a", "guestImagePullSecret": value},
        },
    ),
)
