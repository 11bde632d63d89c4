"""The differences between a write and the object that came of it: fields that a webhook or somebody else
changes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TypeAlias

from twinhull.api.base import Raw
from twinhull.api.brevity import listed, shortened

#: The path of a field: the keys that lead to it.
Path: TypeAlias = tuple[str, ...]

_LONGEST_VALUE = 60
#: How many fields a sentence names. Of more than _MOST_FIELDS, it names the parts of the object that they are
#: in.
_MOST_NAMED = 4
_MOST_FIELDS = 64
#: How many entries of an object's managedFields are examined: the latest ones, since the rival has written
#: recently.
_MOST_MANAGERS = 64


def unmet(request: Raw, answer: Raw, at: Path = ()) -> Iterator[Path]:
    """The fields in which `answer` differs from `request`, which is a merge patch or an object to create.
    Lists are compared element by element, ignoring fields that only the server sets. A spec field that the
    request removes may come back with the server's default.
    """
    for key, value in request.items():
        got = answer.get(key)
        if isinstance(value, dict):
            yield from unmet(value, got if isinstance(got, dict) else {}, (*at, key))
            continue
        if key == "ipFamilies" and isinstance(value, list) and isinstance(got, list):
            got = got[: len(value)]  # the API server adds the second family of a dual-stack Service
        defaulted = value is None and at == ("spec",)
        if not (defaulted or _same(value, got)):
            yield (*at, key)


def named(fields: Sequence[Path]) -> tuple[Path, ...]:
    """The fields that a sentence names: the first few. Of very many fields, the first few parts of the object
    that they are in.
    """
    if len(fields) > _MOST_FIELDS:
        fields = tuple(dict.fromkeys(field[:-1][:2] or field for field in fields))
    return tuple(fields[:_MOST_NAMED])


def managers(managed: Iterable[Raw], fields: Sequence[Path], but: str) -> tuple[str, ...]:
    """The names of the managers, other than `but`, that have set those of the fields that a sentence names,
    by the object's managedFields (meta/v1, type ManagedFieldsEntry).
    """
    fields = named(fields)
    names: dict[str, None] = {}
    for entry in sorted(managed, key=lambda entry: str(entry.get("time") or ""))[-_MOST_MANAGERS:]:
        name, owned = str(entry.get("manager") or ""), entry.get("fieldsV1") or {}
        if name not in {"", but} and any(_owns(owned, field) for field in fields):
            names[name] = None
    return tuple(names)


def overruled(request: Raw, answer: Raw, fields: Sequence[Path], what: str, by: Iterable[str] = ()) -> str:
    """The sentence on a change that somebody undoes. `what` is the object, `by` the names of those who undo
    it, as far as they are known.
    """
    differences = listed([_difference(request, answer, field) for field in named(fields)], ", ")
    names = listed([shortened(name, _LONGEST_VALUE) for name in by][:_MOST_NAMED], " and ")
    who = (
        f"{names} changes it each time that the operator sets it"
        if names
        else "a webhook or an admission policy changes it when the operator writes it"
    )
    return f"{what}: {differences}: {who}: prevent that change, or ask for the value that it sets"


def name_of(field: Path) -> str:
    """The path of a field as people write it."""
    return "".join(f"[{key}]" if "." in key or "/" in key else f".{key}" for key in field).lstrip(".")


def value(obj: object, field: Path) -> object:
    """The value at the path of a field, None if it is missing."""
    for key in field:
        obj = obj.get(key) if isinstance(obj, dict) else None
    return obj


def _same(value: object, got: object) -> bool:
    if isinstance(value, list) and isinstance(got, list):
        return len(value) == len(got) and all(map(_same, value, got))
    if isinstance(value, dict) and isinstance(got, dict):
        return all(_same(part, got.get(key)) for key, part in value.items())
    return value == got


def _owns(owned: Raw, field: Path) -> bool:
    """Whether a set of fields (fieldsV1) contains a field, or one within it."""
    for key in field:
        inside = owned.get(f"f:{key}")
        if not isinstance(inside, dict):
            return False
        owned = inside
    return True


def _difference(request: Raw, answer: Raw, field: Path) -> str:
    wanted, got = value(request, field), value(answer, field)
    if isinstance(wanted, str) and isinstance(got, str) and max(len(wanted), len(got)) <= _LONGEST_VALUE:
        return f"{name_of(field)} is {got}, not {wanted}"
    return f"{name_of(field)} isn't as the operator set it"
