"""An API server in memory, as faithful as the operator can tell, and the client that talks to it."""

from __future__ import annotations

import itertools
from collections import defaultdict, deque
from collections.abc import Callable, Iterable
from copy import deepcopy
from datetime import datetime, timedelta

from twinhull.api.base import Raw
from twinhull.hulls.merge import merge_patch
from twinhull.shell import kinds
from twinhull.shell.cluster import FIELD_MANAGER, Cluster
from twinhull.shell.errors import AlreadyExists, ApiError, Conflict, NotFound, Refused, Unreachable
from twinhull.shell.kinds import BY_NAME, Kind
from twinhull.shell.list_pages import Take
from twinhull.shell.store import Key, key_of, workload_key

#: Kinds whose generation counts changes of their spec.
_GENERATIONS = {"Workload", "IsolationPolicy", "VirtualMachine"}
_VM_FINALIZER = "kubevirt.io/virtualMachineControllerFinalize"


class ApiServer:
    """Objects, their versions, and the events of each kind that nobody has been told yet."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._versions = itertools.count(1)
        self._uids = itertools.count(1)
        self.objects: dict[str, dict[Key, Raw]] = defaultdict(dict)
        self.events: dict[str, deque[tuple[str, Raw]]] = defaultdict(deque)
        self.version = 0
        #: Told of every change once it is made.
        self.on_change: Callable[[], None] = lambda: None

    def all(self, kind: str) -> list[Raw]:
        """The objects of a kind, to look at only."""
        return list(self.objects[kind].values())

    def get(self, kind: str, key: Key) -> Raw:
        """One object, to look at only. Raises NotFound."""
        try:
            return self.objects[kind][key]
        except KeyError:
            raise NotFound(f"{kind} {key[1]} not found") from None

    def create(self, obj: Raw) -> Raw:
        """POST. Raises AlreadyExists."""
        kind, key = obj["kind"], key_of(obj)
        if key in self.objects[kind]:
            raise AlreadyExists(f"{kind} {key[1]} already exists")
        made = deepcopy(obj)
        made["metadata"] |= {"uid": f"u{next(self._uids)}", "creationTimestamp": self.time(), "generation": 1}
        if kind == "VirtualMachine":
            made["metadata"]["finalizers"] = [_VM_FINALIZER]
        made.setdefault("status", {"observedGeneration": -1} if kind == "Workload" else {})
        return self._store("ADDED", made)

    def patch(self, kind: str, key: Key, patch: Raw, *, status: bool = False) -> Raw:
        """PATCH with a merge patch. Raises NotFound, or Conflict for another uid."""
        before = self.get(kind, key)
        if patch.get("metadata", {}).get("uid", before["metadata"]["uid"]) != before["metadata"]["uid"]:
            raise Conflict("the uid in the precondition doesn't match")
        version = before["metadata"]["resourceVersion"]
        if patch.get("metadata", {}).get("resourceVersion", version) != version:
            raise Conflict("the object has been modified")
        parts = {"status"} if status else patch.keys() - {"status"}
        changes = {part: deepcopy(patch[part]) for part in parts if part in patch}
        if kind == "Pod":
            changes = _strategic(before, changes)
        after = merge_patch(before, changes)
        if after == before:
            return deepcopy(before)
        if kind in _GENERATIONS and after["spec"] != before["spec"]:
            after["metadata"]["generation"] += 1
        stored = self._store("MODIFIED", after)
        if _selected(BY_NAME[kind], before) and not _selected(BY_NAME[kind], after):
            self.events[kind].append(("DELETED", deepcopy(stored)))  # as its watch has it, by a label
        return stored

    def delete(self, kind: str, key: Key, uid: str | None = None, grace_seconds: int | None = None) -> Raw:
        """DELETE. An object with a grace period or finalizers stays, marked; the others are gone. What is
        marked already may be given less time.
        """
        obj = self.get(kind, key)
        if uid not in {None, obj["metadata"]["uid"]}:
            raise Conflict("the uid in the precondition doesn't match")
        given = obj["metadata"].get("deletionGracePeriodSeconds", 0)
        if "deletionTimestamp" in obj["metadata"] and (grace_seconds is None or grace_seconds >= given):
            return deepcopy(obj)
        own = obj.get("spec", {}).get("terminationGracePeriodSeconds", 30)
        runs = kind == "Pod" and obj["status"].get("phase") == "Running"
        grace = (own if grace_seconds is None else grace_seconds) if runs else 0
        if not grace and not obj["metadata"].get("finalizers"):
            return self.remove(kind, key)
        marks = {"deletionTimestamp": self.time(grace), "deletionGracePeriodSeconds": grace}
        return self._store("MODIFIED", obj | {"metadata": obj["metadata"] | marks})

    def remove(self, kind: str, key: Key) -> Raw:
        """The end of an object."""
        gone = self.objects[kind].pop(key)
        self._announce("DELETED", gone)
        return {"kind": "Status", "status": "Success"}

    def time(self, seconds: float = 0) -> str:
        """Now, or a while from now, in whole seconds."""
        at = self._clock() + timedelta(seconds=seconds)
        return at.replace(microsecond=0).isoformat().replace("+00:00", "Z")

    def _store(self, change: str, obj: Raw) -> Raw:
        self.objects[obj["kind"]][key_of(obj)] = obj
        self._announce(change, obj)
        return deepcopy(obj)

    def _announce(self, change: str, obj: Raw) -> None:
        self.version = next(self._versions)
        obj["metadata"] = obj["metadata"] | {"resourceVersion": str(self.version)}
        kind = BY_NAME[obj["kind"]]
        if _selected(kind, obj):
            self.events[obj["kind"]].append((change, deepcopy(obj)))
        self.on_change()


def _strategic(obj: Raw, patch: Raw) -> Raw:
    """A patch that speaks of some containers, as one of the whole list."""
    containers = patch.get("spec", {}).get("containers")
    if containers is None:
        return patch
    changes = {container["name"]: container for container in containers}
    merged = [merge_patch(found, changes.get(found["name"], {})) for found in obj["spec"]["containers"]]
    return {**patch, "spec": {**patch["spec"], "containers": merged}}


class Crash(BaseException):
    """The operator's process is killed."""


