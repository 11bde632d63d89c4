"""The state of a machine's disk, by its DataVolume, which CDI fills, and by its claim.

Source: cdi.kubevirt.io/v1beta1, type DataVolumeStatus.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from twinhull.api.base import GROUP, Raw
from twinhull.api.disks import Disk
from twinhull.api.workload import ObjectMeta
from twinhull.api.workloadstatus import ImportFailure
from twinhull.hulls import cdi_messages, diskfiles, disksizes, importprogress
from twinhull.hulls.attachments import DISK_OF_ANNOTATION
from twinhull.hulls.datavolume import claim_changed, claim_name, has_data_of, has_data_volume, is_from
from twinhull.hulls.disknotes import (
    DISK_ANNOTATION,
    FILLED_ANNOTATION,
    HOLDER_ANNOTATION,
    POD_PHASE_ANNOTATION,
)
from twinhull.hulls.hull import DISK_LABEL, WORKLOAD_LABEL
from twinhull.hulls.objectmeta import condition, labels, owner_of, timestamp

#: The phases in which a DataVolume waits for a Pod that uses it.
_WAIT_FOR_CONSUMER = {"WaitForFirstConsumer", "PendingPopulation"}
#: The phases in which a DataVolume was never filled: no machine has started with such a disk, since KubeVirt
#: waits for Succeeded. The other phases, such as Failed, may follow upon Succeeded.
_UNFILLED = {
    "Pending",
    "PVCBound",
    "ImportScheduled",
    "ImportInProgress",
    "CloneScheduled",
    "CloneInProgress",
    *_WAIT_FOR_CONSUMER,
}
_BEING_DELETED = "it is being deleted"
_GOES_WITH_FORMER = (
    "its DataVolume belongs to a former Workload of this name, and the garbage collector deletes it with "
    "that; the disk is then made anew. To keep what is on it, remove the DataVolume's ownerReferences"
)
_VOLUME_UNSEEN = (
    "its DataVolume is gone, and the claim goes with it; or the DataVolume has lost the label "
    f"{DISK_LABEL}: put that back"
)
_CLAIM_STAYS = (
    "its claim is there without its DataVolume, and stays when the Workload is deleted, whatever reclaim says"
)
_UNCHANGEABLE = "storageClassName, accessModes and volumeMode of a disk that is filled can't be changed"


@dataclass(frozen=True, slots=True)
class DiskState:
    """The state of a disk."""

    #: The name of the disk in the Workload.
    name: str
    #: The name of the disk's claim, and of its DataVolume; empty for a containerDisk.
    claim: str
    #: The phase of the DataVolume; empty without a DataVolume.
    phase: str = ""
    #: How much is filled, as CDI says it: 45.32%, or N/A. Empty if CDI says nothing.
    progress: str = ""
    #: The capacity of the claim; empty before the claim is bound.
    size: str = ""
    #: What is wrong with the disk, or what it waits for, and what to do; empty if nothing is known.
    message: str = ""
    #: Whether CDI is filling the disk now. An upload isn't counted: CDI doesn't say whether it has begun.
    filling: bool = False
    #: Whether the disk has all of its data.
    filled: bool = False
    #: Since when CDI has called the DataVolume Ready; None if it isn't filled, or CDI doesn't say when.
    filled_at: datetime | None = None
    #: Whether the claim is bound, and the disk filled, only once the machine exists.
    waits_for_consumer: bool = False
    #: Whether the disk can't be filled before somebody changes something.
    failed: bool = False
    #: The last failure of the import; None if it didn't fail, or has got further since.
    failure: ImportFailure | None = None
    #: Whether the claim, or the DataVolume, is this Workload's. True if neither exists.
    is_ours: bool = True
    #: Whether the claim exists and is marked by no Workload yet. The operator marks it before it is used.
    is_free: bool = False
    #: Whether the claim exists without a DataVolume, as a backup restores it.
    is_lone: bool = False
    #: Whether the claim belongs to a DataVolume that the operator doesn't see: it may have lost its label.
    is_unseen: bool = False
    #: The uid of the VirtualMachine that controls the claim, and with which the claim is deleted. Empty if no
    #: VirtualMachine does, or the disk has a DataVolume.
    machine: str = ""
    #: Whether the DataVolume has another source than the Workload names now. For a filled disk: whether that
    #: source has other data.
    source_changed: bool = False
    #: Whether the DataVolume was never filled and differs from what the Workload asks for now. CDI lets
    #: nobody change a DataVolume's spec, so it has to be made anew.
    outdated: bool = False
    #: Whether the disk has to wait until an object of its name is deleted: the claim of a former DataVolume,
    #: or the DataVolume of a former Workload.
    is_going: bool = False
    #: The larger size that the Workload asked for before; empty if the Workload hasn't reduced the size.
    shrinks_from: str = ""
    #: The size that the claim asks for, if that is more than the Workload asks for; else empty.
    larger: str = ""
    #: The size that the claim has to ask for, since the disk is to grow; empty if the claim asks for enough.
    grows_to: str = ""


def read(
    workload: ObjectMeta,
    disk: Disk,
    volume: Raw | None,
    claim: Raw | None,
    last: ImportFailure | None = None,
) -> DiskState:
    """The state of a disk by its DataVolume and its claim, each None if it doesn't exist. `last` is the last
    failure of its import in the Workload's status.
    """
    if not has_data_volume(disk):
        return _without_volume(workload, disk, claim)
    if volume is not None:
        return _of_volume(workload, disk, volume, claim, last)
    if claim is not None:
        return _of_lone_claim(workload, disk, claim)
    return DiskState(disk.disk_name, claim_name(workload.name, disk), message=diskfiles.partial(disk))


def _without_volume(workload: ObjectMeta, disk: Disk, claim: Raw | None) -> DiskState:
    """The state of a disk for which CDI does nothing: a claim that the Workload names (source.claim), or a
    containerDisk, which has no claim.
    """
    name = claim_name(workload.name, disk)
    is_there = claim is not None or not name
    holder = labels(claim).get(DISK_LABEL, labels(claim).get(WORKLOAD_LABEL)) if claim else workload.name
    noted = ((claim or {}).get("metadata", {}).get("annotations") or {}).get(DISK_OF_ANNOTATION)
    return DiskState(
        disk.disk_name,
        name,
        size=_capacity(claim),
        filled=is_there and not _is_being_deleted(claim),
        is_ours=holder in {None, workload.name} and noted in {None, workload.name},
        is_free=holder is None and noted in {None, workload.name},
        machine=_machine_of(claim),
        message=_why_unusable(claim),
    )


def _capacity(claim: Raw | None) -> str:
    """The size of a claim, empty before it is bound."""
    size: str = ((claim or {}).get("status", {}).get("capacity") or {}).get("storage", "")
    return size


def _why_unusable(claim: Raw | None) -> str:
    """Why a claim that the Workload names can't be used yet; empty if it can, or doesn't exist."""
    if _is_being_deleted(claim):
        return _BEING_DELETED
    is_bound = claim is None or claim.get("status", {}).get("phase") == "Bound"
    return "" if is_bound else "the claim isn't bound yet"


def _machine_of(claim: Raw | None) -> str:
    """The uid of the VirtualMachine that controls a claim, empty if none does."""
    owner = owner_of(claim) if claim else None
    return owner.uid if owner and owner.kind == "VirtualMachine" else ""


def _is_being_deleted(obj: Raw | None) -> bool:
    """Whether an object exists and is being deleted."""
    return obj is not None and "deletionTimestamp" in obj["metadata"]


def _goes_with_former(workload: ObjectMeta, volume: Raw) -> bool:
    """Whether the garbage collector deletes a DataVolume with a former Workload of the same name: that
    Workload owns it (reclaim Delete), and the present Workload hasn't taken it up. An ownerReference whose
    uid isn't that of the present object of the name is dangling (k8s.io/kubernetes,
    pkg/controller/garbagecollector/garbagecollector.go, isDangling). A DataVolume with reclaim Retain, or
    whose Workload was deleted without its dependents, has no such owner.
    """
    metadata = volume["metadata"]
    is_former = any(
        owner["apiVersion"].partition("/")[0] == GROUP
        and (owner["kind"], owner["name"]) == ("Workload", workload.name)
        and owner["uid"] != workload.uid
        for owner in metadata.get("ownerReferences") or ()
    )
    return is_former and (metadata.get("annotations") or {}).get(HOLDER_ANNOTATION) != workload.uid


def _was_filled(volume: Raw) -> bool:
    """Whether a DataVolume carries the note that it was filled."""
    return FILLED_ANNOTATION in (volume["metadata"].get("annotations") or {})


def is_unfilled(volume: Raw) -> bool:
    """Whether a DataVolume was never filled: CDI doesn't say so, and it carries no note of it."""
    return (volume.get("status") or {}).get("phase") != "Succeeded" and not _was_filled(volume)


