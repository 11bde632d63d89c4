"""The objects that were looked at last, as dicts, with what was read of them.

The store holds objects packed. A Workload that changes is looked at several times within a moment, with its
Pod: each look would unpack both, and read their models, anew.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from twinhull.api.base import Raw

_T = TypeVar("_T")

#: How many bytes those objects may take packed, all together and each. As dicts, those that are made to be
#: costly take thirty times as much (docs/adr/0022). With what is read of them, Pods of 600 container statuses
#: took 75 MiB.
_ALL, _EACH = 1 << 20, 32 << 10


@dataclass(slots=True)
class _Entry:
    """An object's packed state, the object, and what each reader made of it."""

    state: bytes
    obj: Raw
    read: dict[Callable[[Raw], Any], Any] = field(default_factory=dict)


class Unpacked:
    """Objects by where they are held. One whose packed state is another by now isn't found.

    What is found is shared by all who find it, so nobody may change it.
    """

    def __init__(self, size: int = _ALL) -> None:
        self._size = size
        self._used = 0
        self._entries: OrderedDict[Hashable, _Entry] = OrderedDict()

    def keep(self, place: Hashable, state: bytes, obj: Raw) -> None:
        """Keep an object, and drop those that were looked at longest ago to make room."""
        self.drop(place)
        if len(state) > _EACH:
            return
        self._entries[place] = _Entry(state, obj)
        self._used += len(state)
        while self._used > self._size:
            _, oldest = self._entries.popitem(last=False)
            self._used -= len(oldest.state)

    def drop(self, place: Hashable) -> None:
        """Drop an object that has another state, or is gone."""
        if entry := self._entries.pop(place, None):
            self._used -= len(entry.state)

    def get(self, place: Hashable, state: bytes) -> Raw | None:
        """The object of that very state, None if it isn't kept."""
        entry = self._find(place, state)
        return entry.obj if entry else None

    def read(self, place: Hashable, state: bytes, obj: Raw, reader: Callable[[Raw], _T]) -> _T:
        """What a reader makes of an object, which it reads once while that is kept. Raises what it raises."""
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
