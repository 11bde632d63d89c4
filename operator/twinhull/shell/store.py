"""The store: the last seen state of every watched object, so that deciding needs no request."""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from collections.abc import Hashable, Iterable, Iterator
from math import inf
from typing import TypeVar

from twinhull.api.base import Raw
from twinhull.hulls.hull import WORKLOAD_LABEL
from twinhull.shell.kinds import WATCHED, Kind

#: A namespace (empty for cluster-scoped objects) and a name.
Key = tuple[str, str]

_Entry = TypeVar("_Entry", bound=Hashable)

#: How many uids of objects that are gone are remembered, against news of them that arrives late.
_REMEMBERED = 10_000


class Store:
    """Objects by kind and key, fed by watches, lists and the answers to writes, in whatever order they come.

    Of two states of an object the newer stays: resource versions of one kind are comparable as integers
    (Kubernetes KEP-5504).
    """

    def __init__(self) -> None:
        self._objects: dict[str, dict[Key, Raw]] = {kind.name: {} for kind in WATCHED}
        self._labelled: dict[str, dict[Key, set[Key]]] = {kind.name: defaultdict(set) for kind in WATCHED}
        self._within: dict[str, dict[str, set[Key]]] = {kind.name: defaultdict(set) for kind in WATCHED}
        self._gone: OrderedDict[str, float] = OrderedDict()
        #: What the API server last said that it is, empty before it did.
        self.kubernetes_version = ""

    def put(self, kind: Kind, obj: Raw) -> bool:
        """Take in a state of an object. True if it is news."""
        metadata = obj["metadata"]
        if _version(obj) <= self._gone.get(metadata["uid"], 0):
            return False
        key = key_of(obj)
        before = self._objects[kind.name].get(key)
        if before is not None and _version(before) >= _version(obj):
            return False
        metadata.pop("managedFields", None)
        if kind.metadata_only:
            obj = {"metadata": metadata}
        if before is not None:
            self._unlabel(kind, key, before)
        self._objects[kind.name][key] = obj
        self._within[kind.name][key[0]].add(key)
        workload = workload_key(obj)
        if workload is not None:
            self._labelled[kind.name][workload].add(key)
        return True

    def remove(self, kind: Kind, key: Key, uid: str, version: float = inf) -> bool:
        """Forget an object that is gone. False if another of its name has taken its place already.

        Older news of it is no news from then on. An object that lost its label is gone as of a `version`
        only: it is news again when it gets the label back.
        """
        self._gone[uid] = version
        if len(self._gone) > _REMEMBERED:
            self._gone.popitem(last=False)
        before = self._objects[kind.name].get(key)
        if before is None or before["metadata"]["uid"] != uid:
            return False
        del self._objects[kind.name][key]
        _drop(self._within[kind.name], key[0], key)
        self._unlabel(kind, key, before)
        return True

    def replace(self, kind: Kind, objects: Iterable[Raw], version: str) -> list[Raw]:
        """Take in a whole list of a kind as of a resource version. The objects that it was news of, as they
        were and as they are.

        What the store has and the list hasn't is gone, unless it was created after the list was made.
        """
        news, present = [], set()
        for obj in objects:
            before = self.get(kind, key_of(obj))
            present.add(obj["metadata"]["uid"])
            if self.put(kind, obj):
                news += [obj] if before is None else [before, obj]
        for key, obj in list(self._objects[kind.name].items()):
            if obj["metadata"]["uid"] not in present and _version(obj) <= int(version):
                self.remove(kind, key, obj["metadata"]["uid"], int(version))
                news.append(obj)
        return news

    def get(self, kind: Kind, key: Key) -> Raw | None:
        """The last seen state of one object."""
        return self._objects[kind.name].get(key)

    def all(self, kind: Kind) -> Iterable[Raw]:
        """The last seen states of all objects of a kind."""
        return self._objects[kind.name].values()

    def namespaces(self, kind: Kind) -> list[str]:
        """The namespaces that have objects of a kind."""
        return list(self._within[kind.name])

    def within(self, kind: Kind, namespace: str) -> Iterator[Raw]:
        """A namespace's objects of a kind, by name."""
        for key in sorted(self._within[kind.name].get(namespace, ())):
            yield self._objects[kind.name][key]

    def labelled(self, kind: Kind, workload: Key) -> Iterator[Raw]:
        """The objects that carry a Workload's label, by name."""
        for key in sorted(self._labelled[kind.name].get(workload, ())):
            yield self._objects[kind.name][key]

    def _unlabel(self, kind: Kind, key: Key, obj: Raw) -> None:
        workload = workload_key(obj)
        if workload is not None:
            _drop(self._labelled[kind.name], workload, key)


def key_of(obj: Raw) -> Key:
    """An object's key."""
    return obj["metadata"].get("namespace", ""), obj["metadata"]["name"]


def workload_key(obj: Raw) -> Key | None:
    """The key of the Workload whose label an object carries."""
    name = (obj["metadata"].get("labels") or {}).get(WORKLOAD_LABEL)
    return (obj["metadata"].get("namespace", ""), name) if name else None


def _drop(index: dict[_Entry, set[Key]], entry: _Entry, key: Key) -> None:
    """Take a key out of an index, and its entry with the last one."""
    index[entry].discard(key)
    if not index[entry]:
        del index[entry]


def _version(obj: Raw) -> int:
    return int(obj["metadata"]["resourceVersion"])
