"""The rules for the disks of a machine that boots one. They are filled before a running hull ends, but for
empty disks whose storage waits for the machine.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

from twinhull.api import commands
from twinhull.api.brevity import listed
from twinhull.api.disks import Disk
from twinhull.api.reasons import Reason
from twinhull.core import disks
from twinhull.core.case import Case
from twinhull.core.claims import claims_of
from twinhull.core.observed import Refusal
from twinhull.core.rules.on_restart import while_former_runs
from twinhull.core.steps import Step, names, refused, stalled, waiting
from twinhull.hulls import importprogress
from twinhull.hulls.disknotes import BIND_ANNOTATION
from twinhull.hulls.diskstate import DiskState, is_unfilled
from twinhull.hulls.hull import DISK_LABEL, Hull, Phase
from twinhull.hulls.types import type_that_made

#: How soon the operator looks again whether another Workload still mounts a claim.
_LOOKS_AGAIN = timedelta(minutes=1)
#: The reasons for which a machine is neither created nor switched on.
_HINDERING = {Reason.DISK_CONFLICT, Reason.DISK_REPLACED, Reason.DISK_SOURCE_CHANGED}


def disk_refused(case: Case) -> Step | None:
    """A machine can't start with a disk: the disk's claim belongs to somebody else or is mounted by another
    Workload, the disk was filled from another source, or the VirtualMachine has another claim by now. A size
    that was reduced in the spec doesn't prevent a start.

    Reasons: DiskConflict, DiskReplaced, DiskSourceChanged.
    """
    if not case.hull_type.lasts or not (case.current is None or _is_halted(case.current)):
        return None
    hinders = _HINDERING if case.current is None else {Reason.DISK_REPLACED}
    hindering = (problem for problem in _wrong(case) if problem[0] in hinders)
    reason, sentence = next(hindering, (None, ""))
    if not reason:
        return None
    # A change of another Workload causes no pass over this one.
    again = _LOOKS_AGAIN if case.observed.mounted_by else None
    return replace(while_former_runs(case, stalled(reason, sentence)), requeue_after=again)


def _is_halted(hull: Hull) -> bool:
    """Whether somebody else has stopped a machine: a person, or KubeVirt for a VirtualMachineRestore."""
    return hull.reason == Reason.HALTED


def filling_disks(case: Case) -> Step | None:
    """Not all disks of the machine are filled. A running hull runs on meanwhile, also if the storage of a
    disk waits for the machine. If the storage waits and no hull runs, the machine is created, and this rule
    goes on until its first run.

    Reasons: DiskImporting, DiskWaiting, DiskFailed; those of a refusal, such as NameConflict.
    """
    if not case.hull_type.lasts or (case.current is not None and _has_run(case.current)):
        return None
    actions = (*disks.creations(case), *disks.holds(case))
    failed = [state for state in case.disks if state.failed]
    if failed and not actions:
        step = stalled(Reason.DISK_FAILED, listed([_described(state) for state in failed]))
        return while_former_runs(case, step)
    if unseen := _unseen(case):
        return while_former_runs(case, refused(case, unseen))
    held = _held(case)
    unfilled = [
        state for state in case.disks if not (state.filled or state.waits_for_consumer) or state.name in held
    ]
    if not (unfilled or actions):
        return None
    is_filling = any(state.filling for state in unfilled)
    reason = Reason.DISK_IMPORTING if is_filling else Reason.DISK_WAITING
    sentences = [held.get(state.name) or _described(state) for state in unfilled or case.disks]
    if not actions and all(state.name in held for state in unfilled):  # somebody has to choose
        return while_former_runs(case, stalled(reason, listed(sentences)))
    return while_former_runs(case, waiting(reason, listed(sentences), actions))


def _held(case: Case) -> dict[str, str]:
    """The disks that can only be filled once the machine exists, while another hull would have to end for
    that: what to do about each, by the disk's name. Empty disks aren't among them: they take a moment only.
    """
    running = [hull for hull in case.standing if _runs_or_will(case, hull)]
    late = [
        state
        for disk, state in disks.with_states(case)
        if state.waits_for_consumer and disk.source.blank is None
    ]
    return {state.name: _how_to_fill(case, state, running) for state in late} if running else {}


def _runs_or_will(case: Case, hull: Hull) -> bool:
    """Whether a former hull runs or will run. A machine without an instance may be between two of them, as
    during a drain; but it doesn't run before all its DataVolumes are filled.
    """
    if hull is case.current or _is_halted(hull):
        return False
    if _has_run(hull) or not type_that_made(hull).run_by_kubevirt:
        return _has_run(hull)
    volumes = map(case.observed.data_volumes.get, claims_of(hull))
    return not any(volume and is_unfilled(volume.obj) for volume in volumes)


def _how_to_fill(case: Case, state: DiskState, running: list[Hull]) -> str:
    """What to do about a disk whose storage waits for its consumer. CDI fills the disk at once if the claim
    has the annotation (kubevirt.io/containerized-data-importer 1.65.0, pkg/controller/common/util.go,
    ImmediateBindingRequested).
    """
    name, namespace = case.workload.metadata.name, case.workload.metadata.namespace
    words = ("kubectl", "annotate", "pvc", state.claim, f"{BIND_ANNOTATION}=true")
    stop, start = (commands.ours(verb, name, namespace) for verb in ("stop", "start"))
    return (
        f"disk {state.name}: its StorageClass (WaitForFirstConsumer) has it filled only once the machine "
        f"uses it, and {names(running)} would have to end before. To have it filled meanwhile, on a node "
        f"that is chosen without regard to the machine, run {commands.others(namespace, *words)}; to have it "
        f"filled while nothing runs, run {stop}, and then {start}"
    )


def _unseen(case: Case) -> Refusal | None:
    """The final refusal to restore the label of a DataVolume that the watches don't see, None if there is
    none.
    """
    keys = (disks.restoration(case, state).key for state in case.disks if state.is_unseen)
    return next((refusal for key in keys if (refusal := case.refusal(key)) and refusal.final), None)


def _has_run(hull: Hull) -> bool:
    """Whether a hull runs, has run, or is on its way out."""
    return hull.phase is not Phase.PENDING or hull.started_at is not None or hull.leaving


def disk_unchangeable(case: Case) -> Step | None:
    """The machine runs, and the spec asks for a change of a disk that can't be made.

    Reasons: DiskConflict, DiskReplaced, DiskSourceChanged, DiskShrinks.
    """
    if not case.hull_type.lasts:
        return None
    reason, sentence = next(_wrong(case), (None, ""))
    return Step("True", reason, sentence, stalled=True) if reason else None


def _wrong(case: Case) -> Iterator[tuple[Reason, str]]:
    """Why disks can't be as the spec says: each reason, and a message that says what to do."""
    if replaced := disks.replaced(case):
        yield Reason.DISK_REPLACED, replaced
    for disk, state in disks.with_states(case):
        path = f"spec.virtualMachine.{disk.field}"
        if not state.is_ours:
            yield (
                Reason.DISK_CONFLICT,
                (
                    f"{path}: PersistentVolumeClaim {state.claim} is there and isn't this Workload's: "
                    f"{_how(disk)}"
                ),
            )
        elif state.is_free and (other := case.observed.mounted_by.get(state.claim)):
            yield (
                Reason.DISK_CONFLICT,
                (
                    f"{path}.source.claim: the template of Workload {other} mounts PersistentVolumeClaim "
                    f"{state.claim}, and both would write to it: delete that Workload, or name another claim"
                ),
            )
        elif state.machine:
            yield Reason.DISK_CONFLICT, f"{path}: {_of_machine(case, state)}"
        elif state.source_changed and state.filled:
            yield (
                Reason.DISK_SOURCE_CHANGED,
                (
                    f"{path}.source: the disk {state.name} is filled, and is never filled again: put the "
                    "former source back, or give the disk another name to have a new one beside it"
                ),
            )
        elif state.shrinks_from:
            yield (
                Reason.DISK_SHRINKS,
                (
                    f"{path}.size: the disk {state.name} can't be made smaller: set size to "
                    f"{state.shrinks_from} or more"
                ),
            )


