"""Writing the objects of an owner: creating, changing and deleting them, and keeping the store up to date."""

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
from twinhull.shell.kinds import BY_NAME, CLAIM, DATA_VOLUME, WORKLOAD, Kind, hulls
from twinhull.shell.refusals import RefusalCause, Undone
from twinhull.shell.store import Key, Store, key_of, workload_key
from twinhull.shell.undone_writes import UndoneWrites


class ObjectWriter:
    """Writes one object at a time, and puts the API server's answer into the store. Every failure is an
    ApiError or Undone. `hull_created` is told of hulls that were created.

    To the watch that an answer comes before it is no news any more. `ask_others` is told what has changed by
    it: for whom it was written, the kind, and the object's states before and after. It asks for the other
    Workloads that this concerns. The pass that writes looks again itself.
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
        """Create an object, or find it if it is there already and the owner's. What is told of it then."""
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
        """Change an object. Raises Undone if it doesn't stay so, or somebody else uses it who mustn't."""
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
            self._drop(owner.key, kind, key, action.uid)
            return
        # A Pod that somebody else has ended meanwhile is answered as it was last, without a version.
        if {"deletionTimestamp", "resourceVersion"} <= answer.get("metadata", {}).keys():
            self.keep(owner.key, kind, answer)
        else:
            self._drop(owner.key, kind, key, action.uid)

    async def restore_labels(self, owner: ReconciledObject, action: RestoreLabels) -> None:
        """Give an object of the owner's the labels that it has lost. Raises Undone if that can't be."""
        kind, name = BY_NAME[action.obj["kind"]], action.obj["metadata"]["name"]
        present = await self.find_ours(owner, kind, action.obj)
        self.keep(owner.key, kind, present)
        if not _lost_labels(present, action.obj):
            sentence = f"{kind.name} {name} has its labels, and is about to be seen"
            raise Undone(RefusalCause(Reason.WAITING, sentence, final=False))
        if undone := self._undone_writes.of_creation(owner, Create(action.obj), was_there=True):
            raise Undone(undone)
        self.keep(owner.key, kind, await self._relabelled(owner, kind, present, action.obj))

    def keep(self, writer: Key, kind: Kind, obj: Raw) -> None:
        """Put an answer to what was asked for `writer` into the store."""
        before = self._store.get(kind, key_of(obj))
        if self._store.put(kind, obj):
            after = self._store.get(kind, key_of(obj)) or obj
            self._ask_others(writer, kind, [after] if before is None else [before, after])

    def _drop(self, writer: Key, kind: Kind, key: Key, uid: str) -> None:
        """Forget an object that was deleted for `writer`."""
        before = self._store.get(kind, key)
        if self._store.remove(kind, key, uid) and before is not None:
            self._ask_others(writer, kind, [before])

    async def _restored(self, owner: ReconciledObject, kind: Kind, obj: Raw) -> Raw:
        """The object that is there already, with the labels that it has lost. It wasn't watched, or as
        another's, if somebody changed them.
        """
        return await self._relabelled(owner, kind, await self.find_ours(owner, kind, obj), obj)

    async def _relabelled(self, owner: ReconciledObject, kind: Kind, present: Raw, obj: Raw) -> Raw:
        """The object with the labels that it is to have. Of a DataVolume, the very one that was looked at, as
        it was then.
        """
        metadata = present["metadata"]
        state = {"uid": metadata["uid"], "resourceVersion": metadata["resourceVersion"]}
        patch = {"metadata": {"labels": _lost_labels(present, obj), **(state if kind is DATA_VOLUME else {})}}
        return await self._cluster.patch(kind, owner.namespace, metadata["name"], patch)

    async def find_ours(self, owner: ReconciledObject, kind: Kind, obj: Raw) -> Raw:
        """The object that is there already, if it is ours: made before a crash, or not seen yet. A disk may
        be nobody's, and says itself which Workload's it is.
        """
        namespace, name = owner.namespace, obj["metadata"]["name"]
        what = f"{kind.name} {name}"
        if kind is CLAIM:  # all are watched, so whose it is will be known without a right to read one
            raise Undone(
                RefusalCause(Reason.WAITING, f"{what} is there already, and is looked at", final=False)
            )
        present = await self._cluster.get(kind, namespace, name)
        if present is None:
            raise Undone(
                RefusalCause(Reason.WAITING, f"{what} blocked the hull, and is deleted now", final=False)
            )
        controlled_by, going = owner_of(present), "deletionTimestamp" in present["metadata"]
        theirs = obstacle(what, owner.uid, controlled_by, deleting=going)
        if theirs is None or (kind is DATA_VOLUME and _is_disk_of(owner, present)):
            return present
        # A disk of a former Workload goes with that. Another's goes with a machine that may stay for years.
        goes = going or (controlled_by is not None and controlled_by.kind == WORKLOAD.name)
        if kind is DATA_VOLUME and not goes:
            raise Undone(RefusalCause(Reason.NAME_CONFLICT, _other_disk(what, owner, present), final=True))
        if not theirs.goes:
            raise Undone(RefusalCause(Reason.NAME_CONFLICT, theirs.message, final=True))
        finalizers = listed([str(name) for name in present["metadata"].get("finalizers") or ()], ", ")
        why = f"; its finalizers are {finalizers}" if going and finalizers else ""
        raise Undone(RefusalCause(Reason.WAITING, f"{theirs.message}{why}", final=False))


def _lost_labels(present: Raw, obj: Raw) -> Raw:
    """The labels of `obj` that `present` hasn't, or has with another value."""
    return {
        key: value for key, value in obj["metadata"]["labels"].items() if labels(present).get(key) != value
    }


def _is_disk_of(owner: ReconciledObject, volume: Raw) -> bool:
    """Whether a DataVolume says that it is the owner's: by its label, or, if it has lost that, by the uid of
    the Workload, which the operator noted on it. Who can write that note can write the label as well. A label
    that names another Workload is never overruled: that one may have taken the disk up.
    """
    label, metadata = labels(volume).get(DISK_LABEL), volume["metadata"]
    if label:
        return workload_key(volume) == owner.key
    return (metadata.get("annotations") or {}).get(HOLDER_ANNOTATION) == owner.uid


def _other_disk(what: str, owner: ReconciledObject, volume: Raw) -> str:
    """Why a DataVolume isn't taken for the owner's, and what to do. To delete it is no advice: nobody knows
    what is on it.
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
        f"{what} hasn't the label {DISK_LABEL}, and doesn't say that it was made for this Workload: "
        f"{as_it_is}; if it is this Workload's disk, set the label to {name}; otherwise give the disk "
        "another name"
    )


def exact_patch(change: Change) -> Raw:
    """The patch of a change, which holds for the very object only, and for the very state if it names one."""
    state = {"resourceVersion": change.version} if change.version else {}
    return {**change.patch, "metadata": {**change.patch.get("metadata", {}), "uid": change.uid, **state}}


def _notes(obj: Raw) -> AbstractSet[tuple[str, str]]:
    return (obj["metadata"].get("annotations") or {}).items()
