"""The invariants: what may never be so, and what the operator may never do, checked at each write."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from tests.sequences import demand, strength
from twinhull.api.base import Raw
from twinhull.hulls.disknotes import HOLDER_ANNOTATION
from twinhull.hulls.graceful_end import ENDING_ANNOTATION, requested_at
from twinhull.hulls.hull import DISK_LABEL, REVISION_LABEL, WORKLOAD_LABEL
from twinhull.hulls.objectmeta import owner_of
from twinhull.hulls.switching import is_named_as_its_workload
from twinhull.shell import kinds
from twinhull.shell.store import Key, Store, key_of

from .apiserver import ApiServer
from .nodes import is_ready

HULLS = ("Pod", "VirtualMachine", "VirtualMachineInstance")


class Broken(AssertionError):
    """Something that always holds doesn't; the message begins with its name."""


class Invariants:
    """Checks one Workload's world. `seen` gives what the operator has seen of it.

    While a world is `gentle` (nothing fails, and nobody asks for a gap), a Workload that was ready once is
    ready ever after, and its Service leads to a hull that is.
    """

    def __init__(
        self,
        server: ApiServer,
        key: Key,
        clock: Callable[[], datetime],
        seen: Callable[[], Store],
        *,
        gentle: bool = False,
    ) -> None:
        self._server = server
        self._key = key
        self._clock = clock
        self._seen = seen
        self._gentle = gentle
        self._was_ready = False
        #: The uids of the hulls that the Service leads to, and when it last led to each.
        self._reached: set[str] = set()
        self._last_reached: dict[str, datetime] = {}

    def hulls(self) -> list[Raw]:
        """All that runs or may run the Workload; a machine and its instance are one."""
        found = [obj for kind in HULLS for obj in self._server.all(kind) if owner_of(obj)]
        own = [obj for obj in found if obj["metadata"]["labels"].get(WORKLOAD_LABEL) == self._key[1]]
        machines = {obj["metadata"]["name"] for obj in own if obj["kind"] == "VirtualMachine"}
        return [
            obj
            for obj in own
            if not (obj["kind"] == "VirtualMachineInstance" and obj["metadata"]["name"] in machines)
        ]

    # --- whoever wrote ----------------------------------------------------------------------------------

    def look(self) -> None:
        """After any write."""
        hulls = self.hulls()
        names = [hull["metadata"]["name"] for hull in hulls]
        if len(names) > 2:
            raise Broken(f"two hulls at most: there are {names}")
        instances = self._server.objects["VirtualMachineInstance"]
        serving = [
            hull
            for hull in hulls
            if is_ready(hull) and not self._is_leaving(hull, instances.get(key_of(hull)))
        ]
        service = self._server.objects["Service"].get(self._key)
        selector = service["spec"].get("selector", {}) if service else {}
        self._last_reached |= dict.fromkeys(self._reached, self._clock())
        reached = [hull for hull in hulls if selector and selector.items() <= _pod_labels(hull).items()]
        self._reached = {hull["metadata"]["uid"] for hull in reached}
        self._was_ready |= bool(serving)
        if self._gentle and self._was_ready:
            if not serving:
                raise Broken(f"never without a ready hull: of {names} none is")
            if selector and not any(hull in reached for hull in serving):
                raise Broken(f"the Service leads to a ready hull: {selector} leads to none")

    # --- the operator -----------------------------------------------------------------------------------

    def before_write(self, verb: str, kind: str, obj: Raw) -> None:
        """Before a write of the operator's. It is held to what it has seen, be that long past."""
        present = self._server.objects[kind].get(key_of(obj))
        if verb in {"patch", "delete"} and present is not None:
            owner = owner_of(present)
            owned = owner is not None and owner.kind == "Workload"
            if not owned and not self._is_disk(kind, present):
                raise Broken(f"nothing foreign is touched: {verb} of {kind} {key_of(obj)[1]}")
        if kind not in HULLS:
            return
        if verb == "create" and present is None:  # the same again is refused as such
            self._creation(obj)
        if verb == "delete" and present is not None:
            self._deletion(present)
        if (
            verb == "patch"
            and present is not None
            and ENDING_ANNOTATION in obj["metadata"].get("annotations", {})
        ):
            self._deletion(present)
        if verb == "patch" and present is not None and REVISION_LABEL in obj["metadata"].get("labels", {}):
            self._change(present, obj)

    def _is_disk(self, kind: str, obj: Raw) -> bool:
        """Whether an object is a disk of the Workload's: its own label or note says so."""
        metadata, workload = obj["metadata"], self._server.objects["Workload"].get(self._key)
        label = (metadata.get("labels") or {}).get(DISK_LABEL)
        if kind == "PersistentVolumeClaim":
            return label in {None, self._key[1]}
        noted = (metadata.get("annotations") or {}).get(HOLDER_ANNOTATION)
        made_for = workload is not None and noted == workload["metadata"]["uid"]
        return kind == "DataVolume" and (label == self._key[1] or (label is None and made_for))

    def _creation(self, hull: Raw) -> None:
        kind, seen = hull["kind"], self._seen()
        workload = seen.get(kinds.WORKLOAD, self._key)
        assert workload is not None, "a hull is made of a Workload that was never seen"
        others = [other["metadata"]["name"] for other in self.hulls()]
        if len(others) > _starts_first(workload):
            raise Broken(f"one hull after the other: {hull['metadata']['name']} is made beside {others}")
        self._isolation(workload, hull)
        strangers = [pod for pod in seen.all(kinds.POD) if owner_of(pod) is None]
        if strangers:
            raise Broken("a stranger has our label, and a hull is made all the same")
        if kind == "VirtualMachine" and not (list(seen.all(kinds.KUBEVIRT)) and self._has_manifest(hull)):
            raise Broken("a machine is made that can't start")
        if "runtimeClassName" in hull["spec"] and not list(seen.all(kinds.RUNTIME_CLASS)):
            raise Broken("a sandbox is made without its RuntimeClass")

    def _change(self, hull: Raw, patch: Raw) -> None:
        """A change in place: what it is given is as isolated as what is made."""
        workload = self._seen().get(kinds.WORKLOAD, self._key)
        assert workload is not None, "a hull is changed for a Workload that was never seen"
        self._isolation(workload, hull)
        if "containers" in patch.get("spec", {}) and _starts_first(workload):
            raise Broken(f"never without a ready hull: {hull['metadata']['name']} is restarted")

    def _isolation(self, workload: Raw, hull: Raw) -> None:
        seen = self._seen()
        policies, namespace = (
            list(seen.all(kinds.ISOLATION_POLICY)),
            seen.get(kinds.NAMESPACE, ("", self._key[0])),
        )
        if policies and namespace is None:
            raise Broken("never weaker than the floor: whom policies concern isn't known")
        labels = namespace["metadata"].get("labels", {}) if namespace else {}
        wanted = demand(workload, policies, labels)
        if wanted.rejected or strength(hull) < wanted.floor:
            raise Broken(f"never weaker than the floor: {hull['kind']} where the policies demand {wanted}")
        if strength(hull) != wanted.strength:
            raise Broken(f"as isolated as asked: {hull['kind']} instead of {wanted.isolation}")
        if wanted.floor and hull["spec"].get("hostNetwork"):
            raise Broken("never weaker than the floor: a sandbox with the node's network")

    def _has_manifest(self, machine: Raw) -> bool:
        """Whether a machine has what its guest runs; one that boots a disk has no guest, and no manifest."""
        return (
            is_named_as_its_workload(machine)
            or self._seen().get(kinds.CONFIG_MAP, key_of(machine)) is not None
        )

    def _deletion(self, hull: Raw) -> None:
        """What serves is deleted only once another serves in its place, if that was asked for."""
        workload = self._seen().get(kinds.WORKLOAD, self._key)
        if workload is None or not _starts_first(workload) or workload["spec"]["state"] == "Stopped":
            return
        ready = {found["metadata"]["uid"]: found for kind in HULLS[:2] for found in self._seen_ready(kind)}
        if hull["metadata"]["uid"] not in ready:
            return
        if len(ready) < 2:
            raise Broken(f"the new hull before the old one goes: {hull['metadata']['name']} is the last one")
        drain = timedelta(seconds=workload["spec"]["replacement"]["drainSeconds"])
        uid = hull["metadata"]["uid"]
        last = self._clock() if uid in self._reached else self._last_reached.get(uid)
        service = self._server.objects["Service"].get(self._key)
        wanted = workload["spec"].get("service", {}).get("enabled", True)  # else it is to go, and isn't moved
        if service and wanted and last and self._clock() - last < drain:
            raise Broken(f"a hull is drained before it goes: the Service led to it at {last}")

    def _seen_ready(self, kind: str) -> list[Raw]:
        """The hulls that were seen to be ready and to stay; a machine is for as long as its instance runs."""
        store = self._seen()
        found = [obj for obj in store.labelled(kinds.BY_NAME[kind], self._key) if is_ready(obj)]
        instances = [store.get(kinds.VIRTUAL_MACHINE_INSTANCE, key_of(obj)) or obj for obj in found]
        return [
            obj
            for obj, instance in zip(found, instances, strict=True)
            if not self._is_leaving(obj, instance)
            and (kind == "Pod" or instance["status"].get("phase") == "Running")
        ]

    def _is_leaving(self, hull: Raw, instance: Raw | None) -> bool:
        requested = instance is not None and requested_at(hull, instance, self._clock()) is not None
        return "deletionTimestamp" in hull["metadata"] or requested


def _starts_first(workload: Raw) -> bool:
    return bool(workload["spec"].get("replacement", {}).get("strategy") == "StartFirst")


def _pod_labels(hull: Raw) -> Raw:
    """The labels of the Pod that carries a hull's traffic."""
    template = hull["spec"]["template"] if hull["kind"] == "VirtualMachine" else hull
    return dict(template["metadata"]["labels"])
