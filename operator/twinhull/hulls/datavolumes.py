"""The DataVolumes that CDI fills: how one is made for a disk, and how far it is.

Source: cdi.kubevirt.io/v1beta1, types DataVolumeSpec and DataVolumeStatus.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from twinhull.api import commands
from twinhull.api.base import GROUP, Raw
from twinhull.api.disks import Disk
from twinhull.api.workload import ObjectMeta
from twinhull.api.workloadstatus import ImportFailure
from twinhull.hulls import diskfiles, disksizes, importing
from twinhull.hulls.attachments import DISK_OF_ANNOTATION
from twinhull.hulls.disknotes import (
    DATA_SOURCE_ANNOTATION,
    DISK_ANNOTATION,
    FILLED_ANNOTATION,
    HOLDER_ANNOTATION,
    POD_PHASE_ANNOTATION,
)
from twinhull.hulls.hull import (
    DISK_LABEL,
    WORKLOAD_LABEL,
    condition,
    labels,
    owner_of,
    owner_reference,
    timestamp,
)

API_VERSION = "cdi.kubevirt.io/v1beta1"
#: A service mesh's proxy in an importer Pod keeps it from ever ending.
_WITHOUT_MESH = {"sidecar.istio.io/inject": "false", "linkerd.io/inject": "disabled"}
#: What of a source says how CDI gets at the data, and not which data it is.
_ACCESS = {
    *("secretRef", "certConfigMap", "secretExtraHeaders", "thumbprint", "initImageURL", "extraArgs"),
    *("pullMethod", "checksum"),
}
#: What is asked of a disk's claim beside its size.
_OF_CLAIMS = ("storageClassName", "accessModes", "volumeMode")
#: The phases in which a DataVolume waits for a Pod that uses it.
_WAIT_FOR_CONSUMER = {"WaitForFirstConsumer", "PendingPopulation"}
#: How all phases end in which CDI fills a disk. Its progress tells less: CDI sets that to N/A before anything
#: begins, and leaves it so where it can't ask the importer.
_FILLING = "InProgress"
#: What phases mean that CDI says nothing more of. {events} is the command that shows the Events.
_PHASES = {
    # CDI says no more when the Pod waits for a ConfigMap that isn't there.
    "ImportScheduled": (
        "the importer Pod doesn't run yet: if that lasts, see its Events ({events}). It doesn't "
        "start without the Secret of secretRef and the ConfigMap of certConfigMap"
    ),
    "Paused": "paused",
}
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
_NO_VDDK = (
    "waiting for the importer Pod, which CDI doesn't make without an image with VMware's VDDK library: name "
    "it as source.vddk.initImageURL, or in ConfigMap v2v-vmware of CDI's namespace"
)


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


def has_data_volume(disk: Disk) -> bool:
    """Whether CDI is to make it. A claim is there already, and a containerDisk is thrown away."""
    return not (disk.source.claim or disk.source.container_disk)


def claim_name(workload: str, disk: Disk) -> str:
    """The name of its claim, and of its DataVolume. Empty for one that is thrown away."""
    if disk.source.container_disk:
        return ""
    return disk.source.claim.name if disk.source.claim else f"{workload}-{disk.disk_name}"


def render(workload: ObjectMeta, disk: Disk) -> Raw:
    """The DataVolume of a disk. With reclaim Retain nobody owns it, so that it outlives its Workload."""
    owned = {"ownerReferences": [owner_reference(workload)]} if disk.reclaim == "Delete" else {}
    source = _source(workload, disk)
    noted = {DATA_SOURCE_ANNOTATION: _noted_source(source["sourceRef"])} if "sourceRef" in source else {}
    return {
        "apiVersion": API_VERSION,
        "kind": "DataVolume",
        "metadata": {
            "name": claim_name(workload.name, disk),
            "namespace": workload.namespace,
            "labels": {DISK_LABEL: workload.name},
            "annotations": {DISK_ANNOTATION: disk.disk_name, **noted, **_WITHOUT_MESH},
            **owned,
        },
        "spec": {**source, "storage": _storage(disk)},
    }


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
            filled=is_there and not is_going(claim),
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
    if is_going(claim):
        return _GOING
    is_bound = claim is None or claim.get("status", {}).get("phase") == "Bound"
    return "" if is_bound else "the claim isn't bound yet"


def _machine_of(claim: Raw | None) -> str:
    """The uid of the VirtualMachine that controls a claim, empty if none does."""
    owner = owner_of(claim) if claim else None
    return owner.uid if owner and owner.kind == "VirtualMachine" else ""


def is_going(obj: Raw | None) -> bool:
    """Whether an object, if it is there, is being deleted."""
    return obj is not None and "deletionTimestamp" in obj["metadata"]


def goes_with_former(workload: ObjectMeta, volume: Raw) -> bool:
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


def was_filled(volume: Raw) -> bool:
    """Whether a DataVolume has the note that it was filled."""
    return FILLED_ANNOTATION in (volume["metadata"].get("annotations") or {})


def is_unfilled(volume: Raw) -> bool:
    """Whether a DataVolume isn't filled, by CDI's word, and never was."""
    return (volume.get("status") or {}).get("phase") != "Succeeded" and not was_filled(volume)


def holds_nothing(volume: Raw, claim: Raw | None) -> bool:
    """Whether certainly nothing that anybody could miss is on a disk, by its DataVolume and its claim: it was
    made by an operator for a Workload, nobody owns it, and it was never filled. An upload is never given up;
    an empty disk only before its claim is bound. What CDI hasn't spoken of yet may be a backup's.
    """
    metadata, source = volume["metadata"], (volume.get("spec") or {}).get("source") or {}
    noted, status = metadata.get("annotations") or {}, volume.get("status") or {}
    if not {HOLDER_ANNOTATION, DISK_ANNOTATION} <= noted.keys() or was_filled(volume):
        return False
    if metadata.get("ownerReferences") or is_going(volume) or status.get("phase") not in _UNFILLED:
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
        is_unseen=of_volume and not is_going(claim) and label in {None, workload.name},
        machine=_machine_of(claim),
    )
    if not state.is_ours:
        return replace(state, is_lone=True)
    if is_going(claim) or of_volume:
        return replace(state, is_going=True, message=_GOING if is_going(claim) else _VOLUME_UNSEEN)
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
    of_former = goes_with_former(workload, volume)
    going = is_going(volume) or is_going(claim) or of_former
    filled = phase == "Succeeded" and not going
    failure = None if filled or going else _failure(volume, last)
    failed = phase == "Failed" or (
        failure is not None and importing.is_final(failure.message, failure.attempts)
    )
    source = _source(workload, disk)
    source_changed = not _is_from(volume, source)
    claim_changed = _claim_changed(volume, disk, resized=failed)
    is_phase_known = bool(status.get("phase")) or claim is None
    may_be_filled = filled or going or was_filled(volume) or not is_phase_known
    outdated = not may_be_filled and (source_changed or claim_changed)
    grows_to, larger = ("", "") if outdated or of_former else disksizes.resized(disk, volume, claim)
    fixed = _FIXED if filled and claim_changed else ""
    message = _OF_FORMER if of_former else _GOING if going else fixed
    return DiskState(
        disk.disk_name,
        claim_name(workload.name, disk),
        phase=phase,
        progress="100%" if filled else (failure and failure.progress) or status.get("progress") or "",
        size=((claim or {}).get("status", {}).get("capacity") or {}).get("storage", ""),
        message=message or _hinted(disk, "" if filled else _message(disk, volume, phase, failure), failure),
        filling=phase.endswith(_FILLING) and not of_former,
        filled=filled,
        filled_at=_filled_at(volume) if filled else None,
        waits_for_consumer=phase in _WAIT_FOR_CONSUMER and not going,
        failed=failed and not going,
        failure=failure,
        is_ours=labels(claim).get(DISK_LABEL, workload.name) == workload.name if claim else True,
        source_changed=source_changed and not (filled and _has_data_of(volume, source)),
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
        if failure and importing.is_of_content(failure.message)
        else (diskfiles.partial(disk),)
    )
    return "; ".join(part for part in (message, *known) if part)


def _source(workload: ObjectMeta, disk: Disk) -> Raw:
    """Where it comes from, in CDI's words."""
    source = disk.source
    if source.data_source:
        namespace = source.data_source.namespace or workload.namespace
        named = {"kind": "DataSource", "name": source.data_source.name, "namespace": namespace}
        return {"sourceRef": named}
    if source.snapshot:
        named = {"name": source.snapshot.name, "namespace": workload.namespace}
        return {"source": {"snapshot": named}}
    return {"source": source.raw()}


