"""A hull: what a Workload runs in. One shape for a Pod and for a VirtualMachine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Literal

from twinhull.api import group
from twinhull.api.base import API_VERSION, GROUP, Raw
from twinhull.api.reading import UNREAD
from twinhull.api.reasons import UNSAID, Why
from twinhull.api.workload import RESTART_ANNOTATION, ObjectMeta, RestartPolicy
from twinhull.api.workloadstatus import ContainerStatus, Exit, HullKind, HullStatus, Migratable
from twinhull.hulls.applied import Applied, RenamedRevision
from twinhull.hulls.graceful_end import GracefulEnd
from twinhull.hulls.machine_change import Live
from twinhull.hulls.objectmeta import Owner, condition, created_at, labels, leaves_at, owner_of, timestamp

#: On every object of a Workload, and on the Pods that carry its traffic: the Workload's name. The Service
#: selects it, so it never changes with the hull.
WORKLOAD_LABEL = group.WORKLOAD_LABEL
#: On the DataVolumes of a Workload's disks: the Workload's name. CDI gives it to their claims, and to the
#: Pods that fill these: if it were the label above, the Workload's Service would select such a Pod.
DISK_LABEL = f"{GROUP}/disk-of"
#: On the hull itself only: its kind. A machine's launcher Pod doesn't have it.
HULL_LABEL = f"{GROUP}/hull"
#: On the hull: the hash of what it was made from.
REVISION_LABEL = f"{GROUP}/revision"
#: On the hull and on a machine's launcher Pod: the hull's name, by which a Service finds one hull alone.
HULL_NAME_LABEL = f"{GROUP}/hull-name"


class Phase(StrEnum):
    """Where a hull is in its life, in the Pod's own words."""

    PENDING = "Pending"
    RUNNING = "Running"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"


