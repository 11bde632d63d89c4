"""Reads YAML as kubectl does: the values of plain scalars, and keys, are those of `scalars`."""

from __future__ import annotations

import math
from typing import Any

import yaml

from twinhull.api.yamlmerge import BoundedMerges
from twinhull.cli import scalars


class Loader(BoundedMerges):
    """YAML as kubectl reads it. Merged mappings have as many keys as can be read."""

    def resolve(self, kind: type[yaml.Node], value: str, implicit: tuple[bool, bool]) -> str:
        """The tag of a node that has none. A plain scalar gets kubectl's."""
        if kind is yaml.ScalarNode and implicit[0]:
            return scalars.tag(value)
        return str(super().resolve(kind, value, implicit))  # type: ignore[no-untyped-call]

    def construct_plain(self, node: yaml.ScalarNode) -> object:
        """A scalar's value. Raises MarkedYAMLError for infinity and NaN, which JSON doesn't have."""
        value = node.value if node.tag == scalars.MERGE else scalars.value(node.value)
        if isinstance(value, float) and not math.isfinite(value):
            raise yaml.MarkedYAMLError(problem=f"{node.value} is no number", problem_mark=node.start_mark)
        return value

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002  PyYAML's
        """A mapping, whose keys are strings as in JSON."""
        mapping = super().construct_mapping(node, deep=deep)
        return {scalars.key(key): value for key, value in mapping.items()}


for _kind in ("bool", "float", "int", "merge", "null"):
    Loader.add_constructor(f"tag:yaml.org,2002:{_kind}", Loader.construct_plain)
