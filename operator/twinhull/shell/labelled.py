"""The objects that carry a Workload's label: a few of them, however many there are.

Whoever may make such objects may put it on.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from heapq import nsmallest

from twinhull.api.base import Raw
from twinhull.api.reading import UNREAD, Unreadable
from twinhull.api.reasons import Reason
from twinhull.core.observed import Companion
from twinhull.hulls import launcher_pods
from twinhull.hulls.objectmeta import owner_of
from twinhull.hulls.pod import is_hull_name
from twinhull.hulls.podstatus import has_ended
from twinhull.shell import kinds
from twinhull.shell.kinds import Kind
from twinhull.shell.store import Key, Store

#: How many are looked at, of each kind: of those that a Workload owns, which are two in the course of things;
#: and of strangers, of which one is enough to say that there is one. Of more that a Workload owns, it is the
#: oldest of those that haven't ended: no hull is made while there are more, so each hull is among them.
MOST_OWN = 64
_MOST_STRANGERS = 2


class Crowded(Unreadable):
    """More objects say that they are a Workload's than are looked at."""

    reason = Reason.NAME_CONFLICT


def refuse_too_many_hulls(store: Store, key: Key, uid: str) -> None:
    """Raises Crowded where not all hulls are looked at: what to do with one depends on the others."""
    for kind in kinds.hulls():
        if len(store.owned_keys(kind, key, uid)) > MOST_OWN:
            raise Crowded(
                f"more than {MOST_OWN} objects of kind {kind.name} name this Workload as their owner: "
                "delete those that it didn't make"
            )


def refuse_unread_hulls(store: Store, key: Key, uid: str) -> None:
    """Raises Unreadable where a hull that a Workload owns isn't held as a whole: it may be what runs. The
    same holds for the Workload's Service: if it isn't held as a whole, the operator doesn't know where it
    leads. A ConfigMap that isn't keeps nothing from being decided, since whoever may write one may make it
    so.
    """
    service = store.get(kinds.SERVICE, key)
    if service and UNREAD in service:
        raise Unreadable(f"Service {key[1]}, since {service[UNREAD]}")
    for kind in kinds.hulls():
        of_each = (kind, kinds.VIRTUAL_MACHINE_INSTANCE) if kind is kinds.VIRTUAL_MACHINE else (kind,)
        for owned in nsmallest(MOST_OWN, store.owned_keys(kind, key, uid)):
            for of_kind in of_each:
                if store.is_unread(of_kind, owned) and (obj := _labelled(store, of_kind, key, owned[1])):
                    raise Unreadable(f"{of_kind.name} {owned[1]}, since {obj[UNREAD]}")


def instance_of(store: Store, key: Key, machine: Raw) -> Raw | None:
    """The VirtualMachineInstance of a VirtualMachine, if it has the Workload's label, too."""
    return _labelled(store, kinds.VIRTUAL_MACHINE_INSTANCE, key, machine["metadata"]["name"])


def launchers_of(store: Store, key: Key, vmi: Raw) -> list[Raw]:
    """The launcher Pods of a VirtualMachineInstance, by name. Of one that isn't held as a whole it is known
    whether it is being deleted.
    """
    return list(own(store, kinds.LAUNCHER, key, vmi["metadata"]["uid"]))


def debug_container_of(store: Store, key: Key, vmi: Raw) -> str:
    """What runs beside a machine in one of its launcher Pods, by its path; empty if nothing does."""
    if overlooked(store, kinds.LAUNCHER, key, vmi["metadata"]["uid"]) is not None:
        return "more launcher Pods than the operator looks at"
    return launcher_pods.debug_container(launchers_of(store, key, vmi))


def own(store: Store, kind: Kind, key: Key, uid: str) -> Iterator[Raw]:
    """Those that a Workload owns, by name."""
    return _of(store, kind, sorted(store.oldest(kind, store.owned_keys(kind, key, uid), MOST_OWN)))