def holds_nothing(volume: Raw, claim: Raw | None) -> bool:
    """Whether a disk certainly has no data: an operator made its DataVolume for a Workload, nobody owns it,
    and it was never filled. An upload always counts as data, an empty disk once its claim is bound. A
    DataVolume without a phase may be a backup's, so it counts as data as well.
    """
    metadata, source = volume["metadata"], (volume.get("spec") or {}).get("source") or {}
    noted, status = metadata.get("annotations") or {}, volume.get("status") or {}
    if not {HOLDER_ANNOTATION, DISK_ANNOTATION} <= noted.keys() or _was_filled(volume):
        return False
    if metadata.get("ownerReferences") or _is_being_deleted(volume) or status.get("phase") not in _UNFILLED:
        return False
    is_bound = claim is not None and (claim.get("status") or {}).get("phase") != "Pending"
    return "upload" not in source and not ("blank" in source and is_bound)


def _of_lone_claim(workload: ObjectMeta, disk: Disk, claim: Raw) -> DiskState:
    """The state of a disk whose claim exists without a DataVolume. A claim that a DataVolume still owns is
    deleted with the DataVolume. A claim that nobody owns may be filled in part: CDI's Pod notes its phase.
    """
    metadata, owner = claim["metadata"], owner_of(claim)
    has_volume = owner is not None and owner.kind == "DataVolume"
    pod_phase = (metadata.get("annotations") or {}).get(POD_PHASE_ANNOTATION, "Succeeded")
    label = labels(claim).get(DISK_LABEL)
    state = DiskState(
        disk.disk_name,
        metadata["name"],
        size=_capacity(claim),
        is_ours=label == workload.name,
        is_unseen=has_volume and not _is_being_deleted(claim) and label in {None, workload.name},
        machine=_machine_of(claim),
    )
    if not state.is_ours:
        return replace(state, is_lone=True)
    if _is_being_deleted(claim):
        return replace(state, is_going=True, message=_BEING_DELETED)
    if has_volume:
        return replace(state, is_going=True, message=_VOLUME_UNSEEN)
    if pod_phase != "Succeeded":
        message = (
            f"PersistentVolumeClaim {state.claim} was filled in part only, and its DataVolume is gone: "
            "delete the claim, and the disk is then filled anew"
        )
        return replace(state, is_lone=True, failed=True, message=message)
    grows_to = disksizes.larger_than_claim(disk, claim)
    message = _CLAIM_STAYS if disk.reclaim == "Delete" else ""
    return replace(state, is_lone=True, filled=True, grows_to=grows_to, message=message)


