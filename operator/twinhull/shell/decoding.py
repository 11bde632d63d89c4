"""Decoding: the API server's JSON, object by object. An object that can't be read doesn't keep the others
from it.

Whoever may write an object may nest it 10,000 deep; Python's json gives up at about 1,000. Of an object that
nests too deep, or has so many values that they would fill the memory, only parts are read (docs/adr/0022).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from twinhull.api.base import Raw
from twinhull.api.bounds import MAX_DEPTH, excess
from twinhull.api.reading import KEPT, Parts, own_labels, unread

#: How many characters of a list are read before its objects are handed on.
_BATCH = 1 << 18
_json = json.JSONDecoder()
_BETWEEN = re.compile(r"[\s,:]*+")
_STRING = r'"[^"\\]*+(?:\\.[^"\\]*+)*+"'
#: A string or a bracket. Nothing else tells where a value ends.
_TOKEN = re.compile(_STRING + r"|[{}\[\]]")
_SCALAR = re.compile(_STRING + r"|[^\s,\]}]++")


class Undecodable(Exception):
    """A text isn't JSON such as the API server sends."""


def decode(text: bytes) -> Raw:
    """The object in a text. Raises Undecodable if the text is no object."""
    return _Reader(text).obj()


def decode_event(line: bytes) -> tuple[str, Raw]:
    """The type and the object of a watch's event. The object has a resourceVersion, unless the type is ERROR.
    Raises Undecodable if the line is no event.
    """
    reader, kind, obj = _Reader(line), "", None
    for key in reader.members():
        if key == "type":
            kind = str(reader.value())
        elif key == "object":
            obj = reader.obj()
    if obj is None:
        raise Undecodable("an event without an object")
    metadata = obj.get("metadata")
    if kind != "ERROR" and not (isinstance(metadata, dict) and metadata.get("resourceVersion")):
        raise Undecodable("an object without a version")
    return kind, obj


class Page:
    """A list, or a page of one, read object by object. Raises Undecodable if the text is no list."""

    def __init__(self, text: bytes) -> None:
        self._reader = _Reader(text)
        self._metadata: Raw | None = None

    def batches(self) -> Iterator[list[Raw]]:
        """The objects of the list, a few at a time, so that only those are in memory."""
        for key in self._reader.members():
            if key == "items" and self._reader.enters("["):  # null stands for none
                yield from self._items()
            elif key == "metadata":
                self._metadata = self._reader.value()

    @property
    def metadata(self) -> Raw:
        """The list's own metadata, once all its objects were read."""
        if self._metadata is None:
            raise Undecodable("a list without metadata")
        return self._metadata

    def _items(self) -> Iterator[list[Raw]]:
        batch: list[Raw] = []
        began = self._reader.place
        for _ in self._reader.elements():
            batch.append(self._reader.obj())
            if self._reader.place - began >= _BATCH:
                yield batch
                batch, began = [], self._reader.place
        yield batch


class _Reader:
    """A position in a text. Each method reads from there, and moves the position behind what it has read."""

    def __init__(self, text: bytes) -> None:
        self._text = text.decode(errors="replace")
        self._at = 0

    @property
    def place(self) -> int:
        """The position, in characters."""
        return self._at

    def enters(self, bracket: str) -> bool:
        """Whether an object or array, by its opening bracket, begins at the position."""
        return self._text.startswith(bracket, self._at)

    def obj(self) -> Raw:
        """Read an object. If it can't be read, or has too many values, only the parts that `unread` keeps."""
        began = self._at
        try:
            obj = self.value()
        except RecursionError:
            why = f"it nests more than {MAX_DEPTH} levels deep"
        except Undecodable as error:  # such as a number of more digits than Python takes
            why = str(error)
        else:
            if not isinstance(obj, dict):
                raise Undecodable("no object")
            if isinstance(metadata := obj.get("metadata"), dict):
                metadata.pop("managedFields", None)  # they are half of the object, and nothing uses them
            why = excess(obj)
            if not why:
                return obj
        self._at = began
        outline = self._outline(KEPT)
        if not {"name", "uid", "resourceVersion"} <= outline.get("metadata", {}).keys():
            raise Undecodable("an object without a name")
        return unread(outline, why)

    def value(self) -> Any:  # noqa: ANN401  JSON
        """Read a value. Raises Undecodable, or RecursionError if it nests too deep, and leaves the position
        as it was.
        """
        try:
            value, self._at = _json.raw_decode(self._text, self._at)
        except ValueError as error:
            raise Undecodable(f"it isn't JSON: {error}") from error
        return value

    def members(self) -> Iterator[str]:
        """The keys of an object. At each key the position is before its value. A value that nobody reads is
        skipped.
        """
        self._enter("{")
        while not self._leave("}"):
            key = str(self.value())
            self._pass()
            began = self._at
            yield key
            if self._at == began:
                self._at = self._end()
            self._pass()

    def elements(self) -> Iterator[None]:
        """Yields once for each element of an array, with the position before that element."""
        self._enter("[")
        while not self._leave("]"):
            yield
            self._pass()

    def _outline(self, parts: Parts) -> Raw:
        """Read the parts of an object that `unread` keeps, without those that are too large themselves."""
        kept: Raw = {}
        for key in self.members():
            if key in parts:
                kept[key] = self._outline(parts[key]) if parts[key] and self.enters("{") else self._part(key)
        return kept

    def _part(self, key: str) -> Any:  # noqa: ANN401  JSON
        try:
            value = self.value()
        except (RecursionError, Undecodable):
            return {}
        if not excess(value):
            return value
        return own_labels(value) if key == "labels" else {}

    def _enter(self, bracket: str) -> None:
        if not self.enters(bracket):
            raise Undecodable(f"no {bracket}")
        self._at += 1
        self._pass()

    def _leave(self, bracket: str) -> bool:
        left = self._text.startswith(bracket, self._at)
        self._at += left
        return left

    def _pass(self) -> None:
        """Move to the next key, value or bracket."""
        between = _BETWEEN.match(self._text, self._at)
        self._at = between.end() if between else self._at

    def _end(self) -> int:
        """The end of the value that begins at the position. It is found without recursion, however deep the
        value nests.
        """
        if not self._text.startswith(("{", "["), self._at):
            scalar = _SCALAR.match(self._text, self._at)
            if scalar is None:
                raise Undecodable("a value is missing")
            return scalar.end()
        depth = 0
        for token in _TOKEN.finditer(self._text, self._at):
            if token[0] in {"{", "["}:
                depth += 1
            elif token[0] in {"}", "]"}:
                depth -= 1
                if not depth:
                    return token.end()
        raise Undecodable("a value doesn't end")
