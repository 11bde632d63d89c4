"""Checks an object's fields as the API server does, by the structural schema alone.

Of the CEL rules only those are checked that stand for a pattern. twinhull.validation checks the others.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from twinhull.api.celrule import pattern_of
from twinhull.api.group import Raw
from twinhull.api.patterns import PATTERNS
from twinhull.api.suggestion import suggestion

#: Each type's name for a person, and the Python types that YAML gives for it. Python counts a bool as an int,
#: too.
_TYPES: dict[str, tuple[str, tuple[type, ...]]] = {
    "array": ("a list", (list,)),
    "boolean": ("true or false", (bool,)),
    "integer": ("a whole number", (int,)),
    "number": ("a number", (int, float)),
    "object": ("a map of fields", (dict,)),
    "string": ("a string", (str,)),
}


#: How many bits the value of an integer format has, without the sign; 63 if there is no format
#: (k8s.io/kube-openapi, pkg/validation/validate/values.go, IsValueValidAgainstRange).
_BITS = {"int32": 31, "int64": 63}
#: Times that the API server accepts (the same, pkg/validation/strfmt/time.go, IsDateTime).
_TIME = re.compile(
    r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])[tT]([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d+)?([zZ]|[+-]\d{2}:\d{2})"
)

#: What to do about elements with the same key, in lists where Kubernetes only warns of them
#: (k8s.io/kubernetes/pkg/api/pod/warnings.go). By the list's name.
_REMEDIES = {
    "env": "Kubernetes uses the last, so remove {first}",
    "hostAliases": "put the hostnames of both into one",
    "imagePullSecrets": "remove one of the two",
}


@dataclass(frozen=True, slots=True)
class Problem:
    """A wrong field."""

    #: The field's path, such as `spec.containers[0].image`.
    path: str
    #: What is wrong, and what to do about it.
    message: str


def problems(schema: Raw, value: Any, path: str = "") -> Iterator[Problem]:  # noqa: ANN401  JSON
    """The problems of a value, field by field. A null counts as absent, as for the API server."""
    if not _has_type(schema, value):
        remedy = next((message for _, message in _in_words(schema)), _remedy(schema, value))
        yield Problem(path, f"must be {_wanted(schema)}, and is {_named(value)}: {remedy}")
        return
    yield from (Problem(path, message) for message in _limits(schema, value))
    if isinstance(value, dict):
        yield from _object(schema, value, path)
    elif isinstance(value, list):
        for index, element in enumerate(value):
            yield from problems(schema.get("items", {}), element, f"{path}[{index}]")
        yield from _twice(schema, value, path)
        yield from _repeated(schema, value, path)


def _object(schema: Raw, value: Raw, path: str) -> Iterator[Problem]:
    known, additional = schema.get("properties", {}), schema.get("additionalProperties", {})
    fields = {key: below for key, below in value.items() if below is not None}
    for key in schema.get("required", ()):
        if key not in fields:
            yield Problem(_below(path, key), "is required: add it")
    for key, below in fields.items():
        if key in known or not known or schema.get("x-kubernetes-preserve-unknown-fields"):
            yield from problems(known.get(key, additional), below, _below(path, key))
        else:
            near = suggestion(str(key), known, _paths_below(known))
            named = _below(path, near) if near and "." in near else near
            meant = f", or did you mean {named}?" if named else ""
            yield Problem(_below(path, key), f"is not a field here: remove it{meant}")


def _paths_below(known: Raw, levels: int = 2) -> Iterator[str]:
    """The paths of fields in fields, so many levels deep. Fields of lists and maps are left out."""
    for name, schema in known.items():
        fields = schema.get("properties", {})
        yield from (f"{name}.{below}" for below in fields)
        if levels > 1:
            yield from (f"{name}.{path}" for path in _paths_below(fields, levels - 1))


def _twice(schema: Raw, elements: list[Any], path: str) -> Iterator[Problem]:
    """Elements with the same key as an earlier one, in a list that is a map by that key."""
    keys = schema.get("x-kubernetes-list-map-keys")
    fields = schema.get("items", {}).get("properties", {})
    seen: dict[tuple[str, ...], int] = {}
    for index, element in enumerate(elements):
        if not keys or not isinstance(element, dict):
            continue
        # Values as text: a wrong value may not be hashable.
        key = tuple(str(element.get(name, fields.get(name, {}).get("default"))) for name in keys)
        if key in seen:
            named = " and ".join(f"{name} {value}" for name, value in zip(keys, key, strict=True))
            remedy = _REMEDIES.get(path.rpartition(".")[2], "remove one of the two, or choose another")
            first = f"{path}[{seen[key]}]"
            yield Problem(f"{path}[{index}]", f"has the {named} of {first}: {remedy.format(first=first)}")
        seen[key] = index


def _repeated(schema: Raw, elements: list[Any], path: str) -> Iterator[Problem]:
    """Elements that equal an earlier one, in a list that is a set."""
    if schema.get("x-kubernetes-list-type") != "set":
        return
    seen: dict[str, int] = {}
    for index, element in enumerate(elements):
        # repr, since 1 and "1" differ.
        first = seen.setdefault(repr(element), index)
        if first != index:
            yield Problem(f"{path}[{index}]", f"is {path}[{first}] again: remove one of the two")


def _limits(schema: Raw, value: Any) -> Iterator[str]:  # noqa: ANN401  JSON
    for values in _values(schema):
        if value not in values:
            choice = ", ".join(str(one) for one in values if one != "")
            yield f"is {value!r}: use one of {choice}"
    if isinstance(value, str):
        yield from (f"is {value!r}{mismatch}" for mismatch in _mismatches(schema, value))
        yield from _time(schema, value)
        yield from _size(schema, len(value), "Length", "character")
    elif isinstance(value, list):
        yield from _size(schema, len(value), "Items", "element")
    elif isinstance(value, dict):
        yield from _size(schema, len(value), "Properties", "field")
    elif isinstance(value, int | float):
        yield from _number(schema, value)


def _time(schema: Raw, value: str) -> Iterator[str]:
    if schema.get("format") == "date-time" and not _TIME.fullmatch(value):
        yield f"is {value!r}: use a time such as 2006-01-02T15:04:05Z"


def _number(schema: Raw, value: float) -> Iterator[str]:
    bits = _BITS.get(schema.get("format", ""), 63)
    if schema.get("type") == "integer" and not -(1 << bits) <= value < 1 << bits:
        yield f"is {value}, which {bits + 1} bits don't hold: correct it"
    if value < schema.get("minimum", value):
        yield f"is {value}: use {schema['minimum']} or more"
    if value > schema.get("maximum", value):
        yield f"is {value}: use {schema['maximum']} or less"


def _mismatches(schema: Raw, value: str) -> Iterator[str]:
    """How a text breaks a pattern, or a CEL rule that stands for one. Every pattern is anchored; `$` alone
    would allow a line feed after the text.
    """
    if "pattern" in schema and not re.fullmatch(schema["pattern"], value):
        meaning = PATTERNS.get(schema["pattern"], f"doesn't match {schema['pattern']}: correct it")
        yield f", which {meaning}"
    yield from (f": {message}" for pattern, message in _in_words(schema) if not re.fullmatch(pattern, value))


def _in_words(schema: Raw) -> Iterator[tuple[str, str]]:
    """The patterns for which CEL rules stand, each with the rule's message."""
    for rule in schema.get("x-kubernetes-validations", ()):
        if pattern := pattern_of(rule):
            yield pattern, rule["message"]