def _of_volume(
    workload: ObjectMeta, disk: Disk, volume: Raw, claim: Raw | None, last: ImportFailure | None
) -> DiskState:
    """The state of a disk that has a DataVolume: it is being deleted, is filled, or isn't filled yet."""
    status = volume.get("status") or {}
    state = DiskState(
        disk.disk_name,
        claim_name(workload.name, disk),
        phase=status.get("phase") or "Pending",
        progress=status.get("progress") or "",
        size=_capacity(claim),
        is_ours=labels(claim).get(DISK_LABEL, workload.name) == workload.name if claim else True,
        source_changed=not is_from(workload, disk, volume),
    )
    if _goes_with_former(workload, volume):
        return replace(state, is_going=True, message=_GOES_WITH_FORMER)
    if _is_being_deleted(volume) or _is_being_deleted(claim):
        is_filling = importprogress.is_filling(state.phase)
        state = replace(state, filling=is_filling, message=_BEING_DELETED)
    elif state.phase == "Succeeded":
        state = _filled(state, workload, disk, volume)
    else:
        state = _unfilled(state, disk, volume, claim, last)
    return state if state.outdated else _with_sizes(state, workload, disk, volume, claim)


def _filled(state: DiskState, workload: ObjectMeta, disk: Disk, volume: Raw) -> DiskState:
    """The state of a disk that CDI has filled."""
    unchangeable = _UNCHANGEABLE if claim_changed(disk, volume, resized=False) else ""
    return replace(
        state,
        progress="100%",
        filled=True,
        filled_at=_filled_at(volume),
        source_changed=state.source_changed and not has_data_of(workload, disk, volume),
        message=unchangeable or diskfiles.partial(disk),
    )


