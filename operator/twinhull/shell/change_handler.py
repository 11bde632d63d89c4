"""The change handler: takes in what watches and lists bring, and asks the queue for the Workloads it
concerns.
"""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

from twinhull.api.base import Raw
from twinhull.api.brevity import shortened
from twinhull.api.reading import UNREAD, unread
from twinhull.api.reasons import Reason
from twinhull.api.workloadstatus import Exit
from twinhull.hulls.attachments import DISK_OF_ANNOTATION
from twinhull.hulls.capabilities import Capabilities
from twinhull.hulls.ephemeral import workloads_of
from twinhull.hulls.hull import DISK_LABEL, WORKLOAD_LABEL
from twinhull.hulls.objectmeta import labels, owner_of
from twinhull.hulls.pod import last_exit
from twinhull.hulls.types import hull_types
from twinhull.shell import kinds
from twinhull.shell.decisions import Decisions
from twinhull.shell.kinds import Kind
from twinhull.shell.observe import capabilities
from twinhull.shell.policies import Concerned, Policies
from twinhull.shell.queue import Queue
from twinhull.shell.scope import Scope
from twinhull.shell.store import Key, Store, key_of, workload_key
from twinhull.shell.watch_ages import WatchAges
from twinhull.shell.workload_memory import WorkloadMemories
from twinhull.shell.workload_walk import WorkloadWalk

logger = logging.getLogger(__name__)


