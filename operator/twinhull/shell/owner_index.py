"""The owner index: objects by their controller, so that a Workload's own objects are found among many others.

Anybody who may create Pods can give them any label, and any owner.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Set as AbstractSet
from typing import TypeAlias

from twinhull.api.base import Raw
from twinhull.hulls.objectmeta import owner_of
from twinhull.shell.kinds import Kind

_Key: TypeAlias = tuple[str, str]

#: The most characters of an owner's uid. A longer one, which the creator of an object may have written, is
#: nobody's.
_LONGEST_UID = 64


class OwnerIndex:
    """The owners of the objects in the store."""

    def __init__(self) -> None:
        self._owners: dict[tuple[str, _Key], str] = {}
        self._owned: dict[tuple[str, str], set[_Key]] = defaultdict(set)

    def of(self, kind: Kind, owner: str) -> AbstractSet[_Key]:
        """The keys of a kind's objects whose controller has that uid."""
        return self._owned.get((kind.name, owner), frozenset())

    def changed(self, kind: Kind, key: _Key, obj: Raw | None) -> None:
        """Take in an object's new state; None if it is gone."""
        former_owner = self._owners.pop((kind.name, key), None)
        if former_owner is not None:
            self._owned[kind.name, former_owner].discard(key)
            if not self._owned[kind.name, former_owner]:
                del self._owned[kind.name, former_owner]
        owner = owner_of(obj) if obj is not None else None
        if owner is not None and len(owner.uid) <= _LONGEST_UID:
            self._owners[kind.name, key] = owner.uid
            self._owned[kind.name, owner.uid].add(key)