def _storage(disk: Disk) -> Raw:
    """What is asked of its claim; CDI's StorageProfile fills in the rest."""
    fields = disk.raw()
    kept: Raw = {key: fields[key] for key in _OF_CLAIMS if key in fields}
    return {**kept, **({"resources": {"requests": {"storage": disk.size}}} if disk.size else {})}


def _noted_source(reference: Raw) -> str:
    return f"{reference['namespace']}/{reference['name']}"


def _is_from(volume: Raw, wanted: Raw) -> bool:
    """Whether a DataVolume has that source. CDI's webhook adds nothing to what is said. A clone has the claim
    or snapshot to which its DataSource led when it was made, and a note of the DataSource.
    """
    spec = volume.get("spec") or {}
    if "sourceRef" in wanted and not spec.get("sourceRef"):
        noted = (volume["metadata"].get("annotations") or {}).get(DATA_SOURCE_ANNOTATION)
        is_clone = not {"pvc", "snapshot"}.isdisjoint(spec.get("source") or {})
        return is_clone and noted in {None, _noted_source(wanted["sourceRef"])}
    return all(spec.get(key) == value for key, value in wanted.items()) and not (
        "source" in wanted and spec.get("sourceRef")
    )


def _has_data_of(volume: Raw, wanted: Raw) -> bool:
    """Whether a DataVolume that is filled was filled with the data of that source, however CDI got at it. A
    checksum says which data it is only beside another one of its kind.
    """
    made = (volume.get("spec") or {}).get("source") or {}
    return (
        "source" in wanted
        and _is_from({**volume, "spec": {"source": _data(made)}}, {"source": _data(wanted["source"])})
        and not _contradict(_checksum(made), _checksum(wanted["source"]))
    )


