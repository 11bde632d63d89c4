"""Reads JSON as PowerShell's ConvertTo-Json writes it into Nodes."""

from __future__ import annotations

import json
from typing import Any, NoReturn

from twinhull.convert.conversion import CannotConvert
from twinhull.convert.machines.tree import MAX_DEPTH, MOST_NODES, Node, bounded, locate, printable

#: The most characters of a key.
_LONGEST_NAME = 256


def read(text: str) -> Node:
    """A root node with one node below it for each object. Raises CannotConvert for a text that isn't objects
    of JSON.

    A single object counts as a list of one. So does an object with `value` and `Count`, which PowerShell 5.1
    makes of some lists. An element of a list has the list's name.
    """
    try:
        document = json.loads(bounded(text), object_pairs_hook=_pairs, parse_constant=_no_constant)
    except ValueError as error:
        raise CannotConvert(f"this is not valid JSON: {error}") from error
    except RecursionError as error:
        raise CannotConvert(
            "the JSON nests too deep to be read: give ConvertTo-Json a smaller -Depth"
        ) from error
    listed = _unwrapped(document)
    objects = listed if isinstance(listed, list) else [listed]
    if not all(isinstance(obj, dict) for obj in objects):
        raise CannotConvert("the JSON isn't an object, or a list of objects: give what ConvertTo-Json prints")
    counter = _Counter()
    root = Node("", is_group=True)
    for number, obj in enumerate(objects):
        node = counter.node("", obj, 1)
        root.children.append(locate(node, xml=False, path=f"[{number}]" if isinstance(listed, list) else ""))
    return root


class _Counter:
    def __init__(self) -> None:
        self._nodes = 0

    def node(self, name: str, value: Any, depth: int) -> Node:  # noqa: ANN401  JSON
        self._nodes += 1
        printable(name, "a key of the JSON")
        if len(name) > _LONGEST_NAME:
            raise CannotConvert(f"the JSON has the key {name[:64]}…, which is too long for one: correct it")
        if self._nodes > MOST_NODES:
            raise CannotConvert(f"the JSON has more than {MOST_NODES:,} values: it is too large")
        if depth > MAX_DEPTH:
            raise CannotConvert(
                f"the JSON nests more than {MAX_DEPTH} levels deep: no machine's description does"
            )
        if isinstance(value, dict):
            below = [
                self.node(key, item, depth + 1) for key, inner in value.items() for item in _elements(inner)
            ]
            return Node(name, None, below)
        if value is None or value == "" or isinstance(value, list):  # a list in a list has no meaning here
            return Node(name)
        text = json.dumps(value) if isinstance(value, bool) else str(value)
        return Node(name, printable(text, f"the value of {name}"))


def _elements(value: Any) -> list[Any]:  # noqa: ANN401  JSON
    plain = _unwrapped(value)
    return plain if isinstance(plain, list) else [plain]


def _unwrapped(value: Any) -> Any:  # noqa: ANN401  JSON
    if isinstance(value, dict) and value.keys() == {"value", "Count"} and isinstance(value["value"], list):
        return value["value"]
    return value


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise CannotConvert(f"the JSON has the key {twice[:64]!r} twice in one object: remove one of the two")
    return fields


def _no_constant(name: str) -> NoReturn:
    raise CannotConvert(f"the JSON has {name}, which is no number: correct it")