class ChangeHandler:
    """Takes in events and lists of objects, and asks the queue for the Workloads concerned.

    An edited or newer definition may let anything into an object. If an object can't be taken in, the store
    holds it as unread, and the others are taken in all the same. `listeners` are called with the keys of
    changed objects of their kinds.
    """

    def __init__(  # noqa: PLR0913, PLR0917  one for each that it works with
        self,
        store: Store,
        queue: Queue,
        policies: Policies,
        decisions: Decisions,
        memories: WorkloadMemories,
        scope: Scope,
        listeners: Mapping[Kind, Callable[[Key], None]] = MappingProxyType({}),
    ) -> None:
        self._store = store
        self._queue = queue
        self._policies = policies
        self._decisions = decisions
        self._memories = memories
        self._scope = scope
        self._listeners = listeners
        #: Asks for the Workloads that a change may concern. Its `run` must be run.
        self.walk = WorkloadWalk(store, queue, policies)
        #: Set when a watch has started over. It doesn't tell which objects were deleted meanwhile, so
        #: everything must be listed.
        self.started_over = asyncio.Event()
        #: For how long each watch may have missed changes.
        self.ages = WatchAges()

    def take(self, kind: Kind, change: str, obj: Raw) -> None:
        """Take in one event: an object's new state, or (DELETED) that it is gone, or has lost the label that
        the watch selects.
        """
        if not _is_named(kind, obj):
            return
        capabilities_before = self._capabilities(kind)
        if change == "DELETED":
            self._take_end(kind, obj)
        else:
            self._take_state(kind, obj)
        self._ask_if_capabilities_changed(kind, capabilities_before)

    def take_part(self, kind: Kind, present: set[str], objects: Iterable[Raw]) -> None:
        """Take in some objects of a list, and add their uids to `present`."""
        capabilities_before = self._capabilities(kind)
        for obj in objects:
            if _is_named(kind, obj):
                present.add(obj["metadata"]["uid"])
                self._take_state(kind, obj)
        self._ask_if_capabilities_changed(kind, capabilities_before)

    def take_rest(
        self, kind: Kind, present: set[str], version: str | None, namespace: str | None = None
    ) -> None:
        """Take in the end of a list, of a namespace or of all: the objects in `present`, and no others,
        existed at its version. If the version is None, the kind isn't served, which tells nothing of its
        objects.
        """
        if version is None:
            return
        self.ages.complete((kind, namespace), version)
        self._prune(kind, present, int(version), namespace)

    def take_removal(self, kind: Kind) -> None:
        """Take in that a kind, with all its objects, was removed from the cluster."""
        self._note_all_gone(kind, self._store.remove_all(kind))

    def holds(self, kind: Kind) -> bool:
        """Whether the store has any object of a kind."""
        return bool(self._store.keys(kind))

    def _prune(self, kind: Kind, present: set[str], version: float, namespace: str | None = None) -> None:
        self._note_all_gone(kind, self._store.prune(kind, present, version, namespace))

    def _note_all_gone(self, kind: Kind, objects: Iterable[Raw]) -> None:
        """Ask for the Workloads concerned by the end of objects, which leave the store one by one."""
        capabilities_before = self._capabilities(kind)
        for gone in objects:
            self._note_gone(kind, gone)
            self._ask(kind, [gone])
        self._ask_if_capabilities_changed(kind, capabilities_before)

    def _take_state(self, kind: Kind, obj: Raw) -> None:
        """Take in an object's new state. If its label was changed, it concerns its former Workload, too."""
        old = self._store.get(kind, key_of(obj))
        if not self._put(kind, obj):
            return
        if old is not None and old["metadata"]["uid"] != obj["metadata"]["uid"]:
            self._note_gone(kind, old)  # no event told of its end
        new = self._store.get(kind, key_of(obj)) or obj
        _tell_unread(kind, old or {}, new)
        self._ask(kind, [new] if old is None else [old, new])

    def _put(self, kind: Kind, obj: Raw) -> bool:
        """Put an object into the store, or its outline if that fails. True if the object is new or has
        changed.
        """
        try:
            if kind is kinds.KUBEVIRT:
                _read_alone(kind, obj, self._scope)
            return self._store.put(kind, obj)
        except Exception as error:
            logger.debug("an object of kind %s can't be read", kind.name, exc_info=error)
            why = shortened(f"taking it in fails with {type(error).__name__}: {error}")
            return self._store.put(kind, unread({"metadata": obj["metadata"]}, why))

    def _take_end(self, kind: Kind, obj: Raw) -> None:
        old, metadata = self._store.get(kind, key_of(obj)), obj["metadata"]
        if self._store.remove(kind, key_of(obj), metadata["uid"], int(metadata["resourceVersion"])):
            self._note_gone(kind, obj)
            self._ask(kind, [obj] if old is None else [old, obj])

    def _note_gone(self, kind: Kind, obj: Raw) -> None:
        """Remember how the run of a Pod that is gone ended, and who ended it, since nothing else will tell.
        Forget a Workload that is gone.
        """
        if kind is kinds.WORKLOAD:
            self._memories.forget_unobserved(key_of(obj), obj["metadata"]["uid"])
            self._queue.succeeded(key_of(obj))  # another Workload of its name hasn't failed yet
        workload = workload_key(obj) if kind is kinds.POD and UNREAD not in obj else None
        if workload is None:
            return
        self._memories.record_lost_hull(workload, obj)
        owner, end = owner_of(obj), _last_exit(obj)
        if owner is not None and end is not None and self._store.uid(kinds.WORKLOAD, workload) == owner.uid:
            self._memories.record_exit(workload, owner.uid, end)

    def take_version(self, version: str) -> None:
        """Take in the API server's version."""
        capabilities_before = self._capabilities(kinds.KUBEVIRT)
        self._store.kubernetes_version = version
        self._ask_if_capabilities_changed(kinds.KUBEVIRT, capabilities_before)

    def _capabilities(self, kind: Kind) -> Capabilities | None:
        """The cluster's capabilities; None if objects of the kind don't affect them, as with most events."""
        return capabilities(self._store, self._scope.hidden) if kind in kinds.CAPABLE else None

    def ask_others(self, writer: Key, kind: Kind, news: list[Raw]) -> None:
        """Ask for the Workloads concerned by a change that the operator wrote for `writer`, except for
        `writer` itself: its own pass observes it again. `news` has the object's states before and after.
        """
        self._ask(kind, news, writer)

    def _ask(self, kind: Kind, news: list[Raw], writer: Key | None = None) -> None:
        if kind is kinds.ISOLATION_POLICY and news:
            self._decisions.changed.set()
        self._ask_for_concerned(self._policies.concerned(kind, news))
        if tell := self._listeners.get(kind):
            for changed in {key_of(obj) for obj in news}:
                tell(changed)
        for obj in news:
            key = key_of(obj) if kind is kinds.WORKLOAD else workload_key(obj)
            if key is not None and key != writer:
                self._queue.add(key)
        for key in self._changed(kind, news) if kind in kinds.REFERRED else ():
            self._ask_for_referrers(kind, key)

    def _ask_for_concerned(self, concerned: Iterable[Concerned]) -> None:
        """Ask for the Workloads for which policies may now decide otherwise."""
        for namespace, policies in concerned:
            if policies is None:
                self.walk.ask_namespace(namespace)
            else:
                self.walk.ask_concerned(namespace, policies)

    def _ask_for_referrers(self, kind: Kind, key: Key) -> None:
        """Ask for the Workloads that refer to an object, and for those whose machines get it by a policy."""
        if kind.namespaced and self._policies.names_part(kind, key):
            self.walk.ask_namespace(key[0])
            return
        self.walk.ask_referrers(kind, key)
        if not kind.namespaced:
            self._ask_for_concerned(self._policies.concerned_by_part(kind, key[1]))
        for name in workloads_of(key[1]) if kind is kinds.CLAIM else ():
            self._queue.add((key[0], name))

    def _ask_if_capabilities_changed(self, kind: Kind, capabilities_before: Capabilities | None) -> None:
        """Ask for the Workloads concerned if the cluster's capabilities have changed."""
        if capabilities_before != self._capabilities(kind):
            for key in self._concerned(kind):
                self._queue.add(key)

    def _concerned(self, kind: Kind) -> Iterator[Key]:
        """The Workloads that may be concerned by changed capabilities."""
        concerned = {one.isolation for one in hull_types() if kind.name in one.woken_by}
        for key in self._store.keys(kinds.WORKLOAD):
            if self._decisions.isolation(key) in {*concerned, None}:
                yield key

    def _changed(self, kind: Kind, news: list[Raw]) -> Iterator[Key]:
        """The objects that are new, gone, or changed in the parts that matter to those who refer to them:
        mostly the spec.
        """
        states: dict[Key, list[Raw]] = defaultdict(list)
        for obj in news:
            states[key_of(obj)].append(obj)
        for key, object_states in states.items():
            stays = len(object_states) > 1 and self._store.get(kind, key) is not None
            if not stays or _looked_at(object_states[0]) != _looked_at(object_states[-1]):
                yield key


