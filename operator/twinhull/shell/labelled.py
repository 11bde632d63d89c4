"""The objects that carry a Workload's label: a bounded number of them, however many there are.

Anybody who may create such objects can give them the label.
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

#: How many objects of each kind the operator looks at: of those that the Workload owns (usually one or two),
#: and of strangers, objects with the label that it doesn't own. If a Workload owns more, the operator looks
#: at the oldest of those that haven't ended. No hull is made while there are more, so each hull is among
#: them.
MOST_OWN = 64
_MOST_STRANGERS = 2


class Crowded(Unreadable):
    """More objects name a Workload as their owner than the operator looks at."""

    reason = Reason.NAME_CONFLICT


def refuse_too_many_hulls(store: Store, key: Key, uid: str) -> None:
    """Raises Crowded if the operator doesn't look at all hulls: what to do with one hull depends on the
    others.
    """
    for kind in kinds.hulls():
        if len(store.owned_keys(kind, key, uid)) > MOST_OWN:
            raise Crowded(
                f"more than {MOST_OWN} objects of kind {kind.name} name this Workload as their owner: "
                "delete those that it didn't make"
            )


def refuse_unread_hulls(store: Store, key: Key, uid: str) -> None:
    """Raises Unreadable if the store doesn't hold a hull of the Workload as a whole: that hull may be the one
    that runs.

    The same holds for the Workload's Service: otherwise the operator doesn't know where the Service leads. A
    ConfigMap may be incomplete, since anybody who may write one could block the Workload by it.
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
    """The VirtualMachineInstance of a VirtualMachine, if the instance has the Workload's label, too."""
    return _labelled(store, kinds.VIRTUAL_MACHINE_INSTANCE, key, machine["metadata"]["name"])


def launchers_of(store: Store, key: Key, vmi: Raw) -> list[Raw]:
    """The launcher Pods of a VirtualMachineInstance, by name. If the store doesn't hold one as a whole, at
    least its deletionTimestamp is known.
    """
    return list(own(store, kinds.LAUNCHER, key, vmi["metadata"]["uid"]))


def debug_container_of(store: Store, key: Key, vmi: Raw) -> str:
    """The path of an ephemeral container in one of the machine's launcher Pods; empty if there is none. A
    text that says so if there are more launcher Pods than the operator looks at.
    """
    if overlooked(store, kinds.LAUNCHER, key, vmi["metadata"]["uid"]) is not None:
        return "more launcher Pods than the operator looks at"
    return launcher_pods.debug_container(launchers_of(store, key, vmi))


def own(store: Store, kind: Kind, key: Key, uid: str) -> Iterator[Raw]:
    """The objects that a Workload owns, by name."""
    return _of(store, kind, sorted(store.oldest(kind, store.owned_keys(kind, key, uid), MOST_OWN)))


def own_and_strangers(store: Store, kind: Kind, key: Key, uid: str) -> Iterator[Raw]:
    """The objects that a Workload owns, and some strangers with its label, by name."""
    owned = store.owned_keys(kind, key, uid)
    strangers = nsmallest(_MOST_STRANGERS, store.labelled_keys(kind, key) - owned)
    return _of(store, kind, sorted([*store.oldest(kind, owned, MOST_OWN), *strangers]))


def overlooked(store: Store, kind: Kind, key: Key, uid: str) -> Raw | None:
    """The first of a Workload's objects that is beyond MOST_OWN and hasn't ended; None if there is none. It
    may be a hull: creation times are in whole seconds, so another object may count as older.
    """
    owned = store.owned_keys(kind, key, uid)
    others = store.oldest(kind, owned, MOST_OWN + 1)[MOST_OWN:] if len(owned) > MOST_OWN else ()
    return next((obj for obj in _of(store, kind, others) if not has_ended(obj)), None)


def strays(store: Store, key: Key) -> Iterator[Raw]:
    """Some VirtualMachineInstances with the Workload's label whose VirtualMachine doesn't exist, or lacks the
    label.
    """
    kind = kinds.VIRTUAL_MACHINE_INSTANCE
    alone = store.labelled_keys(kind, key) - store.labelled_keys(kinds.VIRTUAL_MACHINE, key)
    return _of(store, kind, nsmallest(_MOST_STRANGERS, alone))


class Manifests(Mapping[str, Companion]):
    """The ConfigMaps with the Workload's label, by name.

    Any of them can be asked for. Iteration gives only those that the Workload owns and that are named like a
    hull: the operator makes no others. If there are more than MOST_OWN, it gives none.
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
    """The DataVolumes that have a Workload's label, by name, whoever owns them. A Workload names those that
    are its own.
    """

    def __init__(self, store: Store, key: Key) -> None:
        self._store, self._key = store, key

    def get(self, name: str, /) -> Companion | None:
        """The DataVolume of that name. None if it doesn't exist, or the store doesn't hold it as a whole."""
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
    """A Service, ConfigMap, DataVolume or claim in the form in which core decides on it."""
    metadata = obj["metadata"]
    return Companion(obj, metadata["uid"], owner_of(obj), "deletionTimestamp" in metadata)


def _labelled(store: Store, kind: Kind, key: Key, name: str) -> Raw | None:
    """The object of that name, if it has the Workload's label. An object without the label isn't unpacked."""
    named = key[0], name
    return store.get(kind, named) if named in store.labelled_keys(kind, key) else None


def _of(store: Store, kind: Kind, keys: Iterable[Key]) -> Iterator[Raw]:
    return (obj for key in keys if (obj := store.get(kind, key)) is not None)