def _values(schema: Raw) -> Iterator[list[Any]]:
    """The lists of allowed values. A schema that allows null has its list in an allOf."""
    yield from (part["enum"] for part in (schema, *schema.get("allOf", ())) if "enum" in part)


def _size(schema: Raw, size: int, of: str, unit: str) -> Iterator[str]:
    if size < schema.get(f"min{of}", size):
        yield f"has {size} {unit}s: it needs {schema[f'min{of}']} or more"
    if size > schema.get(f"max{of}", size):
        yield f"has {size} {unit}s: it may have {schema[f'max{of}']} at most"


def _has_type(schema: Raw, value: object) -> bool:
    if schema.get("x-kubernetes-int-or-string"):
        return isinstance(value, int | str) and not isinstance(value, bool)
    if "not" in schema:  # a quantity: a schema can only say what it isn't
        return isinstance(value, int | float | str) and not isinstance(value, bool)
    if "type" not in schema:
        return True
    _, types = _TYPES[schema["type"]]
    return isinstance(value, types) and (schema["type"] == "boolean" or not isinstance(value, bool))


def _wanted(schema: Raw) -> str:
    if schema.get("x-kubernetes-int-or-string") or "not" in schema:
        return "a number or a string"
    return _TYPES[schema["type"]][0]


def _named(value: object) -> str:
    """A name for a value of the wrong type: the value itself if it is short and says more than its type."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(value)
    kinds = ((dict, "object"), (list, "array"), (str, "string"), (int, "integer"))
    return _TYPES[next(kind for of, kind in kinds if isinstance(value, of))][0]


def _remedy(schema: Raw, value: object) -> str:
    """What to do about a value of the wrong type."""
    wanted = schema.get("type")
    if value is None:
        return "remove it, or give it a value"
    if wanted == "string" and isinstance(value, bool | int | float):
        return "quote it"
    if wanted == "integer" and isinstance(value, float):
        return "it is too large: use a smaller one" if value.is_integer() else "use a whole one"
    unquoted = {"boolean": {"true", "false"}, "integer": {str(value)} if str(value).isdecimal() else ()}
    if isinstance(value, str) and value in unquoted.get(str(wanted), ()):
        return "remove the quotes"
    return "correct it"


def _below(path: str, key: object) -> str:
    return f"{path}.{key}".lstrip(".")