def near(store: Store, kind: Kind, key: Key, uid: str) -> Iterator[Raw]:
    """Those that it owns, and some strangers, by name."""
    owned = store.owned_keys(kind, key, uid)
    strangers = nsmallest(_MOST_STRANGERS, store.labelled_keys(kind, key) - owned)
    return _of(store, kind, sorted([*store.oldest(kind, owned, MOST_OWN), *strangers]))


def overlooked(store: Store, kind: Kind, key: Key, uid: str) -> Raw | None:
    """The first of those that a Workload owns and that aren't looked at, None if all have ended. It may be a
    hull: times of creation are in whole seconds, so another may count as older.
    """
    owned = store.owned_keys(kind, key, uid)
    others = store.oldest(kind, owned, MOST_OWN + 1)[MOST_OWN:] if len(owned) > MOST_OWN else ()
    return next((obj for obj in _of(store, kind, others) if not has_ended(obj)), None)


def strays(store: Store, key: Key) -> Iterator[Raw]:
    """Some VirtualMachineInstances whose VirtualMachine isn't there."""
    kind = kinds.VIRTUAL_MACHINE_INSTANCE
    alone = store.labelled_keys(kind, key) - store.labelled_keys(kinds.VIRTUAL_MACHINE, key)
    return _of(store, kind, nsmallest(_MOST_STRANGERS, alone))


class Manifests(Mapping[str, Companion]):
    """The ConfigMaps, by name. Any can be asked for. Those that the Workload owns can be gone through, if
    they have the name of a hull: no others are its operator's. Nor are many, of which none can.
    """

    def __init__(self, store: Store, key: Key, uid: str) -> None:
        self._store, self._key, self._uid = store, key, uid

    def __getitem__(self, name: str) -> Companion:
        config_map = _labelled(self._store, kinds.CONFIG_MAP, self._key, name)
        if config_map is None:
            raise KeyError(name)
        return companion(config_map)

    def __iter__(self) -> Iterator[str]:
        return iter(self._names())

    def __len__(self) -> int:
        return len(self._names())

    def _names(self) -> list[str]:
        owned = self._store.owned_keys(kinds.CONFIG_MAP, self._key, self._uid)
        names = sorted(name for _, name in owned if is_hull_name(self._key[1], name))
        return names if len(names) <= MOST_OWN else []


class DataVolumes:
    """The DataVolumes that have a Workload's label, by name: whoever owns them, or nobody. A Workload names
    those that are its own.
    """

    def __init__(self, store: Store, key: Key) -> None:
        self._store, self._key = store, key

    def get(self, name: str, /) -> Companion | None:
        """The DataVolume of that name, None if there is none, or it isn't held as a whole."""
        obj = _labelled(self._store, kinds.DATA_VOLUME, self._key, name)
        return None if obj is None or UNREAD in obj else companion(obj)


class Claims:
    """The claims of a namespace, by name."""

    def __init__(self, store: Store, namespace: str) -> None:
        self._store, self._namespace = store, namespace

    def get(self, name: str, /) -> Companion | None:
        """The claim of that name, None if there is none."""
        obj = self._store.get(kinds.CLAIM, (self._namespace, name))
        return None if obj is None else companion(obj)


def companion(obj: Raw) -> Companion:
    """A Service, ConfigMap or claim as it is decided on."""
    metadata = obj["metadata"]
    return Companion(obj, metadata["uid"], owner_of(obj), "deletionTimestamp" in metadata)


def _labelled(store: Store, kind: Kind, key: Key, name: str) -> Raw | None:
    """The object of that name, if it has the Workload's label. One that hasn't isn't unpacked."""
    named = key[0], name
    return store.get(kind, named) if named in store.labelled_keys(kind, key) else None


def _of(store: Store, kind: Kind, keys: Iterable[Key]) -> Iterator[Raw]:
    return (obj for key in keys if (obj := store.get(kind, key)) is not None)