def _of_machine(case: Case, state: DiskState) -> str:
    """What to do about a claim that a VirtualMachine owns. KubeVirt makes the machine the owner of the claims
    that it restores (kubevirt.io/kubevirt 1.9.0, pkg/storage/snapshot/restore.go, createRestorePVC).
    """
    metadata = case.workload.metadata
    if any(case.owns(hull) and hull.uid == state.machine for hull in case.observed.hulls):
        without_owner = ("-p", '{"metadata":{"ownerReferences":null}}')
        command = commands.others(metadata.namespace, "kubectl", "patch", "pvc", state.claim, *without_owner)
        return (
            f"VirtualMachine {metadata.name} owns PersistentVolumeClaim {state.claim}, which would be "
            f"deleted with it: to keep what is on it, run {command}"
        )
    see = commands.others(metadata.namespace, "kubectl", "get", "pvc", state.claim, "-o", "yaml")
    return (
        f"another VirtualMachine owns PersistentVolumeClaim {state.claim}, and both would write to it: shut "
        "that machine down, and delete the VirtualMachine with --cascade=orphan, which leaves the claim "
        f"({see} names it in ownerReferences)"
    )


def _how(disk: Disk) -> str:
    """What to do about a claim that isn't this Workload's."""
    if disk.source.claim:
        return (
            f"name another one, or remove its label {DISK_LABEL} once the Workload that it names doesn't "
            "use it any more"
        )
    return "name the claim as source.claim to use what is on it as it is, or give the disk another name"


def _described(state: DiskState) -> str:
    """The state of a disk, as a part of a sentence."""
    next_step = "its claim is marked as this Workload's" if state.is_free else "it is about to be made"
    how = state.message or state.phase or next_step
    progress = (
        f" ({importprogress.rounded_down(state.progress)})" if state.progress not in {"", "N/A"} else ""
    )
    return f"disk {state.name}{progress}: {how}"
