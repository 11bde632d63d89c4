"""Writing the objects of an owner: creating, changing and deleting them, and keeping the store up to date."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Set as AbstractSet

from twinhull.api.base import Raw
from twinhull.api.brevity import listed
from twinhull.api.reasons import Reason
from twinhull.core.actions import Change, Create, Delete, Event
from twinhull.core.ownership import obstacle
from twinhull.hulls.hull import owner_of
from twinhull.shell.cluster import Cluster
from twinhull.shell.controller import ReconciledObject
from twinhull.shell.errors import AlreadyExists, Conflict, NotFound, Refused
from twinhull.shell.kinds import BY_NAME, CLAIM, DATA_VOLUME, Kind, hulls
from twinhull.shell.refusals import Cause
from twinhull.shell.store import Key, Store, workload_key
from twinhull.shell.undone_writes import UndoneWrites


class Undone(Exception):
    """An object isn't as it is to be, or won't stay so. If it is so for now, a note may tell of that."""

    def __init__(self, cause: Cause, event: Event | None = None) -> None:
        super().__init__(cause.message)
        self.cause, self.event = cause, event


class ObjectWriter:
    """Writes one object at a time, and puts the API server's answer into the store. Every failure is an
    ApiError or Undone. `hull_created` is told of hulls that were created.
    """

    def __init__(
        self,
        cluster: Cluster,
        store: Store,
        undone_writes: UndoneWrites,
        hull_created: Callable[[Key, Raw], None],
    ) -> None:
        self._cluster = cluster
        self._store = store
        self._undone_writes = undone_writes
        self._hull_created = hull_created

    async def create(self, owner: ReconciledObject, action: Create) -> Event | None:
        """Create an object, or find it if it is there already and the owner's. What is told of it then."""
        kind = BY_NAME[action.obj["kind"]]
        namespace = owner.namespace
        event, was_there = action.event, False
        try:
            created = await self._cluster.create(kind, namespace, action.obj)
        except AlreadyExists:
            created, was_there = await self._restored(owner, kind, action.obj), True
            event = action.found or event
        self._store.put(kind, created)
        if kind in hulls():
            self._hull_created(owner.key, created)
        if undone := self._undone_writes.of_creation(owner, action, was_there=was_there):
            raise Undone(undone, event)
        return event

    async def change(self, owner: ReconciledObject, action: Change) -> None:
        """Change an object. Raises Undone if it doesn't stay so."""
        kind = BY_NAME[action.kind]
        namespace = owner.namespace
        subresource = action.subresource and f"/{action.subresource}"
        undone_before = await self._undone_writes.of_change(owner, action)
        changed = await self._cluster.patch(kind, namespace, action.name, exact_patch(action), subresource)
        self._store.put(kind, changed)
        if undone := self._undone_writes.in_answer(action, changed):
            raise Undone(undone)
        if undone_before is not None:
            raise Undone(undone_before, action.event)
        if action.what == "end" and not _notes(changed) >= _notes(action.patch):
            raise Refused(
                f"{action.kind} {action.name} was changed, but not given the annotation that it is "
                "to end: see which webhook takes annotations away"
            )

    async def delete(self, owner: ReconciledObject, action: Delete) -> None:
        """Delete the very object that the action names. One that is gone already is deleted."""
        kind = BY_NAME[action.kind]
        key = (owner.namespace, action.name)
        try:
            answer = await self._cluster.delete(kind, *key, action.uid, action.grace_seconds, action.version)
        except (NotFound, Conflict):  # a webhook may answer so too: only a look tells that ours is no more
            present = await self._cluster.get(kind, *key)
            if present is not None and present["metadata"]["uid"] == action.uid:
                raise
            self._store.remove(kind, key, action.uid)
            return
        # A Pod that somebody else has ended meanwhile is answered as it was last, without a version.
        if {"deletionTimestamp", "resourceVersion"} <= answer.get("metadata", {}).keys():
            self._store.put(kind, answer)
        else:
            self._store.remove(kind, key, action.uid)

    async def _restored(self, owner: ReconciledObject, kind: Kind, obj: Raw) -> Raw:
        """The object that is there already, with the labels that it has lost. It wasn't watched, or as
        another's, if somebody changed them.
        """
        present = await self.find_ours(owner, kind, obj)
        labels = present["metadata"].get("labels") or {}
        lost = {key: value for key, value in obj["metadata"]["labels"].items() if labels.get(key) != value}
        patch = {"metadata": {"labels": lost}}
        return await self._cluster.patch(kind, owner.namespace, obj["metadata"]["name"], patch)

    async def find_ours(self, owner: ReconciledObject, kind: Kind, obj: Raw) -> Raw:
        """The object that is there already, if it is ours: made before a crash, or not seen yet. A disk may
        be nobody's, and says by its label which Workload's it is.
        """
        namespace, name = owner.namespace, obj["metadata"]["name"]
        what = f"{kind.name} {name}"
        if kind is CLAIM:  # all are watched, so whose it is will be known without a right to read one
            raise Undone(Cause(Reason.WAITING, f"{what} is there already, and is looked at", final=False))
        present = await self._cluster.get(kind, namespace, name)
        if present is None:
            raise Undone(Cause(Reason.WAITING, f"{what} blocked the hull, and is deleted now", final=False))
        controlled_by, going = owner_of(present), "deletionTimestamp" in present["metadata"]
        theirs = obstacle(what, owner.uid, controlled_by, deleting=going)
        if theirs is None or (kind is DATA_VOLUME and workload_key(present) == owner.key):
            return present
        if not theirs.goes:
            raise Undone(Cause(Reason.NAME_CONFLICT, theirs.message, final=True))
        finalizers = listed([str(name) for name in present["metadata"].get("finalizers") or ()], ", ")
        why = f"; its finalizers are {finalizers}" if going and finalizers else ""
        raise Undone(Cause(Reason.WAITING, f"{theirs.message}{why}", final=False))


def exact_patch(change: Change) -> Raw:
    """The patch of a change, which holds for the very object only, and for the very state if it names one."""
    state = {"resourceVersion": change.version} if change.version else {}
    return {**change.patch, "metadata": {**change.patch.get("metadata", {}), "uid": change.uid, **state}}


def _notes(obj: Raw) -> AbstractSet[tuple[str, str]]:
    return (obj["metadata"].get("annotations") or {}).items()