def _data(source: Raw) -> Raw:
    """What of a source says which data it is."""
    return {
        kind: {key: value for key, value in fields.items() if key not in _ACCESS}
        if isinstance(fields, dict)
        else fields
        for kind, fields in source.items()
    }


def _checksum(source: Raw) -> str:
    return str((source.get("http") or {}).get("checksum") or "").lower()


def _contradict(checksum: str, other: str) -> bool:
    return checksum != other and checksum.partition(":")[0] == other.partition(":")[0]


def _claim_changed(volume: Raw, disk: Disk, *, resized: bool) -> bool:
    """Whether the claim of a DataVolume is asked for in other words now; whether of another size only if
    `resized`: a claim can grow while it is being filled.
    """
    made, wanted = volume.get("spec", {}).get("storage") or {}, _storage(disk)
    if any(made.get(key) != wanted.get(key) for key in _OF_CLAIMS):
        return True
    return resized and disksizes.parsed(disksizes.made_with(volume)) != disksizes.parsed(disk.size or "")


def _failure(volume: Raw, last: ImportFailure | None) -> ImportFailure | None:
    """How the import last failed: as CDI says now, or, while it tries again, as it said before. That counts
    until the import gets further than any attempt before.
    """
    status = volume.get("status") or {}
    progress, uid = str(status.get("progress") or ""), volume["metadata"]["uid"]
    if last and last.data_volume != uid:  # it is made anew
        last = None
    got_further = last is not None and _percent(progress) > _percent(last.progress or "")
    best = progress if last is None or got_further else last.progress
    text = _importer_message(volume)
    if text and importing.explained(text, volume["metadata"]["namespace"]):
        if not (_attempts(volume) > 1 or importing.is_failure(text)):
            return None
        return ImportFailure(message=text, attempts=_attempts(volume), progress=best or None, data_volume=uid)
    if last is None or got_further or text:
        return None
    return last.model_copy(update={"attempts": _attempts(volume)})


def _importer_message(volume: Raw) -> str:
    """What CDI says of why its importer doesn't run; empty if it runs, or nothing is said."""
    running = condition(volume, "Running")
    return str(running.get("message") or "") if running.get("status") != "True" else ""


def _percent(progress: str) -> Decimal:
    """A progress such as 45.32% in percent; less than none if CDI knows none."""
    try:
        percent = Decimal(progress.removesuffix("%"))
    except ArithmeticError:
        return Decimal(0)
    return percent if percent.is_finite() else Decimal(0)


def _message(disk: Disk, volume: Raw, phase: str, failure: ImportFailure | None) -> str:
    """The most telling of CDI's words: what stops it, or else what it waits for."""
    name, namespace = volume["metadata"]["name"], volume["metadata"]["namespace"]
    if failure:
        return f"{importing.explained(failure.message, namespace)}{_tried(failure.attempts)}"
    if phase == "UploadReady":
        words = ("virtctl", "image-upload", "dv", name, "--no-create", "--image-path=FILE")
        return (
            "waiting for the upload, of which CDI doesn't say whether it has begun: "
            f"{commands.others(namespace, *words)}"
        )
    bound = condition(volume, "Bound")
    # A CSI driver's claim is bound once it is filled.
    is_awaited = bound.get("status") != "True" and not phase.endswith(_FILLING)
    waits = str(bound.get("message") or "") if is_awaited else ""
    for text in (_importer_message(volume), waits):
        if explained := importing.explained(text, namespace):
            return explained
    vddk = disk.source.vddk
    if vddk and not vddk.init_image_url and phase == "ImportScheduled":
        return _NO_VDDK
    return _PHASES.get(phase, "").format(events=importing.events(namespace))


def _restarts(volume: Raw) -> int:
    """How often CDI's importer was restarted. CDI's definition allows a number below 0 as well."""
    return max(0, int((volume.get("status") or {}).get("restartCount") or 0))


def _attempts(volume: Raw) -> int:
    """How often CDI has tried at least, as a power of two: CDI tries every few minutes, for ever."""
    return 1 << ((_restarts(volume) + 1).bit_length() - 1)


def _tried(attempts: int) -> str:
    return f" (CDI has tried at least {attempts} times)" if attempts > 1 else ""