def _is_named(kind: Kind, obj: Raw) -> bool:
    """Whether an object has a name, a uid and a resourceVersion. Without them the store can't hold it."""
    metadata = obj.get("metadata")
    says = metadata if isinstance(metadata, dict) else {}
    named = all(isinstance(says.get(part), str) for part in ("name", "uid", "resourceVersion"))
    if not (named and says["resourceVersion"].isdecimal()):
        logger.warning("an object of kind %s can't be read: it has no name, uid or version", kind.name)
        return False
    return True


def _last_exit(pod: Raw) -> Exit | None:
    """How the run of a Pod that is gone ended. None if it hadn't ended, or can't be read."""
    try:
        return last_exit(pod)
    except Exception as error:
        logger.debug("how a Pod ended can't be read", exc_info=error)
        return None


def _read_alone(kind: Kind, obj: Raw, scope: Scope) -> None:
    """Read the capabilities from this object alone. Raises the error that it would otherwise cause in each
    pass.
    """
    store = Store()
    store.put(kind, obj)
    capabilities(store, scope.hidden)


def _looked_at(obj: Raw) -> tuple[Any, ...]:
    """The parts of an object that matter to those who refer to it: its spec, whether it can be read, and the
    Workload whose disk a claim is, by its labels or by the note on a guest's disk.
    """
    annotations, of = obj["metadata"].get("annotations") or {}, labels(obj)
    whose = annotations.get(DISK_OF_ANNOTATION), of.get(DISK_LABEL), of.get(WORKLOAD_LABEL)
    return obj.get("spec"), UNREAD in obj, *whose


def _tell_unread(kind: Kind, old: Raw, new: Raw) -> None:
    """Log that an object can't be read, once for each reason."""
    why = new.get(UNREAD)
    if why and why != old.get(UNREAD):
        where = "/".join(part for part in key_of(new) if part)
        extra = {"workload": "/".join(workload_key(new) or ()), "reason": Reason.UNREADABLE}
        logger.warning("%s %s can't be read: %s", kind.name, where, why, extra=extra)
