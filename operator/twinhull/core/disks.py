"""The disks of a Workload: made and filled before its machine is, and kept whatever the machine does.

A disk belongs to the Workload, never to a hull. It is a DataVolume, or a claim that the spec names. A disk
that was filled is deleted only if its `reclaim` says so, together with its Workload, and is never filled
again.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from itertools import chain, islice

from twinhull.api.base import Raw
from twinhull.api.brevity import listed
from twinhull.api.disks import MOST_DISKS, Disk
from twinhull.api.reading import UNREAD
from twinhull.api.reasons import Reason
from twinhull.api.workloadstatus import DiskStatus
from twinhull.core.actions import Action, Change, Create, Delete, Event, RestoreLabels
from twinhull.core.case import Case
from twinhull.core.claims import claims_of, volumes_of
from twinhull.core.observed import Companion
from twinhull.hulls import datavolume, disksizes, importprogress, machineclaims
from twinhull.hulls.disknotes import (
    FILLED_ANNOTATION,
    FIRST_REQUEST_ANNOTATION,
    HOLDER_ANNOTATION,
    SIZE_ANNOTATION,
)
from twinhull.hulls.diskstate import DiskState
from twinhull.hulls.hull import DISK_LABEL, Hull, Phase
from twinhull.hulls.machineclaims import Replaced
from twinhull.hulls.objectmeta import labels, version_of
from twinhull.hulls.types import type_that_made

#: The earliest of all times.
_EVER = datetime.min.replace(tzinfo=UTC)


def with_states(case: Case) -> Iterator[tuple[Disk, DiskState]]:
    """The disks of the spec, each with its state."""
    yield from zip(case.blueprint.disks, case.disks, strict=True)


def creations(case: Case) -> Iterator[Action]:
    """Creates missing DataVolumes. A DataVolume that was never filled and whose spec changed is deleted
    first, and created again once its claim is gone, too. It is kept while a running machine uses its claim,
    which may have been filled and written to since.
    """
    for disk, state in with_states(case):
        volume = case.observed.data_volumes.get(state.claim)
        if state.is_lone or state.is_going or not datavolume.has_data_volume(disk):
            continue
        if volume is None:
            sentence = f"created DataVolume {state.claim} for the disk {state.name}"
            present = f"DataVolume {state.claim} for the disk {state.name} was there already"
            events = Event("Normal", Reason.CREATED, sentence), Event("Normal", Reason.DISK_TAKEN_UP, present)
            yield Create(datavolume.render(case.workload.metadata, disk), *events)
        elif state.outdated and not volume.deleting and not _is_in_use(case, state.claim):
            sentence = f"deleted DataVolume {state.claim}, which isn't filled, since its spec has changed"
            event = Event("Normal", Reason.CHANGED, sentence)
            yield Delete("DataVolume", state.claim, volume.uid, event, version=version_of(volume.obj))


def replaced(case: Case) -> str:
    """A sentence on each claim that somebody else put in the place of a disk of the VirtualMachine, and what
    to do about it; empty if there are none.
    """
    machine = case.switched_off or next((hull for hull in case.own if type_that_made(hull).lasts), None)
    if not case.hull_type.lasts or machine is None or UNREAD in machine.obj:
        return ""
    found = machineclaims.replaced(machine.obj, case.desired.hull_objects[-1])
    return listed([_how_it_is_replaced(case, one) for one in found])


def _how_it_is_replaced(case: Case, one: Replaced) -> str:
    fields = {disk.disk_name: f"spec.virtualMachine.{disk.field}" for disk in case.blueprint.disks}
    source = f"set source to claim: {{name: {one.claim}}}, without size and the other fields of a new claim"
    path, use = (
        (fields[one.volume], source)
        if one.volume in fields
        else ("spec.virtualMachine.overrides.volumes", "name it there")
    )
    return (
        f"{path}: VirtualMachine {case.workload.metadata.name} has PersistentVolumeClaim {one.claim} for the "
        f"disk {one.volume} in place of {one.wanted}: KubeVirt restored a snapshot or moved the disk, or "
        "somebody changed the VirtualMachine. The operator neither changes the machine nor switches it on. "
        f"To use {one.claim}, {use}; to have {one.wanted} again, name it in spec.template.spec.volumes of "
        "the VirtualMachine"
    )


def _is_in_use(case: Case, claim: str) -> bool:
    """Whether a running machine uses that claim."""
    return any(hull.phase is Phase.RUNNING and claim in claims_of(hull) for hull in case.own)


def holds(case: Case) -> Iterator[Change]:
    """Marks the claims that the spec names as this Workload's, so that no other Workload uses them.

    If two Workloads name a claim at once, one alone marks it: the patch holds for the resourceVersion that
    was seen. Before, the shell looks for foreign Pods that use the claim (only_if_claim_unused), unless a
    machine of this Workload has it already.
    """
    for _, state in with_states(case):
        claim = case.observed.claims.get(state.claim)
        if claim and state.is_free and not claim.deleting:
            sentence = f"marked PersistentVolumeClaim {state.claim} as the disk {state.name}"
            mark = _mark(case, state, claim, Event("Normal", Reason.CHANGED, sentence))
            is_in_machine = any(_is_machine_with(hull, state.claim) for hull in case.own)
            yield replace(mark, only_if_claim_unused=not is_in_machine)


def _is_machine_with(hull: Hull, claim: str) -> bool:
    """Whether a hull is a machine that uses a claim. KubeVirt's own Pods for it may lack the machine's label,
    so they would count as foreign.
    """
    return type_that_made(hull).run_by_kubevirt and claim in claims_of(hull)


def _mark(case: Case, state: DiskState, claim: Companion, event: Event | None = None) -> Change:
    """The patch that marks a claim, at the resourceVersion that was seen, as a disk of the Workload."""
    patch = {"metadata": {"labels": {DISK_LABEL: case.workload.metadata.name}}}
    version = version_of(claim.obj)
    return Change("PersistentVolumeClaim", state.claim, claim.uid, patch, event, version=version)


def upkeep(case: Case) -> Iterator[Action]:
    """Brings existing disks up to date with the spec: the mark, owner and notes, and the size of the claim.
    CDI refuses other changes of a DataVolume.
    """
    if case.current is not None and case.hull_type.lasts:
        yield from holds(case)
    for disk, state in with_states(case):
        volume, claim = case.observed.data_volumes.get(state.claim), case.observed.claims.get(state.claim)
        if state.is_unseen and "DataVolume" not in case.observed.capabilities.hidden:
            yield restoration(case, state)
        if state.is_going:
            continue
        if volume and claim and not claim.deleting and DISK_LABEL not in labels(claim.obj):
            yield replace(_mark(case, state, claim), blocks_ready=False)
        if volume and state.is_ours and not volume.deleting:
            yield from _kept(case, disk, state, volume.obj, claim.obj if claim else {})
        if claim and state.grows_to and state.is_ours and not claim.deleting:
            patch = {"spec": {"resources": {"requests": {"storage": state.grows_to}}}}
            sentence = f"asked for {state.grows_to} for PersistentVolumeClaim {state.claim} ({disk.size})"
            event = Event("Normal", Reason.CHANGED, sentence)
            yield Change("PersistentVolumeClaim", state.claim, claim.uid, patch, event, blocks_ready=False)


def releases(case: Case) -> Iterator[Change]:
    """Removes the Workload from the owners of disks whose `reclaim` is Retain now, once its deletion has
    begun: otherwise the garbage collector would delete them. A disk that the Workload doesn't own isn't given
    to it any more, even if `reclaim` is Delete: it can be deleted later.
    """
    uid = case.workload.metadata.uid
    for disk, state in with_states(case):
        volume = case.observed.data_volumes.get(state.claim)
        if volume is None or volume.deleting or not state.is_ours or disk.reclaim == "Delete":
            continue
        owners = volume.obj["metadata"].get("ownerReferences") or ()
        others = [owner for owner in owners if owner["uid"] != uid]
        if len(others) < len(owners):
            sentence = f"DataVolume {state.claim} stays: the reclaim of the disk {state.name} is Retain now"
            event = Event("Normal", Reason.CHANGED, sentence)
            patch = {"metadata": {"ownerReferences": others or None}}
            yield Change("DataVolume", state.claim, volume.uid, patch, event, blocks_ready=False)


def restoration(case: Case, state: DiskState) -> RestoreLabels:
    """Restores the label of a disk's DataVolume, if the DataVolume says that it is this Workload's."""
    labelled = {"name": state.claim, "labels": {DISK_LABEL: case.workload.metadata.name}}
    sentence = f"restored the label {DISK_LABEL} of DataVolume {state.claim}"
    event = Event("Warning", Reason.DRIFT_CORRECTED, sentence)
    return RestoreLabels({"kind": "DataVolume", "metadata": labelled}, event)


def _kept(case: Case, disk: Disk, state: DiskState, present: Raw, claim: Raw) -> Iterator[Change]:
    """Brings a DataVolume's notes and owners up to date. If it was a former Workload's disk, an Event tells
    that this Workload takes it up.
    """
    is_taken_up = _annotations(present).get(HOLDER_ANNOTATION) != case.workload.metadata.uid
    patch: Raw = {}
    if annotations := _notes(case, disk, state, present, claim):
        patch["annotations"] = annotations
    wanted = datavolume.render(case.workload.metadata, disk)["metadata"].get("ownerReferences") or []
    owners = present["metadata"].get("ownerReferences") or []
    if [_owner(one) for one in owners] != [_owner(one) for one in wanted]:
        patch["ownerReferences"] = wanted or None
    if not patch:
        return
    uid, event = present["metadata"]["uid"], _taken_up(disk, state) if is_taken_up else None
    yield Change(
        "DataVolume", state.claim, uid, {"metadata": patch}, event, is_upkeep=True, blocks_ready=False
    )


def _notes(case: Case, disk: Disk, state: DiskState, present: Raw, claim: Raw) -> dict[str, str]:
    """The annotations that a DataVolume lacks: whose disk it is, how large this Workload wants it, that it is
    filled, and which size its claim requested first.
    """
    noted, holder = _annotations(present), case.workload.metadata.uid
    missing: dict[str, str] = {}
    if noted.get(HOLDER_ANNOTATION) != holder:
        missing[HOLDER_ANNOTATION] = holder
    # Not before the claim has grown: a size that the storage can't grow to can be taken back.
    size = "" if state.grows_to or not claim else disk.size or ""
    noted_size = disksizes.noted_size(present)
    # A former Workload may have wanted a larger disk. This Workload notes a smaller size only at first.
    is_news = HOLDER_ANNOTATION in missing or not noted_size or disksizes.is_less(noted_size, size)
    if size and size != noted_size and is_news:
        missing[SIZE_ANNOTATION] = size
    if state.filled and FILLED_ANNOTATION not in noted:
        missing[FILLED_ANNOTATION] = "true"
    if FIRST_REQUEST_ANNOTATION not in noted and (request := disksizes.requested(claim)):
        missing[FIRST_REQUEST_ANNOTATION] = request
    return missing


def _taken_up(disk: Disk, state: DiskState) -> Event:
    """The Event that this Workload uses a disk that a former one left behind."""
    sentence = f"took up the disk {state.name} again: DataVolume {state.claim} was there"
    if state.larger:
        sentence += f", whose claim stays as large as it is ({state.larger}), though size is {disk.size}"
    return Event("Normal", Reason.DISK_TAKEN_UP, sentence)


def _annotations(obj: Raw) -> Raw:
    annotations: Raw = obj["metadata"].get("annotations") or {}
    return annotations


def _owner(reference: Raw) -> tuple[str, bool]:
    return reference["uid"], bool(reference.get("controller"))


def filled_at(case: Case) -> datetime:
    """When the last disk of the machine was filled; the earliest of all times if none is known to be filled,
    or the hull has no disks. The machine can't be ready sooner. It may have been created before that, since
    some storage is filled only then.
    """
    states = case.disks if case.hull_type.lasts else ()
    return max((state.filled_at for state in states if state.filled_at), default=_EVER)


def statuses(case: Case) -> tuple[DiskStatus, ...]:
    """The content of status.disks: the disks of the spec, and former ones that a machine still has."""
    machines = [hull for hull in case.own if type_that_made(hull).lasts]
    if not case.disks and not machines:
        return ()
    attached = {claim for hull in machines for claim in claims_of(hull)}
    named = tuple(
        DiskStatus(
            name=state.name,
            claim=state.claim or None,
            phase=state.phase or None,
            progress=importprogress.rounded_down(state.progress) or None,
            size=state.size or None,
            attached=state.claim in attached if state.claim else bool(machines),
            message=state.message or None,
            failure=state.failure,
        )
        for state in case.disks
    )
    return tuple(islice(chain(named, _former(case, machines, named)), MOST_DISKS + 1))


def _former(case: Case, machines: list[Hull], named: tuple[DiskStatus, ...]) -> Iterator[DiskStatus]:
    """Disks of the Workload that a machine still has but the spec no longer names. A former disk is named by
    its volume, or by its claim if another disk has that name. Each claim is listed once.
    """
    names, known = {disk.name for disk in named}, {disk.claim for disk in named}
    for volume, name in (pair for hull in machines for pair in volumes_of(hull)):
        called = name if volume in names else volume
        if name in known or called in names:
            continue
        known.add(name)
        seen = case.observed.data_volumes.get(name), case.observed.claims.get(name)
        is_ours = any(one and labels(one.obj).get(DISK_LABEL) == case.workload.metadata.name for one in seen)
        if not is_ours:
            continue
        names.add(called)
        phase, size = (_status_of(one) for one in seen)
        yield DiskStatus(
            name=called,
            claim=name,
            phase=phase.get("phase"),
            size=(size.get("capacity") or {}).get("storage"),
            attached=True,
        )


def _status_of(companion: Companion | None) -> Raw:
    status: Raw = (companion.obj.get("status") or {}) if companion else {}
    return status
