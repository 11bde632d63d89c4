"""The referrers: which Workloads may refer to an object, so that news of it takes no look at all of them."""

from __future__ import annotations

import itertools
from array import array
from collections.abc import Iterator
from contextlib import suppress
from typing import TypeAlias

from twinhull.api.base import Raw
from twinhull.core import references
from twinhull.shell.kinds import BY_NAME, Kind

#: A namespace (empty for cluster-scoped objects) and a name.
_Key: TypeAlias = tuple[str, str]

#: References are told apart by so many bits of a hash, whose seed is another in each process. Of a million,
#: as many as a namespace has room for, 16 are alike.
_BITS = 16


class ReferenceIndex:
    """Kept in step with the Workloads in the store.

    They take 6 bytes a reference: the number of its Workload where its hash is, and its hash where its
    Workload is; and 10 MB for all hashes that there are. Names would take as much as the Workloads do.
    """

    def __init__(self) -> None:
        self._numbers = itertools.count()
        self._known: dict[_Key, tuple[int, tuple[str, int], array[int]]] = {}
        self._keys: dict[int, _Key] = {}
        self._referring: dict[int, array[int]] = {}

    def candidates(self, kind: Kind, key: _Key) -> list[_Key]:
        """The Workloads that may refer to an object; all that do are among them."""
        return [self._keys[number] for number in self._referring.get(_hash(kind, *key), ())]

    def changed(self, key: _Key, workload: Raw | None) -> None:
        """Take in a state of a Workload, None once it is gone."""
        number, version, hashes = self._known.get(key, (-1, None, ()))
        if workload is not None and _version(workload) == version:
            return
        for hashed in hashes:
            self._referring[hashed].remove(number)
            if not self._referring[hashed]:
                del self._referring[hashed]
        self._known.pop(key, None)
        self._keys.pop(number, None)
        if workload is None:
            return
        number, referred = next(self._numbers), {_hash(kind, *named) for kind, named in referred_by(workload)}
        self._known[key] = number, _version(workload), array("H", referred)
        self._keys[number] = key
        for hashed in referred:
            self._referring.setdefault(hashed, array("I")).append(number)


def referred_by(workload: Raw) -> Iterator[tuple[Kind, _Key]]:
    """What a Workload refers to, by its kind and key. What can't be read refers to nothing: it is looked at
    when it changes itself.
    """
    with suppress(AttributeError, KeyError, TypeError):
        for reference in references.of_spec(workload["spec"]):
            kind = BY_NAME[reference.kind]
            if isinstance(reference.name, str):
                namespace = workload["metadata"]["namespace"] if kind.namespaced else ""
                yield kind, (namespace, reference.name)


def _hash(kind: Kind, namespace: str, name: str) -> int:
    return hash((kind.name, namespace, name)) % (1 << _BITS)


def _version(workload: Raw) -> tuple[str, int]:
    """What tells one spec from any other; the status changes neither."""
    metadata = workload["metadata"]
    return metadata["uid"], metadata.get("generation", 0)
