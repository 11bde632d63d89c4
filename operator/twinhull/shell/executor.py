"""The executor: carries out one action at a time, and puts the API server's answer into the store."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

from twinhull.api.base import Raw
from twinhull.api.brevity import listed
from twinhull.api.reasons import Reason
from twinhull.api.workload import ObjectMeta
from twinhull.core.actions import Action, Change, Create, Delete, Note, Rehearse, RehearseChange
from twinhull.core.ownership import obstacle
from twinhull.core.rehearsal import counts, is_unable, told
from twinhull.hulls.causes import may_pass
from twinhull.hulls.hull import owner_of
from twinhull.hulls.merge import difference
from twinhull.shell.circuits import Circuits, Write
from twinhull.shell.cluster import Cluster
from twinhull.shell.errors import (
    AlreadyExists,
    ApiError,
    Busy,
    Conflict,
    NotFound,
    NotLeading,
    Open,
    Refused,
    ServerError,
    Unauthorized,
    Unreachable,
)
from twinhull.shell.kinds import BY_NAME, CLAIM, POD, VIRTUAL_MACHINE, WORKLOAD, Kind
from twinhull.shell.refusals import Cause, Refusals
from twinhull.shell.rivals import Rivals
from twinhull.shell.store import Key, Store

#: What an answer comes to that isn't yes, by the kind that was to be written.
_REFUSED = {
    "Pod": Reason.POD_REFUSED,
    "PodTemplate": Reason.POD_REFUSED,
    "VirtualMachine": Reason.VIRTUAL_MACHINE_REFUSED,
    "Service": Reason.SERVICE_REFUSED,
    "ConfigMap": Reason.CONFIG_MAP_REFUSED,
    "PersistentVolumeClaim": Reason.CLAIM_REFUSED,
}
_FAILED = {
    "Pod": Reason.POD_FAILED,
    "PodTemplate": Reason.POD_FAILED,
    "VirtualMachine": Reason.VIRTUAL_MACHINE_FAILED,
    "Service": Reason.SERVICE_FAILED,
    "ConfigMap": Reason.CONFIG_MAP_FAILED,
    "PersistentVolumeClaim": Reason.CLAIM_FAILED,
}


@dataclass(frozen=True, slots=True)
class Done:
    """An action that was carried out, and what people are told of it."""

    note: Note | None


@dataclass(frozen=True, slots=True)
class NotDone:
    """An action that was not carried out. `ends_pass` is whether the server failed at it: whatever else there
    is to do comes after what others have to do.
    """

    ends_pass: bool = False


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Executor:
    """Writes to the cluster. A refusal is remembered for the next decision; no answer at all is raised.

    `wake` is told of Workloads that may try what they waited for, and `made` of hulls that were created. So
    many act at a time as there are `workers`.
    """

    def __init__(  # noqa: PLR0913, PLR0917  one for each that it works with
        self,
        cluster: Cluster,
        store: Store,
        refusals: Refusals,
        wake: Callable[[Key], None],
        workers: int = 16,
        now: Callable[[], datetime] = _utc_now,
        made: Callable[[Key, Raw], None] = lambda *_: None,
    ) -> None:
        self._made = made
        self._cluster = cluster
        self._store = store
        self._refusals = refusals
        self._now = now
        self._circuits = Circuits(workers, now, partial(self._put_forward, wake))
        self._rivals = Rivals(cluster, store, refusals, now)
        self._in_doubt: set[Key] = set()

    async def execute(self, workload: ObjectMeta, action: Action) -> Done | NotDone:
        """Carry out an action for a Workload.

        Raises Unreachable or Unauthorized when it can't be known whether it is carried out, and NotLeading or
        Busy when nothing was sent.
        """
        kind = action.key.partition("/")[0]
        write = Write(_key(workload), kind, action.key, isinstance(action, Delete))
        try:
            async with self._circuits.writing(write):
                note = await self._carry_out(workload, action)
        except (Unreachable, Unauthorized):
            self._in_doubt.add(_key(workload))
            raise
        except (NotLeading, Busy):
            raise
        except _Undone as undone:
            self._refuse(workload, action.key, undone.cause)
            return Done(undone.note) if undone.note else NotDone()
        except Open as error:
            cause = Cause(_FAILED[kind], str(error), final=False)
            version, now = workload.version, self._now()
            self._refusals.put_off(_key(workload), version, action.key, cause, error.until, now)
            return NotDone(ends_pass=True)
        except ApiError as error:
            refused = isinstance(error, Refused)
            tried = isinstance(action, Rehearse | RehearseChange)
            passing = not tried and may_pass(str(error))
            reason = _REFUSED[kind] if refused else _FAILED[kind]
            cause = Cause(reason, str(error), final=refused and not passing, passing=refused and passing)
            self._refuse(workload, action.key, cause)
            return NotDone(ends_pass=isinstance(error, ServerError))
        self._refusals.settle(_key(workload), action.key)
        return Done(note)

    async def _carry_out(self, workload: ObjectMeta, action: Action) -> Note | None:
        """What is told of it then."""
        match action:
            case Create():
                return await self._create(workload, action)
            case Rehearse():
                await self._rehearse(workload, action)
            case RehearseChange():
                await self._rehearse_change(workload, action)
            case Change():
                await self._change(workload, action)
            case Delete():
                await self._delete(workload, action)
        return action.note

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
        False, too, if the API server had it already: of one for which there is no room not all is known.

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
        is_news: bool = written["metadata"]["resourceVersion"] != version["resourceVersion"]
        return is_news

    def forget(self, key: Key) -> None:
        """Forget what was refused to a Workload that is gone, and what it waited for."""
        self._refusals.forget(key)
        self._circuits.forget(key)
        self._in_doubt.discard(key)

    async def _create(self, workload: ObjectMeta, action: Create) -> Note | None:
        kind = BY_NAME[action.obj["kind"]]
        namespace = workload.namespace
        note, was_there = action.note, False
        try:
            created = await self._cluster.create(kind, namespace, action.obj)
        except AlreadyExists:
            created, was_there = await self._find_ours(workload, kind, action.obj), True
            note = action.found or note
        self._store.put(kind, created)
        if kind in {POD, VIRTUAL_MACHINE}:
            self._made(_key(workload), created)
        if rival := self._rivals.of_creation(workload, action, was_there=was_there):
            raise _Undone(rival, note)
        return note

    async def _rehearse(self, workload: ObjectMeta, action: Rehearse) -> None:
        """Try a creation out. Raises Refused if it is refused in a way that counts."""
        kind = BY_NAME[action.obj["kind"]]
        try:
            await self._cluster.rehearse(kind, workload.namespace, action.obj)
        except AlreadyExists:  # that is found out last: nothing else speaks against it
            if action.stands_for == "itself":
                await self._find_ours(workload, kind, action.obj)
        except Refused as error:
            if counts(action, str(error)) and not await self._is_limited(workload.namespace, action):
                raise Refused(told(action, str(error))) from error
        self._refusals.rehearse(_key(workload), workload.version, action.key)

    async def _is_limited(self, namespace: str, action: Rehearse) -> bool:
        """Whether what was tried out without limits is given some by KubeVirt, as a quota asks for them; or
        that can't be told (kubevirt.io/kubevirt, template.go, doesVMIRequireAutoResourceLimits).
        """
        if action.stands_for != "launcher without limits":
            return False
        try:
            quotas = await self._cluster.quotas(namespace)
        except (Refused, ServerError):
            return True
        return any("limits.memory" in ((quota.get("spec") or {}).get("hard") or {}) for quota in quotas)

    async def _rehearse_change(self, workload: ObjectMeta, action: RehearseChange) -> None:
        """Try a change out. Raises Refused if it is refused."""
        change = action.change
        try:
            await self._cluster.rehearse_patch(
                BY_NAME[change.kind], workload.namespace, change.name, _patch(change)
            )
        except Refused as error:
            if not is_unable(str(error)):
                raise
        self._refusals.rehearse(_key(workload), workload.version, action.key)

    async def _find_ours(self, workload: ObjectMeta, kind: Kind, obj: Raw) -> Raw:
        """The object that is there already, if it is ours: made before a crash, or not seen yet."""
        namespace, name = workload.namespace, obj["metadata"]["name"]
        what = f"{kind.name} {name}"
        if kind is CLAIM:  # all are watched, so whose it is will be known without a right to read one
            raise _Undone(Cause(Reason.WAITING, f"{what} is there already, and is looked at", final=False))
        found = await self._cluster.get(kind, namespace, name)
        if found is None:
            raise _Undone(Cause(Reason.WAITING, f"{what} was in the way and is gone now", final=False))
        owner, going = owner_of(found), "deletionTimestamp" in found["metadata"]
        theirs = obstacle(what, workload.uid, owner, deleting=going)
        if theirs is None:
            # It wasn't watched, or as another's, if somebody changed its labels: put them back.
            there = found["metadata"].get("labels") or {}
            lost = {key: value for key, value in obj["metadata"]["labels"].items() if there.get(key) != value}
            return await self._cluster.patch(kind, namespace, name, {"metadata": {"labels": lost}})
        if not theirs.goes:
            raise _Undone(Cause(Reason.NAME_CONFLICT, theirs.message, final=True))
        kept = listed([str(name) for name in found["metadata"].get("finalizers") or ()], ", ")
        why = f"; its finalizers are {kept}" if going and kept else ""
        raise _Undone(Cause(Reason.WAITING, f"{theirs.message}{why}", final=False))

    async def _change(self, workload: ObjectMeta, action: Change) -> None:
        kind = BY_NAME[action.kind]
        namespace = workload.namespace
        subresource = action.subresource and f"/{action.subresource}"
        rival = await self._rivals.of_change(workload, action)
        changed = await self._cluster.patch(kind, namespace, action.name, _patch(action), subresource)
        self._store.put(kind, changed)
        if undone := self._rivals.in_answer(action, changed):
            raise _Undone(undone)
        if rival is not None:
            raise _Undone(rival, action.note)
        if action.what == "end" and not _notes(changed) >= _notes(action.patch):
            raise Refused(
                f"{action.kind} {action.name} was changed, but not given the annotation that it is "
                "to end: see which webhook takes annotations away"
            )

    async def _delete(self, workload: ObjectMeta, action: Delete) -> None:
        kind = BY_NAME[action.kind]
        key = (workload.namespace, action.name)
        try:
            answer = await self._cluster.delete(kind, *key, action.uid, action.grace_seconds)
        except (NotFound, Conflict):  # a webhook may answer so too: only a look tells that ours is no more
            found = await self._cluster.get(kind, *key)
            if found is not None and found["metadata"]["uid"] == action.uid:
                raise
            self._store.remove(kind, key, action.uid)
            return
        # A Pod that somebody else has ended meanwhile is answered as it was last, without a version.
        if {"deletionTimestamp", "resourceVersion"} <= answer.get("metadata", {}).keys():
            self._store.put(kind, answer)
        else:
            self._store.remove(kind, key, action.uid)

    def _refuse(self, workload: ObjectMeta, obj: str, cause: Cause) -> None:
        self._refusals.add(_key(workload), workload.version, obj, cause, self._now())

    def _put_forward(self, wake: Callable[[Key], None], key: Key, actions: AbstractSet[str]) -> None:
        """Let a Workload try what it waited for."""
        for action in actions:
            self._refusals.settle(key, action)
        wake(key)


class _Undone(Exception):
    """An object isn't as it is to be, or won't stay so. If it is so for now, a note may tell of that."""

    def __init__(self, cause: Cause, note: Note | None = None) -> None:
        super().__init__(cause.message)
        self.cause, self.note = cause, note


def _patch(change: Change) -> Raw:
    """The patch of a change, which holds for the very object only."""
    return {**change.patch, "metadata": {**change.patch.get("metadata", {}), "uid": change.uid}}


def _notes(obj: Raw) -> AbstractSet[tuple[str, str]]:
    return (obj["metadata"].get("annotations") or {}).items()


def _key(workload: ObjectMeta) -> Key:
    return workload.namespace, workload.name
