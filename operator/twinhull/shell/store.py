"""The store: the last seen state of every watched object, so that decisions need no request."""

from __future__ import annotations

import marshal
from collections import Counter, OrderedDict, defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from heapq import nsmallest
from math import inf
from typing import TypeVar

from twinhull.api.base import Raw
from twinhull.api.reading import UNREAD
from twinhull.hulls.hull import DISK_LABEL, WORKLOAD_LABEL
from twinhull.hulls.podstatus import has_ended
from twinhull.shell.guest_directory import GuestDirectory
from twinhull.shell.identity import identity
from twinhull.shell.kinds import WATCHED, WORKLOAD, Kind
from twinhull.shell.namespace_memory import NamespaceMemory
from twinhull.shell.outline import outline
from twinhull.shell.owner_index import OwnerIndex
from twinhull.shell.reference_index import ReferenceIndex
from twinhull.shell.trimming import trimmed
from twinhull.shell.unpacked import Unpacked
from twinhull.shell.workload_states import WorkloadStates

#: A namespace (empty for cluster-scoped objects) and a name.
Key = tuple[str, str]

_Entry = TypeVar("_Entry", bound=Hashable)
_T = TypeVar("_T")

#: The most bytes of one object, and of the objects of one namespace unless another number is given.
_LARGEST = 1 << 20
DEFAULT_ROOM = 128 << 20
_NO_ROOM = "the objects of its namespace use all the memory that one namespace may use"
#: How many bytes an object takes beside its state: for its key and uid, and its places in the indices.
_ENTRY = 1 << 10
#: How many uids of deleted objects are remembered, so that late news of them is recognized.
_REMEMBERED = 10_000


@dataclass(frozen=True, slots=True)
class _Held:
    """An object in the store."""

    #: The object's uid.
    uid: str
    #: Its resourceVersion.
    version: int
    #: The Workload whose label the object carries.
    workload: Key | None
    #: Whether the object can't be read, or is too large, so that only parts are held.
    unread: bool
    #: Whether only the object's identity is held, because its namespace has no memory left.
    over: bool
    #: The object's place in the order of `oldest`.
    age: str
    #: The object itself. Namespaced objects are packed, since many people may create many of them.
    state: Raw | bytes

    @property
    def obj(self) -> Raw:
        return marshal.loads(self.state) if isinstance(self.state, bytes) else self.state  # noqa: S302  our own

    @property
    def size(self) -> int:
        """How many bytes the object takes of its namespace's memory."""
        return len(self.state) + _ENTRY if isinstance(self.state, bytes) and not self.over else 0


