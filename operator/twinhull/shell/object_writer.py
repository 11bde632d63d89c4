"""Writes an owner's objects: creates, changes and deletes them, and puts the answers into the store."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Set as AbstractSet

from twinhull.api.base import Raw
from twinhull.api.brevity import listed
from twinhull.api.reading import UNREAD
from twinhull.api.reasons import Reason
from twinhull.core.actions import Change, Create, Delete, Event, RestoreLabels
from twinhull.core.ownership import obstacle
from twinhull.hulls.disknotes import HOLDER_ANNOTATION
from twinhull.hulls.hull import DISK_LABEL
from twinhull.hulls.objectmeta import labels, owner_of
from twinhull.shell.claim_users import check_unused
from twinhull.shell.clone_sources import resolved
from twinhull.shell.cluster import Cluster
from twinhull.shell.controller import ReconciledObject
from twinhull.shell.errors import AlreadyExists, Conflict, NotFound, Refused
from twinhull.shell.kinds import BY_NAME, CLAIM, DATA_VOLUME, REMOVABLE, WORKLOAD, Kind, hulls
from twinhull.shell.refusals import RefusalCause, Undone
from twinhull.shell.store import Key, Store, key_of, workload_key
from twinhull.shell.undone_writes import UndoneWrites


class ObjectWriter:
    """Writes one object at a time, and puts the API server's answer into the store. Every failure is an
    ApiError or Undone. `hull_created` is called with each hull that was created.

    The watch that brings the same state after the answer brings no news any more. So `ask_others` is called
    for each change that an answer brings: with the Workload for which it was written, the kind, and the
    object's states before and after. It asks for the other Workloads concerned. The pass that writes observes
    its own Workload again.
    """

    def __init__(
        self,
        cluster: Cluster,
        store: Store,
        undone_writes: UndoneWrites,
        hull_created: Callable[[Key, Raw], None],
        ask_others: Callable[[Key, Kind, list[Raw]], None],
    ) -> None:
        self._cluster = cluster
        self._store = store
        self._undone_writes = undone_writes
        self._hull_created = hull_created
        self._ask_others = ask_others

    async def create(self, owner: ReconciledObject, action: Create) -> Event | None:
        """Create an object, or accept the present one if it is the owner's. Returns the Event that tells of
        it. Raises Undone if the object won't stay, or another one has its name.
        """
        kind = BY_NAME[action.obj["kind"]]
        namespace = owner.namespace
        event, was_there = action.event, False
        try:
            obj = await resolved(self._cluster, namespace, action.obj) if kind is DATA_VOLUME else action.obj
            created = await self._cluster.create(kind, namespace, obj)
        except AlreadyExists:
            created, was_there = await self._restored(owner, kind, action.obj), True
            event = action.if_present or event
        self.keep(owner.key, kind, created)
        if kind in hulls():
            self._hull_created(owner.key, created)
        if undone := self._undone_writes.of_creation(owner, action, was_there=was_there):
            raise Undone(undone, event)
        return event

    async def change(self, owner: ReconciledObject, action: Change) -> None:
        """Change an object. Raises Undone if the change won't last, or if somebody else uses a claim that
        must be unused.
        """
        kind = BY_NAME[action.kind]
        namespace = owner.namespace
        if action.only_if_claim_unused:
            await check_unused(self._cluster, owner.key, action.name)
        subresource = action.subresource and f"/{action.subresource}"
        undone_before = await self._undone_writes.of_change(owner, action)
        changed = await self._cluster.patch(kind, namespace, action.name, exact_patch(action), subresource)
        self.keep(owner.key, kind, changed)
        if undone := self._undone_writes.in_answer(action, changed):
            raise Undone(undone)
        if undone_before is not None:
            raise Undone(undone_before, action.event)
        is_whole = UNREAD not in changed  # otherwise not all of its annotations are known
        if action.purpose == "end" and is_whole and not _notes(changed) >= _notes(action.patch):
            raise Refused(
                f"{action.kind} {action.name} was changed, but the annotation that it is to end is missing: "
                "find the webhook that removes annotations"
            )

    async def delete(self, owner: ReconciledObject, action: Delete) -> None:
        """Delete exactly the object that the action names. If it is gone already, that is a success."""
        kind = BY_NAME[action.kind]
        key = (owner.namespace, action.name)
        try:
            answer = await self._cluster.delete(kind, *key, action.uid, action.grace_seconds, action.version)
        except (NotFound, Conflict):  # webhooks may answer so, too
            present = await self._cluster.get(kind, *key)
            if present is not None and present["metadata"]["uid"] == action.uid:
                raise
            if kind in REMOVABLE and not await self._cluster.served([kind]):
                raise  # none of the kind can be found now, and ours may be served again
            self._drop(owner.key, kind, key, action.uid)
            return
        # A Pod that somebody else has ended meanwhile is answered as it was last, without a version.
        if {"deletionTimestamp", "resourceVersion"} <= answer.get("metadata", {}).keys():
            self.keep(owner.key, kind, answer)
        else:
            self._drop(owner.key, kind, key, action.uid)

    async def restore_labels(self, owner: ReconciledObject, action: RestoreLabels) -> None:
        """Restore the labels that an object of the owner has lost. Raises Undone if that isn't possible."""
        kind, name = BY_NAME[action.obj["kind"]], action.obj["metadata"]["name"]
        present = await self.find_ours(owner, kind, action.obj)
        self.keep(owner.key, kind, present)
        if not _lost_labels(present, action.obj):
            sentence = f"{kind.name} {name} has its labels again, and is about to be read"
            raise Undone(RefusalCause(Reason.WAITING, sentence, final=False))
        if undone := self._undone_writes.of_creation(owner, Create(action.obj), was_there=True):
            raise Undone(undone)
        self.keep(owner.key, kind, await self._relabelled(owner, kind, present, action.obj))

    def keep(self, writer: Key, kind: Kind, obj: Raw) -> None:
        """Put the answer to a request for `writer` into the store."""
        before = self._store.get(kind, key_of(obj))
        if self._store.put(kind, obj):
            after = self._store.get(kind, key_of(obj)) or obj
            self._ask_others(writer, kind, [after] if before is None else [before, after])

    def _drop(self, writer: Key, kind: Kind, key: Key, uid: str) -> None:
        """Remove an object that was deleted for `writer` from the store."""
        before = self._store.get(kind, key)
        if self._store.remove(kind, key, uid) and before is not None:
            self._ask_others(writer, kind, [before])

    async def _restored(self, owner: ReconciledObject, kind: Kind, obj: Raw) -> Raw:
        """The present object, with its lost labels restored. Without its labels no watch brings it, or it
        counts as another Workload's.
        """
        return await self._relabelled(owner, kind, await self.find_ours(owner, kind, obj), obj)

    async def _relabelled(self, owner: ReconciledObject, kind: Kind, present: Raw, obj: Raw) -> Raw:
        """The object with the labels that it should have. The patch of a DataVolume holds only for the very
        state that was read.
        """
        metadata = present["metadata"]
        state = {"uid": metadata["uid"], "resourceVersion": metadata["resourceVersion"]}
        patch = {"metadata": {"labels": _lost_labels(present, obj), **(state if kind is DATA_VOLUME else {})}}
        return await self._cluster.patch(kind, owner.namespace, metadata["name"], patch)

    async def find_ours(self, owner: ReconciledObject, kind: Kind, obj: Raw) -> Raw:
        """The present object of that name, if it is the owner's: created before a crash, or not seen yet. A
        DataVolume may have no owner, and says itself which Workload's disk it is. Raises Undone if the object
        is somebody else's.
        """
        namespace, name = owner.namespace, obj["metadata"]["name"]
        what = f"{kind.name} {name}"
        if kind is CLAIM:  # the watch will bring it: the operator may not read single claims
            raise Undone(
                RefusalCause(Reason.WAITING, f"{what} exists already, and is about to be read", final=False)
            )
        present = await self._cluster.get(kind, namespace, name)
        if present is None:
            raise Undone(
                RefusalCause(Reason.WAITING, f"{what} blocked the hull, and is gone now", final=False)
            )
        controlled_by, going = owner_of(present), "deletionTimestamp" in present["metadata"]
        theirs = obstacle(what, owner.uid, controlled_by, deleting=going)
        if theirs is None or (kind is DATA_VOLUME and _is_disk_of(owner, present)):
            return present
        # A former Workload's disk is deleted with that Workload. Another machine's disk is deleted with that
        # machine, which may take years.
        goes = going or (controlled_by is not None and controlled_by.kind == WORKLOAD.name)
        if kind is DATA_VOLUME and not goes:
            raise Undone(RefusalCause(Reason.NAME_CONFLICT, _other_disk(what, owner, present), final=True))
        if not theirs.goes:
            raise Undone(RefusalCause(Reason.NAME_CONFLICT, theirs.message, final=True))
        finalizers = listed([str(name) for name in present["metadata"].get("finalizers") or ()], ", ")
        why = f"; its finalizers are {finalizers}" if going and finalizers else ""
        raise Undone(RefusalCause(Reason.WAITING, f"{theirs.message}{why}", final=False))


