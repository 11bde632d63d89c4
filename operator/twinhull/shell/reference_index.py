"""The reference index: which Workloads may refer to an object, found without a look at every Workload."""

from __future__ import annotations

import itertools
from array import array
from bisect import bisect_left
from collections.abc import Iterator
from contextlib import suppress
from typing import NamedTuple, TypeAlias

from twinhull.api.base import Raw
from twinhull.core import references
from twinhull.core.references import Reference
from twinhull.shell.kinds import BY_NAME, CLAIM, Kind

#: A namespace (empty for cluster-scoped objects) and a name.
_Key: TypeAlias = tuple[str, str]

#: How many bits of a reference's hash the index keeps. The hash has a different seed in each process. Of a
#: million references, as many as a namespace has room for, 16 have the same short hash.
_BITS = 16
#: This stands in for the kind in the hash of a claim that a template mounts.
_MOUNTED = "mounted"


class _Entry(NamedTuple):
    """What the index holds of a Workload."""

    #: The Workload's number in the index.
    number: int
    #: The uid and generation of its spec.
    version: tuple[str, int]
    #: The short hashes of all objects that it refers to.
    referred: array[int]
    #: The whole hashes of the claims that its template mounts, in ascending order.
    mounted: array[int]


class ReferenceIndex:
    """The references of all Workloads in the store.

    A reference takes 6 bytes: the Workload's number under the short hash, and the short hash under the
    Workload. The table of all short hashes takes 10 MB. Names would take as much memory as the Workloads
    themselves. A claim that a template mounts takes 8 bytes more: its whole hash, which no other claim
    shares.
    """

    def __init__(self) -> None:
        self._numbers = itertools.count()
        self._known: dict[_Key, _Entry] = {}
        self._keys: dict[int, _Key] = {}
        self._referring: dict[int, array[int]] = {}

    def candidates(self, kind: Kind, key: _Key) -> list[_Key]:
        """The Workloads that may refer to an object. Every Workload that does is among them."""
        mounting = self._having(_hash(_MOUNTED, *key)) if kind is CLAIM else ()
        return list(dict.fromkeys([*self._having(_hash(kind.name, *key)), *mounting]))

    def mounting(self, claim: _Key) -> Iterator[_Key]:
        """Exactly the Workloads whose template mounts a claim. None of them is unpacked."""
        hashed = _hash(_MOUNTED, *claim)
        return (key for key in self._having(hashed) if _is_in(self._known[key].mounted, hashed))

    def changed(self, key: _Key, workload: Raw | None) -> None:
        """Take in a Workload's new state; None if it is gone."""
        former = self._known.get(key)
        if workload is not None and former is not None and _version(workload) == former.version:
            return
        if former is not None:
            self._forget(key, former)
        if workload is None:
            return
        named = set(referred_by(workload))
        mounted = sorted({_hash(*one) for one in named if one[0] == _MOUNTED})
        referred, number = {_short(_hash(*one)) for one in named}, next(self._numbers)
        self._known[key] = _Entry(number, _version(workload), array("H", referred), array("q", mounted))
        self._keys[number] = key
        for short in referred:
            self._referring.setdefault(short, array("I")).append(number)

    def _having(self, hashed: int) -> Iterator[_Key]:
        """The Workloads with a reference of the same short hash."""
        return (self._keys[number] for number in self._referring.get(_short(hashed), ()))

    def _forget(self, key: _Key, entry: _Entry) -> None:
        for short in entry.referred:
            self._referring[short].remove(entry.number)
            if not self._referring[short]:
                del self._referring[short]
        del self._known[key]
        del self._keys[entry.number]


def referred_by(workload: Raw) -> Iterator[tuple[str, str, str]]:
    """The kind, namespace and name of each object that a Workload refers to. The kind of a claim that the
    template mounts is given as `_MOUNTED`. A Workload that can't be read refers to nothing: it is reconciled
    when it changes itself.
    """
    with suppress(AttributeError, KeyError, TypeError):
        namespace, spec = workload["metadata"]["namespace"], workload["spec"]
        for reference in references.of_template(spec["template"]) if spec.get("template") else ():
            is_claim = reference.kind == CLAIM.name
            yield from _named(reference, namespace, _MOUNTED if is_claim else reference.kind)
        for reference in references.of_spec({**spec, "template": None}):
            yield from _named(reference, namespace, reference.kind)


def _named(reference: Reference, namespace: str, called: str) -> Iterator[tuple[str, str, str]]:
    kind = BY_NAME[reference.kind]
    if isinstance(reference.name, str):
        yield called, namespace if kind.namespaced else "", reference.name


def _hash(kind: str, namespace: str, name: str) -> int:
    """A number of 64 bits. Its seed is secret, so nobody can choose two names with the same hash."""
    return hash((kind, namespace, name))


def _short(hashed: int) -> int:
    return hashed % (1 << _BITS)


def _is_in(ascending: array[int], number: int) -> bool:
    index = bisect_left(ascending, number)
    return index < len(ascending) and ascending[index] == number


def _version(workload: Raw) -> tuple[str, int]:
    """The uid and generation, which tell one spec from another. Writing the status changes neither."""
    metadata = workload["metadata"]
    return metadata["uid"], metadata.get("generation", 0)
