"""Finds the line and column of a field in a file, by the YAML parser's marks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import yaml

#: The tag of `<<`.
_MERGE = "tag:yaml.org,2002:merge"


class Position(NamedTuple):
    """A place in a file; both count from 1."""

    line: int
    column: int


def position(node: yaml.Node, path: str, first_line: int = 0) -> Position:
    """The place of a path, such as `spec.containers[0].image`, in a document's tree of nodes: that of its
    key, or of the nearest existing field above it. `first_line` is how many lines the file has before the
    document.

    A key may have dots in it (`metadata.labels.example.com/a`): of several keys that fit, the longest counts.
    The search takes one step for each part of the path, and compares the keys of each mapping on it.
    """
    mark, rest = node.start_mark, path
    while rest:
        step = _step(node, rest)
        if step is None:
            break
        mark, node, rest = step
    return Position(first_line + mark.line + 1, mark.column + 1)


def repeated(node: yaml.Node) -> Iterator[tuple[str, yaml.Mark]]:
    """The keys that a document has twice in one mapping, which YAML forbids and PyYAML accepts.

    To be called before values are constructed from the nodes, since merges add keys. Each node is looked at
    once, however many aliases there are.
    """
    left, seen = [node], {id(node)}
    while left:
        current = left.pop()
        below = []
        if isinstance(current, yaml.MappingNode):
            names = set()
            for key, value in current.value:
                below += [key, value]
                if isinstance(key, yaml.ScalarNode) and key.tag != _MERGE:
                    if (key.tag, key.value) in names:
                        yield str(key.value), key.start_mark
                    names.add((key.tag, key.value))
        elif isinstance(current, yaml.SequenceNode):
            below = current.value
        new = [one for one in below if id(one) not in seen]
        seen.update(map(id, new))
        left += new


def _step(node: yaml.Node, path: str) -> tuple[yaml.Mark, yaml.Node, str] | None:
    """The mark of a path's first part, the node at it, and the rest of the path. None if that part doesn't
    exist.
    """
    if isinstance(node, yaml.SequenceNode) and path.startswith("["):
        which, _, rest = path[1:].partition("]")
        element = _element(node, which)
        return (element.start_mark, element, rest.removeprefix(".")) if element else None
    if isinstance(node, yaml.MappingNode):
        best: tuple[yaml.Node, yaml.Node] | None = None
        for key, value in node.value:  # of equal keys the last one counts, as for the values
            fits = isinstance(key, yaml.ScalarNode) and key.value and _begins(path, key.value)
            if fits and (best is None or len(key.value) >= len(str(best[0].value))):
                best = key, value
        if best:
            return best[0].start_mark, best[1], path[len(str(best[0].value)) :].removeprefix(".")
    return None


def _element(node: yaml.SequenceNode, which: str) -> yaml.Node | None:
    """An element of a list, by its index or by its name: some paths have names."""
    if which.isdecimal() and int(which) < len(node.value):
        element: yaml.Node = node.value[int(which)]
        return element
    for element in node.value:
        if isinstance(element, yaml.MappingNode) and any(
            (key.value, value.value) == ("name", which) for key, value in element.value
        ):
            return element
    return None


def _begins(path: str, key: str) -> bool:
    return path.startswith(key) and path[len(key) : len(key) + 1] in {"", ".", "["}
