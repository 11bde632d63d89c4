"""The rules for strategy StartFirst: the new hull is ready before the old one ends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from twinhull.api.brevity import listed, shortened
from twinhull.api.reasons import Reason
from twinhull.core import sharing
from twinhull.core.case import Case
from twinhull.core.rules.on_restart import beside_what_runs
from twinhull.core.serving import serving_first
from twinhull.core.steps import Step, end_hulls, names, stalled, waiting, waiting_for_end
from twinhull.hulls import service
from twinhull.hulls.hull import Hull


def cannot_start_first(case: Case) -> Step | None:
    """The template holds what only one hull can, so that another can't start beside it.

    Reasons: CannotStartFirst.
    """
    if not case.starts_first or case.current is not None:
        return None
    if case.hull_type.lasts:
        lasting = stalled(
            Reason.CANNOT_START_FIRST,
            "spec.virtualMachine.bootDisk is one machine's at a time: set spec.replacement.strategy to "
            "Recreate",
        )
        return beside_what_runs(case, lasting)
    built = case.blueprint.spec.virtual_machine
    disks = built.disk_volumes() if case.hull_type.has_guest else frozenset()
    held = list(sharing.unshareable(case.workload.spec.template, case.observed.referred, disks))
    if not held:
        return None
    sentence = f"{listed(held)}: set spec.replacement.strategy to Recreate, or share it in another way"
    return beside_what_runs(case, stalled(Reason.CANNOT_START_FIRST, sentence))


def replacement_failed(case: Case) -> Step | None:
    """The new hull took too long, which the status remembers: it goes, and the old one stays.

    Reasons: ProgressDeadlineExceeded.
    """
    attempt = case.history.attempt
    if attempt is None or attempt.failed_at is None:
        return None
    # One whose end was requested is no current hull any more, and if its run ended by itself then, only this
    # rule deletes it.
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
    """The new hull takes too long: that is written down before it goes, or it would be made again.

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
    """Yet another revision is wanted before the last replacement is over: one of the two goes first.

    So does a new hull that was given up, of which that is all that is to be said.

    Reasons: Replacing, Draining, TerminationDeadlineExceeded.
    """
    if case.current is not None or case.serving is None or case.history.has_given_up:
        return None
    others = [hull for hull in case.own if hull is not case.serving]
    return _end(case, others, f"superseded by {case.hull_kind} {case.hull_name}")


def drain_old_hull(case: Case) -> Step | None:
    """The new hull is ready: the old one goes, once nothing new reaches it.

    Reasons: Replacing, Draining, TerminationDeadlineExceeded.
    """
    if not case.starts_first or not case.former:
        return None
    step = _end(case, case.former, f"replaced by {case.hull_kind} {case.hull_name}")
    return replace(step, ready="True")


def left_to_one(case: Case, step: Step, why: str) -> Step:
    """A step that lets nothing start: what runs goes on, but of two hulls only one. That is the one that
    serves; while none does, the one that was there first.
    """
    if len(case.own) < 2:  # noqa: PLR2004
        return step
    serving = case.serving
    kept = serving if serving and serving.ready else serving_first(case.own, last=case.current)[0]
    ends = _end(case, [hull for hull in case.own if hull is not kept], why)
    return replace(step, actions=ends.actions, requeue_after=ends.requeue_after)


def until_overdue(case: Case) -> timedelta | None:
    """How much longer a new hull may take, None if it was given up, the time is over, or hasn't begun: what
    keeps it from being made is then to be looked at when it changes, and no sooner.
    """
    attempt = case.history.attempt
    if attempt is None or attempt.failed_at:
        return None
    if case.current is None and attempt != case.workload.status.replacement:
        return None
    left = attempt.started_at + _deadline(case) - case.now
    return left if left > timedelta() else None


def _end(case: Case, hulls: list[Hull] | tuple[Hull, ...], why: str) -> Step:
    drain = _drain(case)
    if drain > timedelta() and any(hull.ready and not hull.leaving for hull in hulls):
        gets, ends = _verb(hulls, "gets", "get"), _verb(hulls, "is", "are")
        sentence = f"{names(hulls)} {gets} no new connections and {ends} about to end"
        return waiting(Reason.DRAINING, sentence, requeue_after=drain)
    return waiting_for_end(case, hulls, Reason.REPLACING, end_hulls(case, hulls, Reason.REPLACING, why))


def _verb(hulls: Sequence[Hull], of_one: str, of_several: str) -> str:
    return of_one if len(hulls) == 1 else of_several


def _drain(case: Case) -> timedelta:
    """How much longer the hulls that go are kept for the connections that they have.

    Nothing is to be waited for where there is no Service of ours, or it can't be moved.
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
    """What kept the new hull from being ready."""
    if case.current is not None:
        return case.current.message or case.current.reason
    parts = (case.hull_kind, "PodTemplate", "ConfigMap") if case.hull_type.has_guest else (case.hull_kind,)
    refusals = (case.observed.refusals.get(f"{kind}/{case.hull_name}") for kind in parts)
    return next((refusal.message for refusal in refusals if refusal), "the hull was never made")
