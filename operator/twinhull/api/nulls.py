"""Nulls in a Pod template: charts print keys without a value, and the API server stores these.

They mean the same as in a Deployment. A field that is null is absent. An entry of a map that is null is
empty, since Go reads a null as its type's zero: `nodeSelector: {disk: }` asks for a node whose label `disk`
is "".
"""

from __future__ import annotations

from typing import Any

from twinhull.api.templatetypes import QUANTITY, TEMPLATE, Field, types

#: This field is null in templates that kubectl prints. It stays, since the revisions of earlier operators
#: include it.
_PRINTED = "creationTimestamp"


def without_nulls(template: Any) -> Any:  # noqa: ANN401  whatever an edited definition lets in
    """A template without its nulls. If it has none, the same object is returned."""
    return _struct(template, TEMPLATE) if _has_nulls(template) else template


def _has_nulls(value: object) -> bool:
    left = [value]
    while left:
        item = left.pop()
        if item is None:
            return True
        if isinstance(item, dict):
            left.extend(item.values())
        elif isinstance(item, list):
            left.extend(item)
    return False


def _struct(value: Any, name: str) -> Any:  # noqa: ANN401  JSON
    if not isinstance(value, dict):
        return value
    known = types().get(name, {})
    return {
        key: _field(below, known.get(key))
        for key, below in value.items()
        if below is not None or key == _PRINTED
    }


def _field(value: Any, field: Field | None) -> Any:  # noqa: ANN401  JSON
    if field is None:
        return value
    if field.kind == "list" and isinstance(value, list):
        return [_struct(element, field.type) for element in value]
    if field.kind == "map" and isinstance(value, dict):
        zero = "0" if field.type == QUANTITY else ""
        return {key: zero if below is None else below for key, below in value.items()}
    return _struct(value, field.type) if field.type else value