def _lost_labels(present: Raw, obj: Raw) -> Raw:
    """The labels of `obj` that `present` lacks, or has with another value."""
    return {
        key: value for key, value in obj["metadata"]["labels"].items() if labels(present).get(key) != value
    }


def _is_disk_of(owner: ReconciledObject, volume: Raw) -> bool:
    """Whether a DataVolume says that it is the owner's: by its label, or, if it has lost that, by the
    Workload's uid in the operator's note. Anybody who can write that note can write the label as well. A
    label that names another Workload always counts: that Workload may have taken the disk up.
    """
    label, metadata = labels(volume).get(DISK_LABEL), volume["metadata"]
    if label:
        return workload_key(volume) == owner.key
    return (metadata.get("annotations") or {}).get(HOLDER_ANNOTATION) == owner.uid


def _other_disk(what: str, owner: ReconciledObject, volume: Raw) -> str:
    """Why a DataVolume isn't the owner's, and what to do. The sentence never advises to delete it: nobody
    knows what is on it.
    """
    label, name = labels(volume).get(DISK_LABEL), owner.key[1]
    as_it_is = (
        f"to use what is on it as it is, name its claim as source.claim (name: {volume['metadata']['name']})"
    )
    if controller := owner_of(volume):
        return (
            f"{what} belongs to {controller.kind} {controller.uid}, and is deleted with it: {as_it_is}, or "
            "give the disk another name"
        )
    if label:
        return (
            f"{what} is a disk of Workload {label} by its label {DISK_LABEL}: give the disk another name; if "
            f"it is this Workload's disk, set the label to {name}"
        )
    return (
        f"{what} lacks the label {DISK_LABEL}, and doesn't say that it was made for this Workload: "
        f"{as_it_is}; if it is this Workload's disk, set the label to {name}; otherwise give the disk "
        "another name"
    )


def exact_patch(change: Change) -> Raw:
    """The patch of a change with the object's uid, and with its resourceVersion if the change names one. The
    API server refuses it for any other object or state.
    """
    state = {"resourceVersion": change.version} if change.version else {}
    return {**change.patch, "metadata": {**change.patch.get("metadata", {}), "uid": change.uid, **state}}


def _notes(obj: Raw) -> AbstractSet[tuple[str, str]]:
    return (obj["metadata"].get("annotations") or {}).items()
