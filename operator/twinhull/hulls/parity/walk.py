"""Walks through a template: all of its fields, its containers, and its ephemeral claims."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

from twinhull.api.base import Raw

Field: TypeAlias = tuple[str, str, object]

#: The longest name of an element that a path contains: no Kubernetes object has a longer one.
_LONGEST_NAME = 253


def fields(value: object) -> list[Field]:
    """Every field below `value`: its path in the parity table, its path for people, and its value."""
    collected: list[Field] = []
    _add_fields(value, "", "", collected)
    return collected


def _add_fields(value: object, path: str, where: str, collected: list[Field]) -> None:
    if isinstance(value, dict):
        within = (f"{path}.", f"{where}.") if path else ("", "")
        for key, below in value.items():
            at = (f"{within[0]}{key}", f"{within[1]}{key}")
            collected.append((*at, below))
            if isinstance(below, dict | list):
                _add_fields(below, *at, collected)
    elif isinstance(value, list):
        for index, below in enumerate(value):
            if isinstance(below, dict | list):
                _add_fields(below, f"{path}[]", f"{where}[{_name(below, index)}]", collected)


def containers(spec: Raw) -> Iterator[tuple[str, Raw]]:
    """The init containers and containers of a Pod's spec, each with the name of its list."""
    for kind in ("initContainers", "containers"):
        for container in spec.get(kind) or ():
            yield kind, container


def claim_templates(pod_spec: Raw) -> dict[str, Raw]:
    """The volumeClaimTemplates of a Pod's ephemeral volumes, by the names of the volumes."""
    return {
        volume["name"]: made
        for volume in pod_spec.get("volumes") or ()
        if (made := (volume.get("ephemeral") or {}).get("volumeClaimTemplate"))
    }


def _name(element: object, index: int) -> object:
    """The name by which a path denotes a list's element: its mountPath or name, else its index. Overrides may
    have names that are no text, or too long: these aren't used, since the path of each field below would
    repeat them.
    """
    if not isinstance(element, dict):
        return index
    name = element.get("mountPath") or element.get("name", index)
    return name if isinstance(name, str) and len(name) <= _LONGEST_NAME else index