class Store:
    """Objects by kind and key, from watches, lists and the answers to writes, in whatever order these come.

    Of two states of an object the newer one stays: resource versions of one kind are comparable as integers
    (Kubernetes KEP-5504). Only the used parts of each object are kept (shell/trimming). The objects of a
    namespace may take so much memory (shell/namespace_memory). If that is used up, only the identity of a
    further object is kept (shell/identity).
    """

    def __init__(self, room: int = DEFAULT_ROOM) -> None:
        self._room = NamespaceMemory(room)
        self._objects: dict[str, dict[Key, _Held]] = {kind.name: {} for kind in WATCHED}
        self._labelled: dict[str, dict[Key, set[Key]]] = {kind.name: defaultdict(set) for kind in WATCHED}
        self._within: dict[str, dict[str, set[Key]]] = {kind.name: defaultdict(set) for kind in WATCHED}
        self._unread: dict[str, int] = dict.fromkeys(self._objects, 0)
        self._over: Counter[tuple[str, str]] = Counter()
        self._gone: OrderedDict[str, float] = OrderedDict()
        self._referrers, self._owned = ReferenceIndex(), OwnerIndex()
        self._unpacked = Unpacked()
        self.guest_directory = GuestDirectory()
        self.workload_states = WorkloadStates()
        #: The version that the API server last gave. Empty before that.
        self.kubernetes_version = ""

    def put(self, kind: Kind, obj: Raw) -> bool:
        """Take in an object's state. True if it is new, or newer than the present one."""
        metadata, key = obj["metadata"], key_of(obj)
        former, version = self._objects[kind.name].get(key), int(metadata["resourceVersion"])
        if version <= self._gone.get(metadata["uid"], 0):
            return False
        same = former is not None and former.version == version
        if former is not None and (former.version > version or (same and not former.unread)):
            return False
        held = self._hold(kind, key, obj, former)
        if former is not None:
            if same and held.unread and held.over == former.over:  # there is still no memory for it
                return False
            self._drop(kind, key, former)
        if kind is WORKLOAD:
            self._referrers.changed(key, None if held.unread else obj)
            self.workload_states.changed(key, obj)
        if kind.label_selector and kind.namespaced:
            self._owned.changed(kind, key, obj)
        self.guest_directory.changed(kind, key, None if held.unread else obj)
        self._objects[kind.name][key] = held
        self._within[kind.name][key[0]].add(key)
        self._count(kind, key, held, 1)
        if held.workload is not None:
            self._labelled[kind.name][held.workload].add(key)
        return True

    def remove(self, kind: Kind, key: Key, uid: str, version: float = inf) -> bool:
        """Remove an object that is gone. False if another object has its name by now, or if a version of it
        is known that is later than `version`.

        From then on older states of it aren't taken in. An object that has only lost its label is gone as of
        a `version`: it is taken in again when it gets the label back.
        """
        self._gone[uid] = max(version, self._gone.get(uid, 0))
        if len(self._gone) > _REMEMBERED:
            self._gone.popitem(last=False)
        former = self._objects[kind.name].get(key)
        if former is None or former.uid != uid or former.version > version:
            return False
        self._forget(kind, key, former)
        return True

    def _forget(self, kind: Kind, key: Key, former: _Held) -> None:
        self._drop(kind, key, former)
        if kind is WORKLOAD:
            self._referrers.changed(key, None)
            self.workload_states.changed(key, None)
        if kind.label_selector and kind.namespaced:
            self._owned.changed(kind, key, None)
        self.guest_directory.changed(kind, key, None)
        self._unpacked.drop((kind.name, key))

    def replace(self, kind: Kind, objects: Iterable[Raw], version: str) -> None:
        """Take in a complete list of a kind, as of a resource version."""
        present = set()
        for obj in objects:
            present.add(obj["metadata"]["uid"])
            self.put(kind, obj)
        for _ in self.prune(kind, present, int(version)):
            pass

    def prune(
        self, kind: Kind, present: AbstractSet[str], version: float, namespace: str | None = None
    ) -> Iterator[Raw]:
        """Remove the objects that a complete list, as of a resource version, doesn't have, unless they were
        created later. The list is that of a namespace, or (None) of all. Yields the removed objects.
        """
        keys = self.keys(kind) if namespace is None else self.keys_within(kind, namespace)
        for key in keys:
            held = self._objects[kind.name][key]
            if held.uid not in present and held.version <= version:
                self.remove(kind, key, held.uid, version)
                yield held.obj

    def remove_all(self, kind: Kind) -> Iterator[Raw]:
        """Forget all objects of a kind that isn't served any more. The objects as they were. They may be
        served again, as they were: then they are news.
        """
        for key in self.keys(kind):
            held = self._objects[kind.name][key]
            self._forget(kind, key, held)
            yield held.obj

    def get(self, kind: Kind, key: Key) -> Raw | None:
        """The last seen state of an object. Others have the same dict, so nobody may change it."""
        held = self._objects[kind.name].get(key)
        return None if held is None else self._unpack(kind, key, held)

    def uid(self, kind: Kind, key: Key) -> str | None:
        """The uid of an object, None if the store doesn't have it. The object isn't unpacked."""
        held = self._objects[kind.name].get(key)
        return None if held is None else held.uid

    def is_unread(self, kind: Kind, key: Key) -> bool:
        """Whether the store has an object, but not as a whole. The object isn't unpacked."""
        held = self._objects[kind.name].get(key)
        return held is not None and held.unread

    def read(self, kind: Kind, obj: Raw, reader: Callable[[Raw], _T]) -> _T:
        """The result of a reader for an object that `get` returned. While the object is used often, the
        result is computed once. Raises what the reader raises.
        """
        key = key_of(obj)
        held = self._objects[kind.name].get(key)
        if held is None or not isinstance(held.state, bytes):
            return reader(obj)
        return self._unpacked.read((kind.name, key), held.state, obj, reader)

    def all(self, kind: Kind) -> Iterator[Raw]:
        """The last seen states of all objects of a kind."""
        return (held.obj for held in list(self._objects[kind.name].values()))

    def keys(self, kind: Kind) -> list[Key]:
        """The keys of all objects of a kind."""
        return list(self._objects[kind.name])

    def uids(self, kind: Kind) -> set[str]:
        """The uids of all objects of a kind."""
        return {held.uid for held in self._objects[kind.name].values()}

    def unread(self, kind: Kind) -> int:
        """How many objects of a kind aren't held as a whole."""
        return self._unread[kind.name]

    def over_room(self) -> Mapping[tuple[str, str], int]:
        """How many objects of each namespace and resource are held by their identity alone, for lack of
        memory.
        """
        return self._over

    def namespaces(self, kind: Kind) -> list[str]:
        """The namespaces that have objects of a kind."""
        return list(self._within[kind.name])

    def keys_within(self, kind: Kind, namespace: str) -> list[Key]:
        """The keys of a namespace's objects of a kind, by name. No object is unpacked."""
        return sorted(self._within[kind.name].get(namespace, ()))

    def labelled(self, kind: Kind, workload: Key) -> Iterator[Raw]:
        """The objects that carry a Workload's label, by name."""
        for key in sorted(self._labelled[kind.name].get(workload, ())):
            yield self._unpack(kind, key, self._objects[kind.name][key])

    def labelled_keys(self, kind: Kind, workload: Key) -> AbstractSet[Key]:
        """The keys of the objects that carry a Workload's label, however many."""
        return self._labelled[kind.name].get(workload, set())

    def labelled_workloads(self, kind: Kind) -> list[Key]:
        """The keys of the Workloads, present or gone, whose label objects of a kind carry."""
        return list(self._labelled[kind.name])

    def owned_keys(self, kind: Kind, workload: Key, uid: str) -> AbstractSet[Key]:
        """The keys of the objects that carry a Workload's label and whose controller has that uid."""
        return self._owned.of(kind, uid) & self.labelled_keys(kind, workload)

    def oldest(self, kind: Kind, keys: Iterable[Key], most: int) -> list[Key]:
        """The oldest `most` of these objects of a kind. Objects that have ended come after all others. No
        object is unpacked.
        """
        held = self._objects[kind.name]
        return nsmallest(most, keys, key=lambda key: (held[key].age, key))

    def may_refer(self, kind: Kind, key: Key) -> list[Key]:
        """The Workloads that may refer to an object. Every Workload that does is among them."""
        return self._referrers.candidates(kind, key)

    def mounting(self, claim: Key) -> Iterator[Key]:
        """The Workloads whose template mounts a claim."""
        return self._referrers.mounting(claim)

    def _hold(self, kind: Kind, key: Key, obj: Raw, former: _Held | None) -> _Held:
        """An object as it is to be held, reduced to the memory that there is for it."""
        small, over = trimmed(kind, obj), False
        state = small if not kind.namespaced else marshal.dumps(small)
        if isinstance(state, bytes) and len(state) > _LARGEST:
            small = outline(
                kind, small, f"it takes {len(state):,} bytes of memory, of which {_LARGEST:,} are allowed"
            )
            state = marshal.dumps(small)
        if isinstance(state, bytes):
            room = self._room.left(kind, key[0]) + (former.size if former else 0) - _ENTRY
            if over := len(state) > min(room, _LARGEST):
                small = identity(kind, small, small.get(UNREAD, _NO_ROOM))
                state = marshal.dumps(small)
        if isinstance(state, bytes):
            self._unpacked.keep((kind.name, key), state, small)
        metadata, workload = obj["metadata"], workload_key(small)
        version = int(metadata["resourceVersion"])
        return _Held(metadata["uid"], version, workload, UNREAD in small, over, _age(small), state)

    def _unpack(self, kind: Kind, key: Key, held: _Held) -> Raw:
        """An object, unpacked. The unpacked one is kept for a while."""
        if not isinstance(held.state, bytes):
            return held.state
        obj = self._unpacked.get((kind.name, key), held.state)
        if obj is None:
            obj = held.obj
            self._unpacked.keep((kind.name, key), held.state, obj)
        return obj

    def _count(self, kind: Kind, key: Key, held: _Held, sign: int) -> None:
        """Note that an object is held from now on (1), or no longer (-1)."""
        self._room.change(kind, key[0], sign * held.size)
        self._unread[kind.name] += sign * held.unread
        self._over[key[0], kind.plural] += sign * held.over
        if not self._over[key[0], kind.plural]:
            del self._over[key[0], kind.plural]

    def _drop(self, kind: Kind, key: Key, held: _Held) -> None:
        del self._objects[kind.name][key]
        _discard(self._within[kind.name], key[0], key)
        self._count(kind, key, held, -1)
        if held.workload is not None:
            _discard(self._labelled[kind.name], held.workload, key)


def key_of(obj: Raw) -> Key:
    """An object's key."""
    return obj["metadata"].get("namespace", ""), obj["metadata"]["name"]


def workload_key(obj: Raw) -> Key | None:
    """The key of the Workload that an object's label names: the Workload's label, or that of its disks."""
    labels = obj["metadata"].get("labels") or {}
    name = labels.get(WORKLOAD_LABEL) or labels.get(DISK_LABEL)
    return (obj["metadata"].get("namespace", ""), name) if name else None


def _age(obj: Raw) -> str:
    """A text for sorting: smaller for an older object, and larger for one that has ended."""
    return f"{has_ended(obj):d}{obj['metadata'].get('creationTimestamp', '')}"


def _discard(index: dict[_Entry, set[Key]], entry: _Entry, key: Key) -> None:
    """Remove a key from an index, and the index's entry with its last key."""
    index[entry].discard(key)
    if not index[entry]:
        del index[entry]
