"""How a disk of a machine is, by its DataVolume, which CDI fills, and by its claim.

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
#: The phases in which nothing has been filled: no machine has started with such a disk, since KubeVirt waits
#: for Succeeded. Others, among them Failed, may follow upon that.
_UNFILLED = {
    "Pending",
    "PVCBound",
    "ImportScheduled",
    "ImportInProgress",
    "CloneScheduled",
    "CloneInProgress",
    *_WAIT_FOR_CONSUMER,
}
_GOING = "it is being deleted"
_OF_FORMER = (
    "its DataVolume belongs to a former Workload of this name, and the garbage collector deletes it with "
    "that; the disk is then made anew. To keep what is on it, remove the DataVolume's ownerReferences"
)
_VOLUME_UNSEEN = (
    "its DataVolume is gone, and the claim goes with it; or the DataVolume has lost the label "
    f"{DISK_LABEL}: put that back"
)
_STAYS = (
    "its claim is there without its DataVolume, and stays when the Workload is deleted, whatever reclaim says"
)
_FIXED = "storageClassName, accessModes and volumeMode of a disk that is filled can't be changed"


@dataclass(frozen=True, slots=True)
class DiskState:
    """A disk as it is."""

    #: Its name in the Workload.
    name: str
    #: The name of its claim, and of its DataVolume; empty for one that is thrown away.
    claim: str
    #: CDI's word for how far it is; empty if there is none.
    phase: str = ""
    #: How much is filled, in CDI's words: such as 45.32%, or N/A. Empty if nothing is being filled.
    progress: str = ""
    #: How large its claim is; empty before it is bound.
    size: str = ""
    #: What is wrong with it, and what to do; empty if nothing is known.
    message: str = ""
    #: Whether CDI is filling it now. Of an upload CDI doesn't say whether it has begun.
    filling: bool = False
    #: Whether it has all that it is to have.
    filled: bool = False
    #: Since when CDI has called it filled, None if that isn't known.
    filled_at: datetime | None = None
    #: Whether its claim is only bound, and the disk filled, once the machine is there.
    waits_for_consumer: bool = False
    #: Whether CDI gave up.
    failed: bool = False
    #: How its import last failed, None if it didn't, or has got further since.
    failure: ImportFailure | None = None
    #: Whether what has its name is this Workload's, or nothing has.
    is_ours: bool = True
    #: Whether its claim is there and nobody's yet: it is to be marked as this Workload's before it is used.
    is_free: bool = False
    #: Whether its claim is there without a DataVolume, as backups restore it.
    is_lone: bool = False
    #: Whether its claim belongs to a DataVolume that isn't seen, which may have lost its label.
    is_unseen: bool = False
    #: The uid of the VirtualMachine that controls its claim, and with which the claim is deleted; empty if
    #: none does, or its DataVolume is there.
    machine: str = ""
    #: Whether its DataVolume has another source than the Workload names now; once it is filled, whether that
    #: source has other data.
    source_changed: bool = False
    #: Whether it isn't filled, and its DataVolume says something else than the Workload does now. CDI lets
    #: nobody change what a DataVolume says.
    outdated: bool = False
    #: Whether it is made once what is there has gone: the claim of a former DataVolume, or the DataVolume of
    #: a former Workload.
    is_going: bool = False
    #: The larger size that the Workload asked for before, since it is to be smaller; empty if it isn't.
    shrinks_from: str = ""
    #: The size that its claim asks for, if that is more than the disk is to have; empty if it isn't.
    larger: str = ""
    #: What its claim is to ask for, since the disk is to be larger; empty if it asks for that.
    grows_to: str = ""


def read(
    workload: ObjectMeta,
    disk: Disk,
    volume: Raw | None,
    claim: Raw | None,
    last: ImportFailure | None = None,
) -> DiskState:
    """How a disk is, by its DataVolume and its claim, of which either may not be there. `last` is how its
    import failed last, as the Workload's status has it.
    """
    name, claimed = disk.disk_name, claim_name(workload.name, disk)
    size = ((claim or {}).get("status", {}).get("capacity") or {}).get("storage", "")
    if not has_data_volume(disk):
        is_there = claim is not None or not claimed
        holder = labels(claim).get(DISK_LABEL, labels(claim).get(WORKLOAD_LABEL)) if claim else workload.name
        noted = ((claim or {}).get("metadata", {}).get("annotations") or {}).get(DISK_OF_ANNOTATION)
        return DiskState(
            name,
            claimed,
            size=size,
            filled=is_there and not _is_going(claim),
            is_ours=holder in {None, workload.name} and noted in {None, workload.name},
            is_free=holder is None and noted in {None, workload.name},
            machine=_machine_of(claim),
            message=_awaited(claim),
        )
    if volume is None and claim is None:
        return DiskState(name, claimed, message=diskfiles.partial(disk))
    if volume is None:
        return _of_claim(workload, disk, claim or {}, size)
    return _of_volume(workload, disk, volume, claim, last)


def _awaited(claim: Raw | None) -> str:
    """What keeps a claim that is used as it is from being used; empty if nothing does, or it isn't there."""
    if _is_going(claim):
        return _GOING
    is_bound = claim is None or claim.get("status", {}).get("phase") == "Bound"
    return "" if is_bound else "the claim isn't bound yet"


