"""A hull: the object that a Workload runs in, a Pod or a VirtualMachine, in one shape for both."""

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

#: The Workload's name, as a label of the Workload's objects and of the Pods that carry its traffic. The
#: Service selects it, so it never changes with the hull. DataVolumes have DISK_LABEL instead.
WORKLOAD_LABEL = group.WORKLOAD_LABEL
#: The Workload's name, as a label of the DataVolumes of its disks. CDI copies the label to their claims, and
#: to the Pods that fill the claims. With WORKLOAD_LABEL, the Workload's Service would select those Pods.
DISK_LABEL = f"{GROUP}/disk-of"
#: The hull's kind, as a label of the hull only. A machine's launcher Pod doesn't have it.
HULL_LABEL = f"{GROUP}/hull"
#: The hull's revision: a hash of the content that the hull was made from.
REVISION_LABEL = f"{GROUP}/revision"
#: The hull's name, as a label of the hull and of a machine's launcher Pod. A Service selects one hull by it.
HULL_NAME_LABEL = f"{GROUP}/hull-name"


class Phase(StrEnum):
    """The phase of a hull, with the values of a Pod's phase."""

    PENDING = "Pending"
    RUNNING = "Running"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"


@dataclass(frozen=True, slots=True)
class Hull:
    """A Pod or VirtualMachine as the operator last saw it."""

    #: The kind of the object.
    kind: HullKind
    #: The object's name.
    name: str
    #: The object's uid.
    uid: str
    #: The object's controller, None for an orphan.
    owner: Owner | None
    #: The hash of the content that the hull was made from.
    revision: str
    #: The phase of the run.
    phase: Phase
    #: Whether the hull is Ready.
    ready: bool
    #: When the grace period is over of the hull's deletion, or of switching off a machine that boots a disk;
    #: None if neither is under way.
    leaves_at: datetime | None
    #: When the object was created.
    created_at: datetime
    #: Since when the Ready condition has had its present status, True or False.
    ready_changed_at: datetime
    #: The reason why the hull isn't ready, in the words of whoever prevents it.
    reason: Why
    #: The sentence to that reason.
    message: str
    #: The name of the hull's node, None before the hull has one.
    node: str | None = None
    #: The IP address of the hull, None before the hull has one.
    address: str | None = None
    #: When the run began, None before it has.
    started_at: datetime | None = None
    #: How the run ended, None unless it has ended by itself.
    exit: Exit | None = None
    #: The containers, as far as their statuses are known.
    containers: tuple[ContainerStatus, ...] = ()
    #: The reason and message of a Pod's DisruptionTarget condition: who ends the Pod from outside.
    disruption: tuple[Why, str] | None = None
    #: A Pod's RuntimeClass, None if it has none.
    runtime_class: str | None = None
    #: The note on the hull of what it was last given of the fields that can change in place.
    applied: Applied | None = None
    #: The reason and message why the node hasn't given the hull the CPU and memory of `applied` yet.
    resize: tuple[str, str] | None = None
    #: The ids of a Pod's containers in the container runtime, by container name.
    container_ids: Mapping[str, str] = field(default_factory=dict)
    #: The object's labels.
    labels: Mapping[str, str] = field(default_factory=dict)
    #: The progress of a running machine's last change in place.
    live: Live | None = None
    #: The digest of the manifest that a machine runs by.
    manifest: str = ""
    #: From when on it is certain that a machine doesn't continue before somebody acts: the API server refuses
    #: an object that the machine needs, or somebody stopped or paused it. None if it may continue by itself.
    stalled_at: datetime | None = None
    #: Whether a machine can move to another node while it runs; None if KubeVirt doesn't say.
    migratable: Migratable | None = None
    #: The progress of the end of a machine's Pod, before the machine is deleted.
    graceful_end: GracefulEnd = field(default_factory=GracefulEnd)
    #: Whether the operator has switched off this machine that boots a disk, and nothing of it runs.
    off: bool = False
    #: The path of an ephemeral container in a machine's launcher Pod, empty if there is none.
    debug_container: str = ""
    #: The Kubernetes object.
    obj: Raw = field(default_factory=dict, repr=False, compare=False)
    #: A machine's VirtualMachineInstance, None if there is none.
    instance: Raw | None = field(default=None, repr=False, compare=False)

    @property
    def deleting(self) -> bool:
        """Whether the hull is being deleted, or is a machine that boots a disk and is being switched off."""
        return self.leaves_at is not None

    @property
    def leaving(self) -> bool:
        """Whether the hull is being deleted, or the Pod in the machine was asked to end before that."""
        return self.deleting or self.graceful_end.requested

    @property
    def may_hide_end(self) -> bool:
        """Whether the run may have ended by itself although the hull doesn't show it (any more): the hull is
        being deleted, its end may be somebody else's doing, or it is a machine that doesn't run yet.
        """
        # A Pending machine may have run before: KubeVirt restarts some machines despite runStrategy Once.
        pending_machine = self.kind == "VirtualMachine" and self.phase is Phase.PENDING
        return self.deleting or pending_machine or self.ended

    @property
    def has_name_label(self) -> bool:
        """Whether the hull carries its own name as a label, so that a Service can select it alone."""
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
        """Whether the hull is a machine that was given a change, and may not have taken it yet."""
        return bool(self.applied and self.applied.pending)

    @property
    def halfway(self) -> bool:
        """Whether a change in place was begun and not completed, so that the hull's revision isn't known."""
        return self.applied is not None and bool(self.applied.attempted)

    @property
    def why_stuck(self) -> str:
        """Why the machine will never take its last change, empty if it may: its guest refuses the manifest,
        or KubeVirt requires a restart.
        """
        return (self.live.guest_refusal or self.live.restart_required) if self.live and self.pending else ""

    @property
    def foreign_edit(self) -> str:
        """KubeVirt's message on a change of the machine's spec that needs a restart and that the operator
        didn't make; empty if there is none.
        """
        return self.live.restart_required if self.live and not self.pending else ""

    @property
    def manifest_refusal(self) -> str:
        """Why a machine's guest refuses the manifest that it has to run by, empty if it doesn't. A refused
        change is told by `why_stuck` instead.
        """
        return self.live.guest_refusal if self.live and not (self.pending or self.foreign_edit) else ""

    @property
    def ended(self) -> bool:
        """Whether the run has ended, and the hull doesn't run again by itself."""
        return self.phase in {Phase.SUCCEEDED, Phase.FAILED}

    @property
    def still_runs(self) -> bool:
        """Whether the hull may still run, whatever a machine's guest says: an ended machine counts as running
        until KubeVirt says that its instance has ended. Of an outlined Pod the phase alone is known.
        """
        if self.kind == "Pod" and UNREAD in self.obj:
            return self.obj["status"].get("phase") not in {Phase.SUCCEEDED, Phase.FAILED}
        phase = ((self.instance or {}).get("status") or {}).get("phase")
        return not self.ended or (self.instance is not None and phase not in {Phase.SUCCEEDED, Phase.FAILED})

    def runs_again(self, policy: str, ended: Exit) -> bool:
        """Whether a restartPolicy makes a new hull after this end: OnFailure does if the Pod failed as a
        whole, such as an evicted one. Containers restart within their Pod. A Pod that exceeded its own
        activeDeadlineSeconds isn't repeated.
        """
        failed = policy == RestartPolicy.ON_FAILURE and self.phase is Phase.FAILED
        return failed and ended.reason != "DeadlineExceeded"

    def status(self) -> HullStatus:
        """The hull in the form of `status.hull`."""
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
    """A hull whose object, or whose `instance`, is too large to be kept. It counts as running and ready, so
    that nothing replaces it.
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
    """The controller reference to a Workload, by which the garbage collector deletes an object with its
    Workload. Every object that the operator makes for a Workload carries it, except DataVolumes with reclaim
    Retain and the claims of a machine (hulls/ephemeral), which the machine owns.
    """
    return {
        "apiVersion": API_VERSION,
        "kind": "Workload",
        "name": workload.name,
        "uid": workload.uid,
        "controller": True,
        "blockOwnerDeletion": True,
    }


def revision_of(obj: Raw) -> str:
    """The revision of a hull by its label. If somebody removed the label, the revision in the hull's name."""
    metadata = obj["metadata"]
    return str(labels(obj).get(REVISION_LABEL) or metadata["name"].rpartition("-")[2])


