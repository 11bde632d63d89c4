"""How deep an object is nested, measured without recursion."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeAlias

_Container: TypeAlias = dict[str, Any] | list[Any]


def nested_deeper(value: object, limit: int) -> bool:
    """Whether more than `limit` maps and lists are nested in each other, counting the outermost."""
    level = _containers([value])
    for _ in range(limit):
        level = _containers(below for container in level for below in _within(container))
    return bool(level)


def _containers(values: Iterable[object]) -> list[_Container]:
    return [value for value in values if isinstance(value, dict | list)]


def _within(container: _Container) -> Iterable[object]:
    return container.values() if isinstance(container, dict) else container