class FakeCluster(Cluster):
    """The operator's client, on an ApiServer in memory. Counts writes, and fails as it is told to."""

    def __init__(self, server: ApiServer) -> None:
        self._server = server
        self.writes: list[tuple[str, str, str]] = []
        self.before_write: Callable[[str, str, Raw], None] = lambda *_: None
        self.on_refusal: Callable[[str, str, str], None] = lambda *_: None
        #: What happens to the next write instead, and whether it is done all the same.
        self.accident: tuple[type[BaseException], bool] | None = None
        #: The numbers of the writes, from 0 on, at which the process is killed; whether each is done.
        self.killed_at: dict[int, bool] = {}
        #: (verb, kind) of writes that are refused for good, or (True) for now.
        self.refused: dict[tuple[str, str], ApiError] = {}
        #: The names of the kinds that the cluster has no more.
        self.unserved: set[str] = set()
        #: Raises what is said against an object that is tried out; the ResourceQuotas of its namespace.
        self.rehearsed: Callable[[Raw], None] = lambda _: None
        #: The namespaces whose disks the operator may clone.
        self.gives_away: set[str] = set()
        self.its_quotas: Callable[[], list[Raw]] = list

    async def create(self, kind: Kind, namespace: str, obj: Raw) -> Raw:
        if kind is kinds.EVENT:
            return obj
        assert obj["metadata"]["namespace"] == namespace
        return self._write("create", kind.name, obj, lambda: self._server.create(obj))

    async def rehearse(self, kind: Kind, namespace: str, obj: Raw) -> None:
        assert obj["metadata"]["namespace"] == namespace
        if error := self.refused.get(("create", kind.name)):
            raise error
        self.rehearsed(obj)
        if key_of(obj) in self._server.objects.get(kind.name, ()):
            raise AlreadyExists(f"{kind.name} {obj['metadata']['name']} already exists")

    async def patch_as(  # noqa: PLR0913  as the real one
        self, kind: Kind, namespace: str, name: str, patch: Raw, *, manager: str, rehearse: bool = False
    ) -> Raw:
        assert (manager, rehearse) == (FIELD_MANAGER, True), "the operator only tries changes out so"
        if error := self.refused.get(("patch", kind.name)):
            raise error
        obj = self._server.get(kind.name, (namespace, name))
        assert obj["metadata"]["uid"] == patch["metadata"]["uid"]
        return obj

    async def may(self, attributes: Raw) -> bool:
        return attributes["namespace"] in self.gives_away

    async def read_pods(self, namespace: str, take: Take) -> None:
        take([pod for pod in self._server.all("Pod") if pod["metadata"]["namespace"] == namespace])

    async def quotas(self, namespace: str) -> list[Raw]:  # noqa: ARG002
        return self.its_quotas()

    async def get(self, kind: Kind, namespace: str, name: str) -> Raw | None:
        try:
            return deepcopy(self._server.get(kind.name, (namespace, name)))
        except NotFound:
            return None

    async def is_there(self, kind: Kind, namespace: str, name: str) -> bool:
        return await self.get(kind, namespace, name) is not None

    async def managed_fields(self, kind: Kind, namespace: str, name: str) -> list[Raw]:
        found = await self.get(kind, namespace, name)
        return found["metadata"].get("managedFields", []) if found else []

    def places(self, kind: Kind) -> tuple[str | None, ...]:  # noqa: ARG002
        return (None,)

    async def served(self, kinds: Iterable[Kind]) -> set[Kind]:
        return {kind for kind in kinds if kind.name not in self.unserved}

    async def version(self) -> str:
        return ""

    async def read_place(
        self, kind: Kind, place: str | None, take: Take, workload: str | None = None
    ) -> str | None:
        assert (place, workload) == (None, None), "everything is listed"
        if kind.name in self.unserved:
            return None
        listed = await self.list(kind)
        assert listed is not None
        take(listed[0])
        return listed[1]

    async def list(self, kind: Kind, workload: Key | None = None) -> tuple[list[Raw], str] | None:
        if error := self.refused.get(("list", kind.name)):
            raise error
        found = [obj for obj in self._server.all(kind.name) if workload in {None, workload_key(obj)}]
        found = [obj for obj in found if _selected(kind, obj)]
        return deepcopy(found), str(self._server.version)

    async def patch(self, kind: Kind, namespace: str, name: str, patch: Raw, subresource: str = "") -> Raw:
        verb, key = f"patch{subresource}", (namespace, name)
        obj = {**patch, "metadata": {**patch.get("metadata", {}), "name": name, "namespace": namespace}}
        return self._write(
            verb,
            kind.name,
            obj,
            lambda: self._server.patch(kind.name, key, patch, status=subresource == "/status"),
        )

    async def delete(  # noqa: PLR0913, PLR0917  as the cluster's
        self,
        kind: Kind,
        namespace: str,
        name: str,
        uid: str,
        grace_seconds: int | None = None,
        version: str = "",
    ) -> Raw:
        obj, key = {"metadata": {"name": name, "namespace": namespace}}, (namespace, name)
        if version and self._server.get(kind.name, key)["metadata"]["resourceVersion"] != version:
            raise Conflict("the resourceVersion in the precondition doesn't match")
        return self._write(
            "delete", kind.name, obj, lambda: self._server.delete(kind.name, key, uid, grace_seconds)
        )

    def _write(self, verb: str, kind: str, obj: Raw, write: Callable[[], Raw]) -> Raw:
        if len(self.writes) in self.killed_at:
            self.accident = Crash, self.killed_at[len(self.writes)]
        self.writes.append((verb, kind, obj["metadata"]["name"]))
        if error := self.refused.get((verb, kind)):
            self.on_refusal(verb, kind, obj["metadata"]["name"])
            raise error
        accident, self.accident = self.accident, None
        if accident and not accident[1]:
            raise accident[0]
        self.before_write(verb, kind, obj)
        answer = write()
        if accident:
            raise accident[0]
        return answer


__all__ = ["ApiServer", "Crash", "FakeCluster", "Refused", "Unreachable"]


def _selected(kind: Kind, obj: Raw) -> bool:
    """Whether an object is one that the operator asks for: has the label, with the value if one is said."""
    label, separator, value = (kind.label_selector or "").partition("=")
    labels = obj["metadata"].get("labels") or {}
    return not label or (labels.get(label) == value if separator else label in labels)
