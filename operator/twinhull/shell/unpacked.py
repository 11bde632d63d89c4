"""The objects that were used last, unpacked as dicts, and what was read from them.

The store holds objects packed. A Workload that changes is used several times within a moment, with its Pod.
Each time both would be unpacked, and their models read, anew.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from twinhull.api.base import Raw

_T = TypeVar("_T")

#: How many bytes these objects may take packed, together and each. Objects that are made to be costly take
#: thirty times as much as dicts (docs/adr/0022). Pods of 600 container statuses, with what is read from them,
#: took 75 MiB.
_ALL, _EACH = 1 << 20, 32 << 10


@dataclass(slots=True)
class _Entry:
    """An object, its packed state, and the result of each reader."""

    state: bytes
    obj: Raw
    read: dict[Callable[[Raw], Any], Any] = field(default_factory=dict)


class Unpacked:
    """Objects by their place in the store. An object is found only while its packed state is the same.

    Everybody who finds an object shares it, so nobody may change it.
    """

    def __init__(self, size: int = _ALL) -> None:
        self._size = size
        self._used = 0
        self._entries: OrderedDict[Hashable, _Entry] = OrderedDict()

    def keep(self, place: Hashable, state: bytes, obj: Raw) -> None:
        """Keep an object. To make room, those that were used longest ago are dropped."""
        self.drop(place)
        if len(state) > _EACH:
            return
        self._entries[place] = _Entry(state, obj)
        self._used += len(state)
        while self._used > self._size:
            _, oldest = self._entries.popitem(last=False)
            self._used -= len(oldest.state)

    def drop(self, place: Hashable) -> None:
        """Drop an object that has another state by now, or is gone."""
        if entry := self._entries.pop(place, None):
            self._used -= len(entry.state)

    def get(self, place: Hashable, state: bytes) -> Raw | None:
        """The object with exactly that state, None if it isn't kept."""
        entry = self._find(place, state)
        return entry.obj if entry else None

    def read(self, place: Hashable, state: bytes, obj: Raw, reader: Callable[[Raw], _T]) -> _T:
        """The result of a reader for an object. It is computed once while the object is kept. Raises what the
        reader raises.
        """
        entry = self._find(place, state)
        if entry is None:
            return reader(obj)
        if reader not in entry.read:
            entry.read[reader] = reader(obj)
        result: _T = entry.read[reader]
        return result

    def _find(self, place: Hashable, state: bytes) -> _Entry | None:
        entry = self._entries.get(place)
        if entry is None or entry.state is not state:
            return None
        self._entries.move_to_end(place)
        return entry
