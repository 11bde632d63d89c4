"""Looks at every key of a Compose file before the conversion, so that none is lost without being named."""

from __future__ import annotations

from collections.abc import Iterator

from twinhull.api.suggestion import misspelt
from twinhull.convert.compose.keys import KEYS
from twinhull.convert.conversion import CannotConvert, Left, LeftKind
from twinhull.convert.docker.options import Fate, kind_of

_EXTENSION = (
    "an extension has a meaning only for its own tool; where its anchor is used, its content is converted"
)


def survey(value: object, path: str = "", pattern: str = "") -> Iterator[Left]:
    """The entries for keys that aren't converted because of their name alone. Raises CannotConvert for a key
    that Compose doesn't know.
    """
    if isinstance(value, list):
        for index, element in enumerate(value):
            yield from survey(element, f"{path}[{index}]", f"{pattern}[]")
    if not isinstance(value, dict):
        return
    for name, below in value.items():
        at = f"{path}.{name}" if path else name
        if name.startswith("x-"):
            yield Left(at, _EXTENSION, LeftKind.MEANINGLESS)
            continue
        key_path = _pattern(pattern, name)
        if key_path is None:
            raise CannotConvert(
                f"{at} is no key of the Compose Specification: remove it{_near(pattern, name)}"
            )
        key = KEYS[key_path]
        if key.fate in {Fate.LEFT, Fate.MEANINGLESS} and not key.has_own_sentence:
            yield Left(at, key.sentence, kind_of(key.fate))
        if not key.whole:
            yield from survey(below, at, key_path)


def _pattern(pattern: str, name: str) -> str | None:
    """The path of a key in the table of keys, None if the table doesn't have it."""
    candidates = (f"{pattern}.{name}" if pattern else name, f"{pattern}.*")
    return next((path for path in candidates if path in KEYS), None)


def _near(pattern: str, name: str) -> str:
    known = [path.rpartition(".")[2] for path in KEYS if path.rpartition(".")[0] == pattern]
    near = misspelt(name[:60], [key for key in known if key != "*"])
    return f", or did you mean {near}?" if near else ""