def _unfilled(
    state: DiskState, disk: Disk, volume: Raw, claim: Raw | None, last: ImportFailure | None
) -> DiskState:
    """The state of a disk that CDI is filling, can't fill, or hasn't begun to fill."""
    failure = importprogress.last_failure(volume, last)
    is_final = failure is not None and cdi_messages.is_final(failure.message, failure.attempts)
    failed = state.phase == "Failed" or is_final
    # Before CDI has written a phase, a claim may be one that a backup restored, with data.
    is_phase_known = bool((volume.get("status") or {}).get("phase")) or claim is None
    is_changed = state.source_changed or claim_changed(disk, volume, resized=failed)
    message = importprogress.message(disk, volume, state.phase, failure)
    return replace(
        state,
        progress=(failure and failure.progress) or state.progress,
        filling=importprogress.is_filling(state.phase),
        waits_for_consumer=state.phase in _WAIT_FOR_CONSUMER,
        failed=failed,
        failure=failure,
        outdated=is_changed and is_phase_known and not _was_filled(volume),
        message=_with_hint(disk, message, failure),
    )


def _with_sizes(
    state: DiskState, workload: ObjectMeta, disk: Disk, volume: Raw, claim: Raw | None
) -> DiskState:
    """The state with the sizes by which the disk is to grow, or can't shrink."""
    grows_to, larger = disksizes.resized(disk, volume, claim)
    former = disksizes.former_size(workload, disk, volume) if larger else ""
    return replace(state, grows_to=grows_to, larger=larger, shrinks_from=former)


def _filled_at(volume: Raw) -> datetime | None:
    """Since when CDI has called a DataVolume Ready; None if CDI doesn't."""
    ready = condition(volume, "Ready")
    return timestamp(ready.get("lastTransitionTime")) if ready.get("status") == "True" else None


def _with_hint(disk: Disk, message: str, failure: ImportFailure | None) -> str:
    """The message on a disk, followed by what the name of its file tells. That the file may be only a part of
    the disk is always told; the other hints, only if the import failed because of the file's content.
    """
    known = (
        diskfiles.hints(disk)
        if failure and cdi_messages.is_of_content(failure.message)
        else (diskfiles.partial(disk),)
    )
    return "; ".join(part for part in (message, *known) if part)
