"""Reads a Compose file's text as Compose does.

Source: github.com/go-yaml/yaml v3 (resolve.go), which compose-go uses: `yes`, `on` and `22:22` are strings,
`0440` and `0o440` are 288, and a repeated key is an error. Times are strings here.
"""

from __future__ import annotations

import math
import re
from typing import Any

import yaml

from twinhull.api.bounds import excess
from twinhull.api.group import Raw
from twinhull.api.yamlmerge import BoundedMerges
from twinhull.api.yamlproblems import problem
from twinhull.convert.conversion import CannotConvert

#: The most characters of a text: no Compose file has so many.
_LONGEST = 2_000_000
#: The most characters of a document, with its aliases expanded.
_MOST_CHARACTERS = 5_000_000
_TAG = "tag:yaml.org,2002:"
_WORDS = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_WHOLE = re.compile(r"[-+]?(0b[01_]+|0o[0-7_]+|0x[0-9a-fA-F_]+|[0-9][0-9_]*)")
_NUMBER = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]{1,3})?")
_BASES = {"0b": 2, "0o": 8, "0x": 16}


class _Loader(BoundedMerges):
    """YAML by Compose's rules. Aliases that expand to more than can be read are refused."""

    def resolve(self, kind: type[yaml.Node], value: str, implicit: tuple[bool, bool]) -> str:
        if kind is yaml.ScalarNode and implicit[0]:
            return f"{_TAG}merge" if value == "<<" else f"{_TAG}plain"
        return str(super().resolve(kind, value, implicit))  # type: ignore[no-untyped-call]

    def construct_plain(self, node: yaml.ScalarNode) -> object:
        return _plain(node.value)

    def compose_mapping_node(self, anchor: dict[Any, yaml.Node]) -> yaml.MappingNode:
        node: yaml.MappingNode = super().compose_mapping_node(anchor)
        seen = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise yaml.MarkedYAMLError(problem="a key is no text", problem_mark=key.start_mark)
            if key.value in seen and key.tag != f"{_TAG}merge":
                raise yaml.MarkedYAMLError(problem=f"{key.value} is there twice", problem_mark=key.start_mark)
            seen.add(key.value)
        return node

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002  PyYAML's
        self.flatten_mapping(node)
        return {key.value: self.construct_object(value, deep=deep) for key, value in node.value}


_Loader.add_constructor(f"{_TAG}plain", _Loader.construct_plain)


def load(text: str, source: str = "") -> Raw:
    """A file's mapping. Raises CannotConvert if the file isn't a mapping, or is too large."""
    where = f"{source}: " if source else ""
    if len(text) > _LONGEST:
        raise CannotConvert(f"{where}it has more than {_LONGEST:,} characters: give a Compose file")
    try:
        document = yaml.load(text, _Loader)  # noqa: S506  a SafeLoader
    except (yaml.YAMLError, ValueError) as error:
        raise CannotConvert(f"{where}this is not valid YAML for Compose: {_reason(error, text)}") from error
    except RecursionError as error:
        raise CannotConvert(f"{where}it nests too deep to be read: make it flatter") from error
    return checked(document, source)


def checked(document: object, source: str = "") -> Raw:
    """A document, if it is a mapping that isn't too large. Raises CannotConvert otherwise."""
    where = f"{source}: " if source else ""
    if why := excess(document):
        raise CannotConvert(f"{where}it can't be read: {why}")
    if _characters(document) > _MOST_CHARACTERS:
        raise CannotConvert(
            f"{where}it stands for more than {_MOST_CHARACTERS:,} characters: give a shorter file"
        )
    if not isinstance(document, dict):
        raise CannotConvert(f"{where}it is no Compose file: write a mapping with services")
    return document


def _characters(document: object) -> int:
    """The length of all texts of a document together, with aliases counted each time."""
    stack, count = [document], 0
    while stack:
        item = stack.pop()
        if isinstance(item, str):
            count += len(item)
        elif isinstance(item, dict):
            stack += item.values()
            count += sum(map(len, item))
        elif isinstance(item, list):
            stack += item
    return count


def _plain(text: str) -> object:
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in "+-.0123456789":
        return text
    if _WHOLE.fullmatch(text) and len(text) < 40:  # noqa: PLR2004  more digits than 64 bits have
        try:
            return _whole(text.replace("_", ""))
        except ValueError:
            return text
    if _NUMBER.fullmatch(text) and math.isfinite(number := float(text)):
        return number
    return text


def _whole(text: str) -> int:
    sign, digits = (text[0], text[1:]) if text[0] in "+-" else ("", text)
    base = _BASES.get(digits[:2], 8 if digits[0] == "0" and len(digits) > 1 else 10)
    number = int(digits[2:] if digits[:2] in _BASES else digits, base)
    return -number if sign == "-" else number


def _reason(error: Exception, text: str) -> str:
    if isinstance(error, yaml.constructor.ConstructorError) and "could not determine" in str(error.problem):
        tag = str(error.problem).rpartition(" ")[2]
        return f"the tag {tag} is for several files, or unknown: merge them with docker compose config first"
    return problem(error, text) if isinstance(error, yaml.YAMLError) else str(error)
