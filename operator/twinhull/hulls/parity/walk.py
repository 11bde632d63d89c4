"""Ways through a template: all of its fields, and all of its containers."""

from __future__ import annotations

from collections.abc import Iterator

from twinhull.api.base import Raw


def fields(value: object, path: str = "", where: str = "") -> Iterator[tuple[str, str, object]]:
    """Every field below `value`: its path in the table, where it is for a person, and its value."""
    if isinstance(value, dict):
        for key, below in value.items():
            at = (f"{path}.{key}".lstrip("."), f"{where}.{key}".lstrip("."))
            yield (*at, below)
            yield from fields(below, *at)
    elif isinstance(value, list):
        for index, below in enumerate(value):
            yield from fields(below, f"{path}[]", f"{where}[{_name(below, index)}]")


def containers(spec: Raw) -> Iterator[tuple[str, Raw]]:
    """A Pod's init containers and containers, each with the name of the list that it is in."""
    for kind in ("initContainers", "containers"):
        for container in spec.get(kind) or ():
            yield kind, container


def _name(element: object, index: int) -> object:
    """What tells a list's element from the others: Kubernetes' own keys, or else its place."""
    if not isinstance(element, dict):
        return index
    return element.get("mountPath") or element.get("name", index)
