"""YAML's merge key (yaml.org/type/merge.html), with a bound: PyYAML copies merged keys each time."""

from __future__ import annotations

import yaml

from twinhull.api.bounds import MAX_VALUES

#: The tag of the key `<<`.
MERGE = "tag:yaml.org,2002:merge"


class BoundedMerges(yaml.SafeLoader):
    """A loader whose mappings merge no more keys than an object may have values. Raises MarkedYAMLError for
    more.
    """

    def flatten_mapping(self, node: yaml.MappingNode) -> None:
        """Merge keys into a mapping, unless there are too many."""
        merged = [value for key, value in node.value if key.tag == MERGE]
        listed = [part for value in merged for part in _parts(value) if isinstance(part, yaml.MappingNode)]
        for part in listed:
            self.flatten_mapping(part)
        if sum(len(part.value) for part in listed) > MAX_VALUES:
            raise yaml.MarkedYAMLError(problem="it merges too many keys", problem_mark=node.start_mark)
        super().flatten_mapping(node)


def _parts(value: yaml.Node) -> list[yaml.Node]:
    return value.value if isinstance(value, yaml.SequenceNode) else [value]
