"""The fields of an input. Each of them is carried over, settled or named, so that none is forgotten."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Self, TypeVar, get_origin

from twinhull.api.base import Raw
from twinhull.convert.conversion import CannotConvert, Left

_T = TypeVar("_T")

#: The names of JSON's types in messages.
_TYPES: dict[type, str] = {
    bool: "true or false",
    dict: "a map of fields",
    int: "a whole number",
    list: "a list",
    str: "a string",
}
#: Why a field isn't carried over, if no better reason is known.
NO_COUNTERPART = "a Workload has no field for it"


class Fields:
    """A map of the input. The code that converts it takes each field, settles it, or leaves it with a reason.

    `finish` names all other fields, so that a field which this code doesn't know is named, too. A null counts
    as absent, as for the API server, and so does an empty map or list.
    """

    def __init__(self, fields: Raw, path: str, left: list[Left]) -> None:
        """`fields` is the map, `path` is its place in the input, and `left` gets the fields that are left."""
        self._fields = {key: value for key, value in fields.items() if value is not None}
        self._open = dict.fromkeys(self._fields)
        self._below: list[Fields] = []
        self.path = path
        self.left = left

    def __contains__(self, key: str) -> bool:
        """Whether the map has a field."""
        return key in self._fields

    def at(self, key: str) -> str:
        """The place of a field in the input."""
        return f"{self.path}.{key}" if self.path and not self.path.endswith(": ") else f"{self.path}{key}"

    def take(self, key: str, kind: type[_T]) -> _T | None:
        """A field that is carried over, None if it is absent. Raises CannotConvert for another type."""
        value = self.peek(key, kind)
        self._open.pop(key, None)
        return value

    def peek(self, key: str, kind: type[_T]) -> _T | None:
        """A field that other code still has to take. Raises CannotConvert for another type."""
        value = self._fields.get(key)
        if value is None:
            return None
        expected = get_origin(kind) or kind
        if not isinstance(value, expected) or (isinstance(value, bool) and expected is not bool):
            raise CannotConvert(
                f"{self.at(key)} must be {_TYPES.get(expected, expected.__name__)}, and is {_type(value)}: "
                "correct it"
            )
        return value

    def texts(self, key: str) -> dict[str, str]:
        """A field that is carried over, and is a map of strings; empty if it is absent. A null in it is an
        empty string, as Go reads it.
        """
        texts = self.take(key, dict) or {}
        for name, value in texts.items():
            if value is not None and not isinstance(value, str):
                raise CannotConvert(
                    f"{self.at(key)}.{name} must be a string, and is {_type(value)}: quote it"
                )
        return {name: value or "" for name, value in texts.items()}

    def within(self, key: str) -> Fields:
        """The fields of a map, which is finished together with this one. No fields if the map is absent."""
        below = Fields(self.take(key, dict) or {}, self.at(key), self.left)
        self._below.append(below)
        return below

    def each(self, key: str) -> Iterator[Fields]:
        """The fields of each map of a list. They are finished together with this one."""
        for index, element in enumerate(self.take(key, list) or ()):
            if not isinstance(element, dict):
                raise CannotConvert(
                    f"{self.at(key)}[{index}] must be a map of fields, and is {_type(element)}: correct it"
                )
            below = Fields(element, f"{self.at(key)}[{element.get('name', index)}]", self.left)
            self._below.append(below)
            yield below

    def settle(self, *keys: str) -> Self:
        """Mark fields that need not be carried over, since nothing is lost without them."""
        for key in keys:
            self._open.pop(key, None)
        return self

    def settle_value(self, key: str, *values: object) -> None:
        """Mark a field that need not be carried over if it has one of these values."""
        if key in self._fields and any(_same(self._fields[key], value) for value in values):
            self.settle(key)

    def leave(self, key: str, why: str) -> None:
        """Name a field, if the map has it and it isn't settled."""
        if key in self._open:
            self.settle(key)
            if _has_content(self._fields[key]):
                self.left.append(Left(self.at(key), why))

    def say(self, key: str, why: str) -> None:
        """Name a field, even if the map doesn't have it: its default isn't carried over either."""
        self.settle(key)
        self.left.append(Left(self.at(key), why))

    def take_open(self) -> Raw:
        """All fields that weren't taken, which are carried over unchanged."""
        values = {key: self._fields[key] for key in self._open}
        self._open.clear()
        return values

    def finish(self) -> None:
        """Name all fields of this map, and of the maps within, that weren't taken, settled or left."""
        for key in list(self._open):
            self.leave(key, NO_COUNTERPART)
        for below in self._below:
            below.finish()


def _same(one: object, other: object) -> bool:
    return one == other and isinstance(one, bool) == isinstance(other, bool)


def _has_content(value: object) -> bool:
    """Whether a value has any content."""
    if isinstance(value, dict):
        return any(_has_content(below) for below in value.values())
    if isinstance(value, list):
        return bool(value)
    return value is not None


def _type(value: Any) -> str:  # noqa: ANN401  JSON
    return next((name for kind, name in _TYPES.items() if type(value) is kind), repr(value)[:40])
