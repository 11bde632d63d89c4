"""The rules for the life of a hull: it is created, it ends, it is created again, or it is stopped."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from twinhull.api.base import Raw
from twinhull.api.reasons import Reason
from twinhull.api.workload import State
from twinhull.core import backoff, disks
from twinhull.core.actions import Change, Create, Event
from twinhull.core.case import Case
from twinhull.core.manifests import manifest_corrections
from twinhull.core.rehearsal import of_guests_pod
from twinhull.core.rules.ownership import name_conflict
from twinhull.core.steps import Step, end_hulls, names, stalled, waiting, waiting_for_end, waiting_for_object
from twinhull.hulls import machineclaims, next_spec, switching
from twinhull.hulls.hull import Hull
from twinhull.hulls.objectmeta import version_of
from twinhull.hulls.types import type_that_made


def stopped(case: Case) -> Step | None:
    """spec.state is Stopped: running hulls are ended.

    Reasons: Stopped, Stopping, TerminationDeadlineExceeded; those of name_conflict.
    """
    if case.workload.spec.state is not State.STOPPED:
        return None
    if not case.own:
        conflict = name_conflict(case) if case.observed.hulls else None
        replaced = disks.replaced(case)
        sentence = "stopped, as spec.state asks" + (f"; {replaced}" if replaced else "")
        return conflict or Step("True", Reason.STOPPED, sentence)
    event = "spec.state is Stopped"
    return waiting_for_end(case, case.own, Reason.STOPPING, end_hulls(case, case.own, Reason.STOPPED, event))


def deleted_by_others(case: Case) -> Step | None:
    """Somebody else is deleting the current hull: it is created again once it is gone. A machine that boots a
    disk may only be switching off: then it is switched on again.

    Reasons: Restarting, TerminationDeadlineExceeded.
    """
    if case.current is None or not case.current.deleting or case.history.exit:
        return None
    step = waiting_for_end(case, [case.current], Reason.RESTARTING)
    if step.stalled or case.current.ended:
        return step
    is_deleted = "deletionTimestamp" in case.current.obj["metadata"]
    sentence = (
        f"is being deleted by somebody else; the operator makes it again once it is gone{_lost(case)}"
        if is_deleted
        else "is being switched off; the operator switches it on again once it is off"
    )
    return replace(step, message=f"{names([case.current])} {sentence}")


def _lost(case: Case) -> str:
    """The end of a sentence about a deleted hull that says what is lost; empty if nothing is. KubeVirt
    deletes the state of a machine's TPM and firmware together with the VirtualMachine (docs/disks.md).
    """
    firmware = case.blueprint.spec.virtual_machine.firmware if case.hull_type.lasts else None
    keeps = firmware is not None and (firmware.tpm == "Persistent" or firmware.persistent)
    return ", without the state of its TPM and firmware" if keeps else ""


def completed(case: Case) -> Step | None:
    """The Workload ran to completion. Its Pod is kept for its logs. A machine is ended once the status has
    the exit: KubeVirt would start it again if its instance is deleted.

    Reasons: Completed, Failed.
    """
    if case.history.exit is None:
        return None
    machines = [hull for hull in case.own if type_that_made(hull).run_by_kubevirt]
    is_written = case.workload.status.exit == case.history.exit
    actions = end_hulls(case, machines, Reason.COMPLETED, "it ran to completion") if is_written else ()
    again = timedelta() if machines and not is_written else None
    code = "" if case.history.exit.code is None else f" with exit code {case.history.exit.code}"
    which = f"container {case.history.exit.container} " if case.history.exit.container else ""
    detail = f": {case.history.exit.message}" if case.history.exit.message else ""
    sentence = f"{which}ended{code} ({case.history.exit.reason}){detail}"
    if case.history.exit.code == 0 or case.history.exit.reason == Reason.COMPLETED:
        return Step("True", Reason.COMPLETED, sentence, actions=actions, requeue_after=again)
    return replace(stalled(Reason.FAILED, sentence), actions=actions, requeue_after=again)


def hull_failed(case: Case) -> Step | None:
    """The hull failed as a whole, for instance because it was evicted or its node refused it, and is to run
    again.

    Reasons: Restarting.
    """
    if case.current is None or not case.current.ended:
        return None
    losses = backoff.back_off(case)
    wait = losses.retry_at - case.now if losses else timedelta()
    sentence = f"{names([case.current])} ended ({case.current.reason}) and is made again"
    if losses and losses.losses > 1:
        sentence = f"{names([case.current])} ended: {backoff.sentence_of(losses)}"
    if wait > timedelta():
        return waiting(Reason.RESTARTING, sentence, requeue_after=wait)
    return waiting(
        Reason.RESTARTING, sentence, end_hulls(case, [case.current], Reason.RESTARTING, case.current.reason)
    )


def create_hull(case: Case) -> Step | None:
    """There is no hull of the present revision: it is created, or the machine that is off is switched on.
    After lost hulls the back-off delays this.

    Reasons: Creating, Restarting, TerminationDeadlineExceeded.
    """
    if case.current is not None:
        return None
    if too_soon := backoff.waits(case):
        return too_soon
    manifest = case.observed.manifests.get(case.hull_name) if case.hull_type.has_guest else None
    sentence = f"restored ConfigMap {case.hull_name}, which somebody had changed"
    corrections = tuple(manifest_corrections(case, manifest, _drift(sentence))) if manifest else ()
    if manifest and manifest.deleting and not corrections:
        what = f"ConfigMap {case.hull_name}"
        sentence = f"waiting for {what} to end; it is then made again"
        return waiting_for_object(case, Reason.CREATING, sentence, what, manifest)
    if manifest is None and (trying := of_guests_pod(case)):
        return waiting(
            Reason.CREATING, f"checking whether {case.hull_kind} {case.hull_name} can be made", trying
        )
    *parts, hull = case.desired.hull_objects
    if case.switched_off is not None and case.hull_type.lasts:
        return _switch_on(case, case.switched_off, hull)
    what, again = f"{case.hull_kind} {case.hull_name}", " again" if case.history.had_hull else ""
    ignored = f"; {case.blueprint.ignored}" if case.blueprint.ignored else ""
    sentence = f"created {what}{again} (isolation {case.blueprint.resolution.resolved}){ignored}"
    if_there = _drift(f"restored the labels of {what}") if case.history.had_hull else None
    # A machine must not start without its manifest, or with a foreign one, so the manifest is written first.
    # The machine follows in the next pass.
    actions = tuple(Create(obj) for obj in parts if manifest is None) or corrections
    made = machineclaims.with_note(hull) if case.hull_type.lasts else hull
    actions = actions or (Create(made, Event("Normal", Reason.CREATED, sentence), if_there),)
    return waiting(Reason.CREATING, f"creating {what}", actions)


def _switch_on(case: Case, off: Hull, wanted: Raw) -> Step:
    """Switches on the machine that is off, with the spec of the `wanted` VirtualMachine."""
    what = f"{off.kind} {off.name}"
    changes = next_spec.edits_of(off.obj, wanted).in_words("set", "removed")
    event = Event("Normal", Reason.CREATED, f"switched {what} on" + (f": {changes}" if changes else ""))
    patch = switching.on(off.obj, wanted, case.now)
    # Only this resourceVersion is changed: KubeVirt may put a restored claim into the machine at any moment.
    change = Change(off.kind, off.name, off.uid, patch, event, version=version_of(off.obj))
    return waiting(Reason.CREATING, f"switching {what} on", (change,))


def _drift(sentence: str) -> Event:
    return Event("Warning", Reason.DRIFT_CORRECTED, sentence)