def is_reserved(key: str) -> bool:
    """Whether only the operator may write a label or annotation: every key of its domain, except the
    annotation by which people restart a Workload.
    """
    return key.startswith(f"{GROUP}/") and key != RESTART_ANNOTATION


def given_by(template: Raw, part: Literal["labels", "annotations"]) -> Raw:
    """The labels or the annotations that a hull gets from its template. Keys that are reserved for the
    operator are left out.
    """
    keys = (template.get("metadata") or {}).get(part) or {}
    return {key: value for key, value in keys.items() if not is_reserved(key)}


def ends_by(obj: Raw, grace: timedelta) -> datetime | None:
    """When a VirtualMachine or VirtualMachineInstance that is being deleted should be gone; None if it isn't
    being deleted. `grace` is its grace period.

    A Pod's deletionTimestamp includes the grace period. That of a custom resource doesn't: the API server
    knows no grace period of custom resources (k8s.io/apiextensions-apiserver, type customResourceStrategy;
    k8s.io/apiserver, pkg/registry/rest, BeforeDelete), and KubeVirt begins the machine's own at that time.
    """
    requested = leaves_at(obj)
    return requested + grace if requested else None


def removed(obj: Raw, end: Exit) -> bool:
    """Whether an object that is being deleted ended because of the deletion, and not by itself before.

    The deletionTimestamp is the end of the grace period (meta/v1, type ObjectMeta). Both times are in whole
    seconds, so an end in the very second of the request counts as caused by the deletion.
    """
    metadata = obj["metadata"]
    limit = timestamp(metadata.get("deletionTimestamp"))
    if limit is None:
        return False
    requested = limit - timedelta(seconds=metadata.get("deletionGracePeriodSeconds") or 0)
    return end.finished_at is None or end.finished_at >= requested


def disrupted(pod: Raw) -> bool:
    """Whether a Pod failed because its node, the scheduler or an eviction ended it (core/v1, constant
    DisruptionTarget).
    """
    failed = (pod.get("status") or {}).get("phase") == Phase.FAILED
    return failed and condition(pod, "DisruptionTarget").get("status") == "True"


def ready_changed_at(obj: Raw) -> datetime:
    """Since when an object's Ready condition has had its present status; its creation if it has none."""
    return timestamp(condition(obj, "Ready").get("lastTransitionTime")) or created_at(obj)