def _machine_of(claim: Raw | None) -> str:
    """The uid of the VirtualMachine that controls a claim, empty if none does."""
    owner = owner_of(claim) if claim else None
    return owner.uid if owner and owner.kind == "VirtualMachine" else ""


def _is_going(obj: Raw | None) -> bool:
    """Whether an object, if it is there, is being deleted."""
    return obj is not None and "deletionTimestamp" in obj["metadata"]


def _goes_with_former(workload: ObjectMeta, volume: Raw) -> bool:
    """Whether a DataVolume goes with a former Workload of the name: that one owns it, as its `reclaim` asked,
    and the present one hasn't taken it up. The garbage collector deletes an object whose owner's name another
    object has by now (k8s.io/kubernetes, pkg/controller/garbagecollector/garbagecollector.go, isDangling).
    Nobody owns a disk that was to stay, or whose Workload was deleted without its dependents.
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
    """Whether a DataVolume has the note that it was filled."""
    return FILLED_ANNOTATION in (volume["metadata"].get("annotations") or {})


def is_unfilled(volume: Raw) -> bool:
    """Whether a DataVolume isn't filled, by CDI's word, and never was."""
    return (volume.get("status") or {}).get("phase") != "Succeeded" and not _was_filled(volume)


def holds_nothing(volume: Raw, claim: Raw | None) -> bool:
    """Whether certainly nothing that anybody could miss is on a disk, by its DataVolume and its claim: it was
    made by an operator for a Workload, nobody owns it, and it was never filled. An upload is never given up;
    an empty disk only before its claim is bound. What CDI hasn't spoken of yet may be a backup's.
    """
    metadata, source = volume["metadata"], (volume.get("spec") or {}).get("source") or {}
    noted, status = metadata.get("annotations") or {}, volume.get("status") or {}
    if not {HOLDER_ANNOTATION, DISK_ANNOTATION} <= noted.keys() or _was_filled(volume):
        return False
    if metadata.get("ownerReferences") or _is_going(volume) or status.get("phase") not in _UNFILLED:
        return False
    is_bound = claim is not None and (claim.get("status") or {}).get("phase") != "Pending"
    return "upload" not in source and not ("blank" in source and is_bound)


def _of_claim(workload: ObjectMeta, disk: Disk, claim: Raw, size: str) -> DiskState:
    """How a disk is whose claim is there without a DataVolume. A claim that still names one as its owner is
    deleted with it; of one that nobody owns, CDI's Pod may have filled a part.
    """
    metadata, owner = claim["metadata"], owner_of(claim)
    of_volume = owner is not None and owner.kind == "DataVolume"
    phase = (metadata.get("annotations") or {}).get(POD_PHASE_ANNOTATION, "Succeeded")
    label = labels(claim).get(DISK_LABEL)
    state = DiskState(
        disk.disk_name,
        metadata["name"],
        size=size,
        is_ours=label == workload.name,
        is_unseen=of_volume and not _is_going(claim) and label in {None, workload.name},
        machine=_machine_of(claim),
    )
    if not state.is_ours:
        return replace(state, is_lone=True)
    if _is_going(claim) or of_volume:
        return replace(state, is_going=True, message=_GOING if _is_going(claim) else _VOLUME_UNSEEN)
    if phase != "Succeeded":
        message = (
            f"PersistentVolumeClaim {state.claim} was filled in part only, and its DataVolume is gone: "
            "delete the claim, and the disk is then filled anew"
        )
        return replace(state, is_lone=True, failed=True, message=message)
    grows_to = disksizes.larger_than_claim(disk, claim)
    message = _STAYS if disk.reclaim == "Delete" else ""
    return replace(state, is_lone=True, filled=True, grows_to=grows_to, message=message)


def _of_volume(
    workload: ObjectMeta, disk: Disk, volume: Raw, claim: Raw | None, last: ImportFailure | None
) -> DiskState:
    status = volume.get("status") or {}
    phase = status.get("phase") or "Pending"
    of_former = _goes_with_former(workload, volume)
    going = _is_going(volume) or _is_going(claim) or of_former
    filled = phase == "Succeeded" and not going
    failure = None if filled or going else importprogress.last_failure(volume, last)
    failed = phase == "Failed" or (
        failure is not None and cdi_messages.is_final(failure.message, failure.attempts)
    )
    source_changed = not is_from(workload, disk, volume)
    is_claim_changed = claim_changed(disk, volume, resized=failed)
    is_phase_known = bool(status.get("phase")) or claim is None
    may_be_filled = filled or going or _was_filled(volume) or not is_phase_known
    outdated = not may_be_filled and (source_changed or is_claim_changed)
    grows_to, larger = ("", "") if outdated or of_former else disksizes.resized(disk, volume, claim)
    fixed = _FIXED if filled and is_claim_changed else ""
    message = _OF_FORMER if of_former else _GOING if going else fixed
    return DiskState(
        disk.disk_name,
        claim_name(workload.name, disk),
        phase=phase,
        progress="100%" if filled else (failure and failure.progress) or status.get("progress") or "",
        size=((claim or {}).get("status", {}).get("capacity") or {}).get("storage", ""),
        message=message
        or _hinted(disk, "" if filled else importprogress.message(disk, volume, phase, failure), failure),
        filling=importprogress.is_filling(phase) and not of_former,
        filled=filled,
        filled_at=_filled_at(volume) if filled else None,
        waits_for_consumer=phase in _WAIT_FOR_CONSUMER and not going,
        failed=failed and not going,
        failure=failure,
        is_ours=labels(claim).get(DISK_LABEL, workload.name) == workload.name if claim else True,
        source_changed=source_changed and not (filled and has_data_of(workload, disk, volume)),
        outdated=outdated,
        is_going=of_former,
        shrinks_from=disksizes.former_size(workload, disk, volume) if larger else "",
        larger=larger,
        grows_to=grows_to,
    )


def _filled_at(volume: Raw) -> datetime | None:
    """Since when CDI has called a DataVolume Ready, None if it doesn't."""
    ready = condition(volume, "Ready")
    return timestamp(ready.get("lastTransitionTime")) if ready.get("status") == "True" else None


def _hinted(disk: Disk, message: str, failure: ImportFailure | None) -> str:
    """What is wrong with a disk, with what its file's name has to do with it: always if that may have only a
    part of the disk, and else if its import failed at what is in the file.
    """
    known = (
        diskfiles.hints(disk)
        if failure and cdi_messages.is_of_content(failure.message)
        else (diskfiles.partial(disk),)
    )
    return "; ".join(part for part in (message, *known) if part)
