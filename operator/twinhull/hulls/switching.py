"""Switching a machine that boots a disk off and on: its VirtualMachine stays, and isn't made anew.

A machine is off if KubeVirt's runStrategy is Halted and the VirtualMachine has the operator's note. A halted
machine without the note was stopped by somebody else. The operator changes the VirtualMachine while the
machine is off, so that a machine always runs by its VirtualMachine (kubevirt.io/api/core/v1, type
VirtualMachineRunStrategy).
"""

from __future__ import annotations

from datetime import datetime

from twinhull.api.base import GROUP, Raw
from twinhull.api.reading import OFF_ANNOTATION
from twinhull.api.workload import RESTART_ANNOTATION
from twinhull.hulls.graceful_end import grace
from twinhull.hulls.hull import REVISION_LABEL, WORKLOAD_LABEL, ends_by
from twinhull.hulls.next_spec import patch_for_next_start
from twinhull.hulls.objectmeta import created_at, labels

#: On a VirtualMachine that the operator has switched on again: when. The deadline to become ready counts from
#: then.
ON_ANNOTATION = f"{GROUP}/switched-on"
_HALTED = "Halted"
#: The printable statuses that a machine without an instance may have. Provisioning and DataVolumeError tell
#: of the DataVolumes that the template names, also while the machine is off; KubeVirt prints Stopped only if
#: neither of them holds. The statuses of an instance (Stopping, Migrating, Paused, Running) take precedence
#: (kubevirt.io/kubevirt 1.9.0, pkg/virt-controller/watch/vm/vm.go:2516-2547, setPrintableStatus;
#: pkg/storage/types/dv.go:171-236).
_STATUSES_WITHOUT_INSTANCE = {"Stopped", "Provisioning", "DataVolumeError"}
#: A time in an annotation from this year on isn't believed: somebody has forged it to make the operator wait.
_FIRST_FORGED_YEAR = 3000


def off(now: datetime) -> Raw:
    """The patch that switches a machine off."""
    note = {OFF_ANNOTATION: now.isoformat(timespec="milliseconds")}
    return {"metadata": {"annotations": note}, "spec": {"runStrategy": _HALTED}}


def on(present: Raw, wanted: Raw, now: datetime) -> Raw:
    """The patch that changes a machine that is off as the Workload asks, and switches it on. `wanted` is the
    VirtualMachine as the operator renders it, with runStrategy Always.
    """
    patch = patch_for_next_start(present, wanted)
    notes = {OFF_ANNOTATION: None, ON_ANNOTATION: now.isoformat(timespec="milliseconds")}
    metadata = patch["metadata"]
    return {**patch, "metadata": {**metadata, "annotations": {**metadata["annotations"], **notes}}}


def is_off(vm: Raw, vmi: Raw | None) -> bool:
    """Whether the operator has switched the machine off, and the machine no longer runs. KubeVirt has to say
    so too: an instance may exist that the operator doesn't see.
    """
    return vmi is None and _is_halted(vm) and _is_reported_off(vm.get("status") or {})


def _is_reported_off(status: Raw) -> bool:
    """Whether KubeVirt says that a machine has no instance, and has seen that the machine is halted: the
    status has the runStrategy that KubeVirt acts by, once the machine has had an instance
    (kubevirt.io/kubevirt 1.9.0, pkg/virt-controller/watch/vm/vm.go:2461-2480, updateStatus).
    """
    strategy = status.get("runStrategy") or _HALTED
    has_none = status.get("printableStatus") in _STATUSES_WITHOUT_INSTANCE
    return has_none and strategy == _HALTED and not status.get("created")


def ends_at(vm: Raw, vmi: Raw | None) -> datetime | None:
    """By when a machine that is being switched off should be off. None if it isn't being switched off, or is
    off.
    """
    noted = _switched_off_at(vm)
    if noted is None or not _is_halted(vm) or is_off(vm, vmi):
        return None
    if vmi is None:
        return noted
    return ends_by(vmi, grace(vmi)) or noted + grace(vmi)


def _is_halted(vm: Raw) -> bool:
    return _switched_off_at(vm) is not None and vm["spec"].get("runStrategy") == _HALTED


def on_since(vm: Raw) -> datetime:
    """When the machine was last switched on: its creation, if the operator never switched it on again."""
    return _time(vm, ON_ANNOTATION) or created_at(vm)


def revision_of(vm: Raw, vmi: Raw | None) -> str:
    """The revision of the running instance; without an instance, the revision of the next start."""
    return str(labels(vmi).get(REVISION_LABEL) or "") if vmi else next_revision(vm)


def restart_of(started: Raw) -> str:
    """The value of the annotation that restarts a Workload (RESTART_ANNOTATION) on an instance, or in the
    template of a VirtualMachine, from which the next instance gets it; empty if there is none.
    """
    is_instance = "template" not in started["spec"]
    inside = started["metadata"] if is_instance else started["spec"]["template"].get("metadata") or {}
    return str((inside.get("annotations") or {}).get(RESTART_ANNOTATION) or "")


def next_revision(vm: Raw) -> str:
    """The revision with which the machine starts the next time."""
    inside = (vm["spec"].get("template") or {}).get("metadata") or {}
    return str((inside.get("labels") or {}).get(REVISION_LABEL) or labels(vm).get(REVISION_LABEL) or "")


def is_named_as_its_workload(vm: Raw) -> bool:
    """Whether a VirtualMachine has the name of the Workload that owns it."""
    metadata = vm["metadata"]
    labelled = labels(vm).get(WORKLOAD_LABEL)  # an outlined object may lack the owner's name
    return any(
        owner.get("controller")
        and owner["kind"] == "Workload"
        and owner.get("name", labelled) == metadata["name"]
        for owner in metadata.get("ownerReferences") or ()
    )


def _switched_off_at(vm: Raw) -> datetime | None:
    """When the operator switched the machine off, None if it didn't."""
    return _time(vm, OFF_ANNOTATION)


def _time(vm: Raw, annotation: str) -> datetime | None:
    """The time in an annotation, None if the annotation is missing. The creation of the machine stands for a
    time that can't be read, or isn't believed: whoever may change the machine may write anything there.
    """
    note = (vm["metadata"].get("annotations") or {}).get(annotation)
    if not note:
        return None
    try:
        time = datetime.fromisoformat(note)
    except ValueError:
        return created_at(vm)
    return time if time.tzinfo and time.year < _FIRST_FORGED_YEAR else created_at(vm)
