"""The executor: carries out one action at a time, and puts the API server's answer into the store."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime

from twinhull.api.base import Raw
from twinhull.api.reasons import Reason
from twinhull.api.workload import ObjectMeta
from twinhull.core.actions import Action, Change, Create, Delete, Note, Rehearse
from twinhull.hulls.hull import owner_of
from twinhull.hulls.merge import difference
from twinhull.shell.cluster import Cluster
from twinhull.shell.errors import (
    AlreadyExists,
    ApiError,
    Conflict,
    NotFound,
    NotLeading,
    Refused,
    Unauthorized,
    Unreachable,
)
from twinhull.shell.kinds import BY_NAME, POD, VIRTUAL_MACHINE, WORKLOAD, Kind
from twinhull.shell.refusals import Cause, Refusals
from twinhull.shell.store import Key, Store

#: In refusals that pass by themselves: a quota is freed, a controller makes what is missing.
_PASSING = ("exceeded quota", "error looking up service account")
#: In the answer to a rehearsal: the old hull fills the quota, or a webhook can't rehearse.
_NO_REFUSAL = ("exceeded quota", "does not support dry run")
#: What an answer comes to that isn't yes, by the kind that was to be written.
_REFUSED = {
    "Pod": Reason.POD_REFUSED,
    "VirtualMachine": Reason.VIRTUAL_MACHINE_REFUSED,
    "Service": Reason.SERVICE_REFUSED,
    "ConfigMap": Reason.CONFIG_MAP_REFUSED,
}
_FAILED = {
    "Pod": Reason.POD_FAILED,
    "VirtualMachine": Reason.VIRTUAL_MACHINE_FAILED,
    "Service": Reason.SERVICE_FAILED,
    "ConfigMap": Reason.CONFIG_MAP_FAILED,
}


@dataclass(frozen=True, slots=True)
class Done:
    """An action that was carried out, and what people are told of it."""

    note: Note | None


class Executor:
    """Writes to the cluster. A refusal is remembered for the next decision; no answer at all is raised."""

    def __init__(self, cluster: Cluster, store: Store, refusals: Refusals) -> None:
        self._cluster = cluster
        self._store = store
        self._refusals = refusals
        self._in_doubt: set[Key] = set()

    async def execute(self, workload: ObjectMeta, action: Action, now: datetime) -> Done | None:
        """Carry out an action for a Workload. None if the API server refused.

        Raises Unreachable or Unauthorized when it can't be known, and NotLeading when nothing was sent.
        """
        note = action.note
        try:
            match action:
                case Create():
                    note = await self._create(workload, action)
                case Rehearse():
                    await self._rehearse(workload, action)
                case Change():
                    await self._change(workload, action)
                case Delete():
                    await self._delete(workload, action)
        except (Unreachable, Unauthorized):
            self._in_doubt.add(_key(workload))
            raise
        except NotLeading:
            raise
        except _NameTaken as taken:
            self._refuse(workload, action.key, taken.cause, now)
            return None
        except ApiError as error:
            kind, refused = action.key.partition("/")[0], isinstance(error, Refused)
            passing = any(phrase in str(error) for phrase in _PASSING)
            reason = _REFUSED[kind] if refused else _FAILED[kind]
            cause = Cause(reason, str(error), final=refused and not passing, passing=refused and passing)
            self._refuse(workload, action.key, cause, now)
            return None
        self._refusals.settle(_key(workload), action.key)
        return Done(note)

    async def clear_doubt(self, key: Key) -> None:
        """See what became of a write whose answer was lost: another hull must not be made beside it."""
        if key not in self._in_doubt:
            return
        for kind in (POD, VIRTUAL_MACHINE):
            listed, _ = await self._cluster.list(kind, key) or ([], "")
            for obj in listed:
                self._store.put(kind, obj)
        self._in_doubt.discard(key)

    async def write_status(self, key: Key, uid: str, status: Raw) -> bool:
        """Write what changed of a Workload's status; nothing (False) if that is nothing, or it is gone.

        Raises Conflict if there is another state of it than the last seen one.
        """
        seen = self._store.get(WORKLOAD, key)
        if seen is None or seen["metadata"]["uid"] != uid:
            return False
        patch = difference(seen.get("status", {}), status)
        if not patch:
            return False
        version = {"resourceVersion": seen["metadata"]["resourceVersion"]}
        try:
            written = await self._cluster.patch(
                WORKLOAD, *key, {"metadata": version, "status": patch}, "/status"
            )
        except NotFound:
            return False
        self._store.put(WORKLOAD, written)
        return True

    def forget(self, key: Key) -> None:
        """Forget what was refused to a Workload that is gone."""
        self._refusals.forget(key)
        self._in_doubt.discard(key)

    async def _create(self, workload: ObjectMeta, action: Create) -> Note | None:
        kind = BY_NAME[action.obj["kind"]]
        namespace = workload.namespace
        note = action.note
        try:
            created = await self._cluster.create(kind, namespace, action.obj)
        except AlreadyExists:
            created, note = await self._find_ours(workload, kind, action.obj), action.found or note
        self._store.put(kind, created)
        return note

    async def _rehearse(self, workload: ObjectMeta, action: Rehearse) -> None:
        """Try a creation out. What the hull that still runs stands in the way of is no refusal."""
        kind = BY_NAME[action.obj["kind"]]
        try:
            await self._cluster.rehearse(kind, workload.namespace, action.obj)
        except AlreadyExists:
            await self._find_ours(workload, kind, action.obj)
        except Refused as error:
            if not any(phrase in str(error) for phrase in _NO_REFUSAL):
                raise
        self._refusals.rehearse(_key(workload), workload.version, action.key)

    async def _find_ours(self, workload: ObjectMeta, kind: Kind, obj: Raw) -> Raw:
        """The object that is there already, if it is ours: made before a crash, or not seen yet."""
        namespace, name = workload.namespace, obj["metadata"]["name"]
        found = await self._cluster.get(kind, namespace, name)
        what = f"{kind.name} {name}"
        if found is None:
            raise _NameTaken(Cause(Reason.WAITING, f"{what} was in the way and is gone now", final=False))
        owner = owner_of(found)
        if owner is not None and owner.uid == workload.uid:
            # It wasn't watched, or as another's, if somebody changed its labels: put them back.
            there = found["metadata"].get("labels") or {}
            lost = {key: value for key, value in obj["metadata"]["labels"].items() if there.get(key) != value}
            return await self._cluster.patch(kind, namespace, name, {"metadata": {"labels": lost}})
        if owner is not None and owner.takes_along:
            raise _NameTaken(
                Cause(Reason.WAITING, f"waiting for {what} to go with its former owner", final=False)
            )
        sentence = f"{what} exists and isn't this Workload's: delete it, or rename one of the two"
        raise _NameTaken(Cause(Reason.NAME_CONFLICT, sentence, final=True))

    async def _change(self, workload: ObjectMeta, action: Change) -> None:
        kind = BY_NAME[action.kind]
        namespace = workload.namespace
        patch = {**action.patch, "metadata": {**action.patch.get("metadata", {}), "uid": action.uid}}
        subresource = action.subresource and f"/{action.subresource}"
        changed = await self._cluster.patch(kind, namespace, action.name, patch, subresource)
        self._store.put(kind, changed)
        if action.what == "end" and not _notes(changed) >= _notes(action.patch):
            raise Refused(
                f"{action.kind} {action.name} was changed, but not given the annotation that it is "
                "to end: see which webhook takes annotations away"
            )

    async def _delete(self, workload: ObjectMeta, action: Delete) -> None:
        kind = BY_NAME[action.kind]
        key = (workload.namespace, action.name)
        try:
            answer = await self._cluster.delete(kind, *key, action.uid)
        except (NotFound, Conflict):  # a webhook may answer so too: only a look tells that ours is no more
            found = await self._cluster.get(kind, *key)
            if found is not None and found["metadata"]["uid"] == action.uid:
                raise
            self._store.remove(kind, key, action.uid)
            return
        if "deletionTimestamp" in answer.get("metadata", {}):
            self._store.put(kind, answer)
        else:
            self._store.remove(kind, key, action.uid)

    def _refuse(self, workload: ObjectMeta, obj: str, cause: Cause, now: datetime) -> None:
        self._refusals.add(_key(workload), workload.version, obj, cause, now)


class _NameTaken(Exception):
    """There is an object of that name, and it isn't ours."""

    def __init__(self, cause: Cause) -> None:
        super().__init__(cause.message)
        self.cause = cause


def _notes(obj: Raw) -> AbstractSet[tuple[str, str]]:
    return (obj["metadata"].get("annotations") or {}).items()


def _key(workload: ObjectMeta) -> Key:
    return workload.namespace, workload.name
