"""The rules for strategy StartFirst: the new hull is ready before the old one ends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from twinhull.api.brevity import listed, shortened
from twinhull.api.reasons import Reason
from twinhull.core import sharing
from twinhull.core.case import Case
from twinhull.core.rules.on_restart import while_former_runs
from twinhull.core.serving import serving_first
from twinhull.core.steps import Step, end_hulls, names, stalled, waiting, waiting_for_end
from twinhull.hulls import service
from twinhull.hulls.hull import Hull


def cannot_start_first(case: Case) -> Step | None:
    """The Workload has something that only one hull can hold, such as a claim or a boot disk, so no other
    hull can start beside the old one.

    Reasons: CannotStartFirst.
    """
    if not case.starts_first or case.current is not None:
        return None
    if case.hull_type.lasts:
        lasting = stalled(
            Reason.CANNOT_START_FIRST,
            "spec.virtualMachine.bootDisk can be in one machine only at a time: set "
            "spec.replacement.strategy to Recreate",
        )
        return while_former_runs(case, lasting)
    built = case.blueprint.spec.virtual_machine
    disks = built.disk_volumes() if case.hull_type.has_guest else frozenset()
    held = list(sharing.unshareable(case.workload.spec.template, case.observed.referred, disks))
    if not held:
        return None
    sentence = f"{listed(held)}: set spec.replacement.strategy to Recreate, or share it in another way"
    return while_former_runs(case, stalled(Reason.CANNOT_START_FIRST, sentence))


def replacement_failed(case: Case) -> Step | None:
    """The new hull wasn't ready in time, and the status has noted that: it is ended, and the old hull stays.

    Reasons: ProgressDeadlineExceeded.
    """
    attempt = case.history.attempt
    if attempt is None or attempt.failed_at is None:
        return None
    # A machine whose Pod was asked to end isn't the current hull any more. If its run has ended by itself
    # since, only this rule deletes it.
    hulls = [
        hull for hull in case.own if hull is case.current or (hull.ended and hull.graceful_end.requested)
    ]
    return stalled(
        Reason.PROGRESS_DEADLINE_EXCEEDED,
        f"{attempt.message}; {names(case.standing)} {_verb(case.standing, 'keeps', 'keep')} running: change "
        "the spec to try again",
        actions=end_hulls(case, hulls, Reason.PROGRESS_DEADLINE_EXCEEDED, "it was not ready in time"),
    )


def replacement_overdue(case: Case) -> Step | None:
    """The new hull isn't ready in time: the status notes that before the hull is ended, or the hull would be
    created again.

    Reasons: ProgressDeadlineExceeded.
    """
    attempt = case.history.attempt
    if attempt is None or case.now < attempt.started_at + _deadline(case):
        return None
    seconds = case.workload.spec.replacement.progress_deadline_seconds
    message = shortened(f"{case.hull_kind} {case.hull_name} was not ready after {seconds} s: {_cause(case)}")
    failed = attempt.model_copy(update={"failed_at": case.now.replace(microsecond=0), "message": message})
    return replace(
        stalled(Reason.PROGRESS_DEADLINE_EXCEEDED, message), replacement=failed, requeue_after=timedelta()
    )


def superseded(case: Case) -> Step | None:
    """The spec changed again before the last replacement was over: of the former hulls only the serving one
    stays. The others are ended before the new hull is created.

    A new hull that was given up isn't handled here, but by replacement_failed.

    Reasons: Replacing, Draining, TerminationDeadlineExceeded.
    """
    if case.current is not None or case.serving is None or case.history.has_given_up:
        return None
    others = [hull for hull in case.own if hull is not case.serving]
    return _end(case, others, f"superseded by {case.hull_kind} {case.hull_name}")


def drain_old_hull(case: Case) -> Step | None:
    """The new hull is ready: the old hull is ended, once it has got no new connections for drainSeconds.

    Reasons: Replacing, Draining, TerminationDeadlineExceeded.
    """
    if not case.starts_first or not case.former:
        return None
    step = _end(case, case.former, f"replaced by {case.hull_kind} {case.hull_name}")
    return replace(step, ready="True")


def keep_one_hull(case: Case, step: Step, why: str) -> Step:
    """A step under which no hull may start. If there are several hulls, it ends all but one, and keeps the
    serving hull. If no hull serves, it keeps the oldest ready hull, or else the oldest.
    """
    if len(case.own) < 2:  # noqa: PLR2004
        return step
    serving = case.serving
    kept = serving if serving and serving.ready else serving_first(case.own, last=case.current)[0]
    ends = _end(case, [hull for hull in case.own if hull is not kept], why)
    return replace(step, actions=ends.actions, requeue_after=ends.requeue_after)


def until_overdue(case: Case) -> timedelta | None:
    """How much longer a new hull may take to be ready. None if it was given up, if its time is over, or if
    its time hasn't begun, since the hull can't be created yet: then no further look is needed until something
    changes.
    """
    attempt = case.history.attempt
    if attempt is None or attempt.failed_at:
        return None
    if case.current is None and attempt != case.workload.status.replacement:
        return None
    left = attempt.started_at + _deadline(case) - case.now
    return left if left > timedelta() else None


def _end(case: Case, hulls: list[Hull] | tuple[Hull, ...], why: str) -> Step:
    """The step that ends hulls: it waits while a ready one of them drains."""
    drain = _drain(case)
    if drain > timedelta() and any(hull.ready and not hull.leaving for hull in hulls):
        gets, ends = _verb(hulls, "gets", "get"), _verb(hulls, "is", "are")
        sentence = f"{names(hulls)} {gets} no new connections and {ends} about to end"
        return waiting(Reason.DRAINING, sentence, requeue_after=drain)
    return waiting_for_end(case, hulls, Reason.REPLACING, end_hulls(case, hulls, Reason.REPLACING, why))


def _verb(hulls: Sequence[Hull], of_one: str, of_several: str) -> str:
    return of_one if len(hulls) == 1 else of_several


def _drain(case: Case) -> timedelta:
    """How much longer hulls that are to end are kept for their open connections. Zero if the Workload has no
    Service of its own, or the Service can't select the other hull alone.
    """
    seen = case.observed.service
    if case.pinned is None or case.desired.service is None or seen is None or not case.owns(seen):
        return timedelta()
    wait = timedelta(seconds=case.workload.spec.replacement.drain_seconds)
    since = service.pinned_since(seen.obj, case.pinned.name)
    return wait if since is None else min(wait, since + wait - case.now)


def _deadline(case: Case) -> timedelta:
    return timedelta(seconds=case.workload.spec.replacement.progress_deadline_seconds)


def _cause(case: Case) -> str:
    """Why the new hull isn't ready: its own message, or the refusal because of which it wasn't made."""
    if case.current is not None:
        return case.current.message or case.current.reason
    parts = (case.hull_kind, "PodTemplate", "ConfigMap") if case.hull_type.has_guest else (case.hull_kind,)
    refusals = (case.observed.refusals.get(f"{kind}/{case.hull_name}") for kind in parts)
    return next((refusal.message for refusal in refusals if refusal), "the hull was never made")
