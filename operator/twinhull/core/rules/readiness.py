"""The rules for a current hull that runs: whether it is as the spec asks, and whether it is ready."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from twinhull.api.brevity import listed
from twinhull.api.reasons import Reason
from twinhull.core import disks
from twinhull.core.case import Case
from twinhull.core.companions import refused_companions
from twinhull.core.steps import Step, how_to_restart, names, ready_despite_refusal, stalled, waiting
from twinhull.hulls import next_spec
from twinhull.hulls.edits import Edits

#: Reasons of hulls whose start is withheld. The scheduler ignores Pods with scheduling gates until somebody
#: removes the gates (k8s.io/api/core/v1, type PodSchedulingGate).
_WITHHELD = {"SchedulingGated"}


def isolation_dropped(case: Case) -> Step | None:
    """The Pod is less isolated than its template asks for: the API server left fields out, or a webhook or
    policy changed them.

    Reasons: IsolationDropped.
    """
    if not case.weakened_fields:
        return None
    fields = listed([f"spec.template.{path}" for path in case.weakened_fields], ", ")
    verb = "was" if len(case.weakened_fields) == 1 else "were"
    return stalled(
        Reason.ISOLATION_DROPPED,
        f"Pod {case.hull_name} is less isolated than its template asks for: {fields} {verb} left out by the "
        "API server, or changed by a webhook or policy; enable the feature, exempt the Pod, or change the "
        "field",
        unsupported=case.dropped_fields,
    )


def not_ready(case: Case) -> Step | None:
    """The hull exists and isn't ready. It is Stalled at once, or after a short wait, for a reason that needs
    somebody's action: the API server refuses an object that the hull needs, or somebody stopped or paused the
    machine. Otherwise it is Stalled with ProgressDeadlineExceeded after progressDeadlineSeconds. A Pod with
    scheduling gates keeps its own reason then, since its start is withheld.

    Reasons: NotReady, ProgressDeadlineExceeded; those of the hull: the kubelet's, the scheduler's, KubeVirt's
    and the guest's.
    """
    if case.current is None or case.current.ready:
        return None
    stalled_at = case.current.stalled_at
    if stalled_at is not None:
        sentence = f"{names([case.current])}: {case.current.message}"
        if stalled_at <= case.now:
            return stalled(case.current.reason, sentence)
        return waiting(case.current.reason, sentence, requeue_after=stalled_at - case.now)
    deadline = timedelta(seconds=case.workload.spec.replacement.progress_deadline_seconds)
    since = (
        case.history.attempt.started_at
        if case.history.attempt
        else max(case.current.ready_changed_at, _changed_at(case), disks.filled_at(case))
    )
    left = since + deadline - case.now
    sentence = f"{names([case.current])}: {case.current.message or case.current.reason}"
    if left > timedelta():
        return waiting(case.current.reason or Reason.NOT_READY, sentence, requeue_after=left)
    is_withheld = case.current.reason in _WITHHELD
    return stalled(
        case.current.reason if is_withheld else Reason.PROGRESS_DEADLINE_EXCEEDED,
        f"not ready after {deadline.seconds + deadline.days * 86_400} s: {sentence}",
    )


def change_refused(case: Case) -> Step | None:
    """The hull is ready, and the API server refuses a change of a companion on which Ready doesn't depend.

    Reasons: Ready, MachineEdited; those of the refusal in Reconciling and Stalled.
    """
    answers = (answer for _, answer in refused_companions(case) if answer.reason != Reason.OVERRULED)
    refusal = next(answers, None)
    return ready_despite_refusal(case, ready(case), refusal) if refusal else None


def ready(case: Case) -> Step:
    """The hull is ready and as the spec asks. Or somebody has changed the machine since: the operator doesn't
    restart it for that by itself.

    Reasons: Ready, MachineEdited.
    """
    sentence = f"{case.hull_kind} {case.hull_name} is ready"
    if edits := _edits(case):
        changes = edits.in_words("it has other values of", "it has in addition")
        return Step(
            "True",
            Reason.MACHINE_EDITED,
            f"{sentence}, but somebody has changed its spec: {changes}. The operator sets that back when it "
            "next changes the machine or switches it on: to keep the change, make it in spec.virtualMachine "
            f"(in overrides, if there is no such field); to undo it now, {how_to_restart(case)}",
        )
    if case.current and case.current.foreign_edit:
        return Step(
            "True",
            Reason.MACHINE_EDITED,
            f"{sentence}, but somebody has changed its spec, which takes effect when it restarts "
            f"({case.current.foreign_edit}): to replace it, {how_to_restart(case)}",
        )
    if case.current and case.current.manifest_refusal:
        return Step(
            "True",
            Reason.MACHINE_EDITED,
            f"{sentence}, but its guest runs by another manifest than the Workload's until its next start "
            f"({case.current.manifest_refusal}): to replace the machine, {how_to_restart(case)}",
        )
    return Step("True", Reason.READY, sentence)


def _edits(case: Case) -> Edits | None:
    """The changes of others to the VirtualMachine of a machine that boots a disk. They are lost when the
    operator next writes the VirtualMachine's spec.
    """
    if case.current is None or not case.hull_type.lasts:
        return None
    return next_spec.edits_by_others(case.current.obj, case.desired.hull_objects[-1])


def _changed_at(case: Case) -> datetime:
    """When the hull was last changed in place: the deadline starts again then. The earliest time if it never
    was.
    """
    change = case.history.last_change
    return change.at if change and change.how == "InPlace" else datetime.min.replace(tzinfo=UTC)
