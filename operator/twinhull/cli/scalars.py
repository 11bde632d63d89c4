"""The values of YAML's plain scalars as kubectl reads them: partly by YAML 1.1, partly by YAML 1.2.

kubectl reads by sigs.k8s.io/yaml, and that by go.yaml.in/yaml/v2 (resolve.go): `yes`, `on` and `y` are true,
`0o440` and `0440` are 288, `1e3` is 1000, while `22:22`, `=` and times are strings. Then sigs.k8s.io/yaml
makes JSON of the values, where keys are strings, and a whole number that fits into 64 bits is an integer
(yaml.go, convertToJSONableObject). PyYAML keeps strictly to YAML 1.1, so it reads and writes some scalars
differently.
"""

from __future__ import annotations

import math
import re

import yaml

_TAG = "tag:yaml.org,2002:"
#: The tag of `<<`, which merges mappings as a key, and is a string elsewhere.
MERGE = f"{_TAG}merge"

#: Words that have a meaning, each in lower case, in capitals, or with a capital first.
_WORDS: dict[str, object] = {
    **{
        word: value
        for value, words in {
            True: ("y", "yes", "true", "on"),
            False: ("n", "no", "false", "off"),
            None: ("", "~", "null"),
        }.items()
        for small in words
        for word in (small, small.capitalize(), small.upper())
    },
    **dict.fromkeys((".nan", ".NaN", ".NAN"), math.nan),
    **{f"{sign}{word}": math.inf for sign in ("", "+") for word in (".inf", ".Inf", ".INF")},
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), -math.inf),
}
#: The bases of whole numbers, by their prefix. Underscores are removed first (Go's strconv.ParseInt, base 0).
_BASES = {"0b": 2, "0o": 8, "0x": 16, "0": 8, "": 10}
_WHOLE = re.compile(r"([-+]?)(0[bBoOxX]|0(?=[0-7]+$)|)([0-9a-fA-F]+)")
_NUMBER = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_LARGEST = 1 << 63


def value(text: str) -> object:
    """The value of a plain scalar: None, a bool, an int, a float or a str."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in "+-.0123456789":
        return text
    plain = text if text.startswith(".") else text.replace("_", "")
    whole = _whole(plain)
    if whole is not None and -_LARGEST <= whole < 2 * _LARGEST:
        return as_json(whole)
    if not _NUMBER.fullmatch(plain) or math.isinf(number := float(plain)):
        return text
    return as_json(number)


def as_json(number: float) -> int | float:
    """A finite number as the API server reads it from JSON."""
    return int(number) if number == int(number) and -_LARGEST <= number < _LARGEST else float(number)


def key(value: object) -> str:
    """A mapping's key as JSON has it. Raises YAMLError for a value that can't be a key."""
    match value:
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case float():
            return f"{value:g}"
    raise yaml.YAMLError(f"a key is {value!r}: use a string")


def tag(text: str) -> str:
    """The tag of a plain scalar."""
    if text == "<<":
        return MERGE
    match value(text):
        case None:
            return f"{_TAG}null"
        case bool():
            return f"{_TAG}bool"
        case int():
            return f"{_TAG}int"
        case float():
            return f"{_TAG}float"
    return f"{_TAG}str"


class Dumper(yaml.SafeDumper):
    """Writes YAML that kubectl reads back unchanged: strings that it would take for others are quoted."""

    def resolve(self, kind: type[yaml.Node], value: str, implicit: tuple[bool, bool]) -> str:
        """The tag of a scalar without quotes. If PyYAML's tag is str, it is kubectl's tag."""
        own_tag: str = super().resolve(kind, value, implicit)  # type: ignore[no-untyped-call]
        if kind is yaml.ScalarNode and implicit[0] and own_tag == f"{_TAG}str":
            return tag(value)
        return own_tag


def _whole(plain: str) -> int | None:
    if not (match := _WHOLE.fullmatch(plain)):
        return None
    sign, prefix, digits = match.groups()
    try:
        number = int(digits, _BASES[prefix.lower()])
    except ValueError:
        return None
    return -number if sign == "-" else number