@dataclass(frozen=True, slots=True)
class Hull:
    """A Pod or VirtualMachine as it was last seen."""

    #: The kind of the object.
    kind: HullKind
    #: The object's name.
    name: str
    #: The object's uid.
    uid: str
    #: Its controller, None for an orphan.
    owner: Owner | None
    #: The hash of what it was made from.
    revision: str
    #: Where it is in its life.
    phase: Phase
    #: Whether it is Ready.
    ready: bool
    #: When the grace period of its deletion is over; None if it isn't being deleted.
    leaves_at: datetime | None
    #: When the object was created.
    created_at: datetime
    #: Since when it hasn't been ready, if it isn't.
    ready_changed_at: datetime
    #: Why it isn't ready, in the words of whoever prevents it.
    reason: Why
    #: The same in a sentence.
    message: str
    #: The name of its node, None before it has one.
    node: str | None = None
    #: Its IP address, None before it has one.
    address: str | None = None
    #: When its run began, None before it has.
    started_at: datetime | None = None
    #: Set once it has ended by itself.
    exit: Exit | None = None
    #: Its containers, as far as they are known.
    containers: tuple[ContainerStatus, ...] = ()
    #: The reason and message why a Pod is ended from outside, if its status has them.
    disruption: tuple[Why, str] | None = None
    #: A Pod's RuntimeClass, None if it has none.
    runtime_class: str | None = None
    #: What it was last given of the things that can change in place.
    applied: Applied | None = None
    #: The reason and message why its node hasn't given it the CPU and memory of `applied` yet.
    resize: tuple[str, str] | None = None
    #: The ids of a Pod's containers in its runtime, by container.
    container_ids: Mapping[str, str] = field(default_factory=dict)
    #: The object's labels.
    labels: Mapping[str, str] = field(default_factory=dict)
    #: How far a running machine has got with `applied`.
    live: Live | None = None
    #: The digest of the manifest by which a machine runs.
    manifest: str = ""
    #: From when on it is sure that somebody has to do something before a machine goes on: the API server
    #: refuses an object that it needs, or somebody stopped or paused it. None if it may go on by itself.
    stalled_at: datetime | None = None
    #: Whether a machine can move to another node while it runs, None if that isn't known.
    migratable: Migratable | None = None
    #: How far the end of a machine's Pod has got, before the machine is deleted.
    graceful_end: GracefulEnd = field(default_factory=GracefulEnd)
    #: Whether it is a machine that lasts, the operator has switched it off, and nothing of it runs.
    off: bool = False
    #: The path of an ephemeral container in a machine's launcher Pod, empty if it has none.
    debug_container: str = ""
    #: The object itself.
    obj: Raw = field(default_factory=dict, repr=False, compare=False)
    #: A machine's VirtualMachineInstance, while there is one.
    instance: Raw | None = field(default=None, repr=False, compare=False)

    @property
    def deleting(self) -> bool:
        """Whether it is being deleted."""
        return self.leaves_at is not None

    @property
    def leaving(self) -> bool:
        """Whether it is on its way out: being deleted, or its Pod was asked to end before that."""
        return self.deleting or self.graceful_end.requested

    @property
    def may_hide_end(self) -> bool:
        """Whether its run may have ended though it doesn't say so any more: it is being deleted, it has ended
        in a way that may be somebody else's doing, or it is a machine that doesn't run yet.
        """
        # A Pending machine may have run before: KubeVirt starts one again though it runs Once.
        pending_machine = self.kind == "VirtualMachine" and self.phase is Phase.PENDING
        return self.deleting or pending_machine or self.ended

    @property
    def has_name_label(self) -> bool:
        """Whether it carries its own name as a label, by which a Service finds it."""
        return self.labels.get(HULL_NAME_LABEL) == self.name

    @property
    def renamed_revision(self) -> RenamedRevision | None:
        """The present operator's name of the hull's revision, if an earlier operator computed the revision in
        another way; None if no such name is noted.
        """
        renamed = self.applied.renamed_revision if self.applied else None
        return renamed if renamed and renamed.former == self.revision else None

    @property
    def pending(self) -> bool:
        """Whether it is a machine that was changed and isn't known to have taken it."""
        return bool(self.applied and self.applied.pending)

    @property
    def halfway(self) -> bool:
        """Whether a change was begun that isn't over: of what revision it is can't be told."""
        return self.applied is not None and bool(self.applied.attempted)

    @property
    def why_stuck(self) -> str:
        """Why it will never be what it was changed to, empty if it may be."""
        return (self.live.guest_refusal or self.live.restart_required) if self.live and self.pending else ""

    @property
    def foreign_edit(self) -> str:
        """What KubeVirt says of a machine whose spec somebody else has changed, empty if nobody has."""
        return self.live.restart_required if self.live and not self.pending else ""

    @property
    def manifest_refusal(self) -> str:
        """What a machine's guest has against the manifest that it is to run by, empty if nothing."""
        return self.live.guest_refusal if self.live and not (self.pending or self.foreign_edit) else ""

    @property
    def ended(self) -> bool:
        """Whether it has ended and won't run again by itself."""
        return self.phase in {Phase.SUCCEEDED, Phase.FAILED}

    @property
    def still_runs(self) -> bool:
        """Whether anything of it may still run, whatever a machine's guest says: KubeVirt says when that is
        over. Of a Pod that isn't held as a whole its phase is known.
        """
        if self.kind == "Pod" and UNREAD in self.obj:
            return self.obj["status"].get("phase") not in {Phase.SUCCEEDED, Phase.FAILED}
        phase = ((self.instance or {}).get("status") or {}).get("phase")
        return not self.ended or (self.instance is not None and phase not in {Phase.SUCCEEDED, Phase.FAILED})

    def runs_again(self, policy: str, ended: Exit) -> bool:
        """Whether a restartPolicy starts over: OnFailure does for a Pod that failed as a whole, such as an
        evicted one. Containers are restarted within their Pod; a Pod that outlived its own deadline isn't.
        """
        failed = policy == RestartPolicy.ON_FAILURE and self.phase is Phase.FAILED
        return failed and ended.reason != "DeadlineExceeded"

    def status(self) -> HullStatus:
        """What `status.hull` says of it."""
        return HullStatus(
            kind=self.kind,
            name=self.name,
            revision=self.revision,
            ready=self.ready,
            node=self.node,
            address=self.address,
            started_at=self.started_at,
            migratable=self.migratable,
        )


def unread(kind: HullKind, obj: Raw, instance: Raw | None = None) -> Hull:
    """A hull whose object holds too much to be read, or whose `instance` does. It is taken to serve, so that
    nothing replaces it.
    """
    return Hull(
        kind=kind,
        name=obj["metadata"]["name"],
        uid=obj["metadata"]["uid"],
        owner=owner_of(obj),
        revision=revision_of(obj),
        phase=Phase.RUNNING,
        ready=True,
        leaves_at=leaves_at(obj),
        created_at=created_at(obj),
        ready_changed_at=created_at(obj),
        reason=UNSAID,
        message="",
        runtime_class=obj["spec"].get("runtimeClassName"),
        labels=labels(obj),
        applied=Applied.read(obj),
        obj=obj,
        instance=instance,
    )


def owner_reference(workload: ObjectMeta) -> Raw:
    """The controller reference that every object of a Workload carries, so that deleting one ends all."""
    return {
        "apiVersion": API_VERSION,
        "kind": "Workload",
        "name": workload.name,
        "uid": workload.uid,
        "controller": True,
        "blockOwnerDeletion": True,
    }


def revision_of(obj: Raw) -> str:
    """The revision that a hull is of; its first, which is in its name, if somebody took the label away."""
    metadata = obj["metadata"]
    return str(labels(obj).get(REVISION_LABEL) or metadata["name"].rpartition("-")[2])


def is_reserved(key: str) -> bool:
    """Whether a label or annotation is the operator's own to write: any of its domain, but for the annotation
    by which people restart a Workload.
    """
    return key.startswith(f"{GROUP}/") and key != RESTART_ANNOTATION


def given_by(template: Raw, part: Literal["labels", "annotations"]) -> Raw:
    """The labels or the annotations that a hull gets from its template, which nobody passes off as the
    operator's.
    """
    keys = (template.get("metadata") or {}).get(part) or {}
    return {key: value for key, value in keys.items() if not is_reserved(key)}


def ends_by(obj: Raw, grace: timedelta) -> datetime | None:
    """When a VirtualMachine or its instance that is being deleted should be gone, None if it isn't.

    A Pod's deletionTimestamp has its grace period in it. Theirs doesn't: the API server knows none of custom
    resources (k8s.io/apiextensions-apiserver, type customResourceStrategy; k8s.io/apiserver,
    pkg/registry/rest, BeforeDelete), and KubeVirt gives the machine its own from then on.
    """
    requested = leaves_at(obj)
    return requested + grace if requested else None


def removed(obj: Raw, end: Exit) -> bool:
    """Whether an object that is being deleted ended because of that, not by itself before.

    Its deletionTimestamp is when its grace period is over (meta/v1, type ObjectMeta); both times are in
    whole seconds, so an end in the very second of the request counts as made by it.
    """
    metadata = obj["metadata"]
    limit = timestamp(metadata.get("deletionTimestamp"))
    if limit is None:
        return False
    requested = limit - timedelta(seconds=metadata.get("deletionGracePeriodSeconds") or 0)
    return end.finished_at is None or end.finished_at >= requested


def disrupted(pod: Raw) -> bool:
    """Whether a Pod failed because its node, the scheduler or somebody who evicted it ended it (core/v1,
    constant DisruptionTarget).
    """
    failed = (pod.get("status") or {}).get("phase") == Phase.FAILED
    return failed and condition(pod, "DisruptionTarget").get("status") == "True"


def ready_changed_at(obj: Raw) -> datetime:
    """From when on an object's Ready condition has been what it is; from its creation if it has none."""
    return timestamp(condition(obj, "Ready").get("lastTransitionTime")) or created_at(obj)
