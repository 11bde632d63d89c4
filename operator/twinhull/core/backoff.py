"""The back-off: a hull that is lost again and again is made ever later, as a kubelet restarts containers.

Lost is what somebody else deletes, or what fails as a whole: evicted, or refused by its node. The first time
it is made again at once, then after 10 s, 20 s and so on, up to 5 minutes; it begins anew once a hull has
been ready for 10 minutes (k8s.io/kubernetes/pkg/kubelet, MaxContainerBackOff and its initial 10 s).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from twinhull.api.reasons import UNSAID, Reason, Why
from twinhull.api.workload import State
from twinhull.api.workloadstatus import BackOff
from twinhull.core import disks
from twinhull.core.case import Case
from twinhull.core.observed import Remembered, SeenHull
from twinhull.core.steps import Step, waiting
from twinhull.hulls.hull import Hull

#: How long after its creation the first hull is made again that failed by itself.
_RESTART_DELAY = timedelta(seconds=10)
#: How long after its end the second one is made again; each further one takes twice as long.
_FIRST_DELAY_S = 10
_LONGEST_DELAY = timedelta(minutes=5)
#: For how long a hull has to be ready for the next loss to count as the first.
_HEALTHY = timedelta(minutes=10)
#: How long after its creation a Pod's conditions are set at the latest: one that changes later was ready.
_STARTING = timedelta(seconds=30)
#: Reasons of steps that wait for a machine's disks.
_OF_DISKS = {Reason.DISK_IMPORTING, Reason.DISK_WAITING}


@dataclass(frozen=True, slots=True)
class _Loss:
    """A hull that is lost, by what was last known of it; when the first one is made again, if not at once."""

    uid: str
    reason: Why = UNSAID
    message: str = ""
    retry_at: datetime | None = None


def back_off(case: Case) -> BackOff | None:
    """How often in a row hulls of the present revision were lost, None if none was.

    The status remembers, so that a restart of the operator forgets nothing; so does the process, since the
    status isn't written at once.
    """
    if case.workload.spec.state is State.STOPPED or case.history.exit is not None:
        return None
    known = _known(case)
    loss = _loss(case)
    if loss is None:
        known = _without_last(case, known) if known else None
        return None if known and _until_healthy(case) == timedelta() else known
    if known is not None and known.hull == loss.uid:
        return known
    now = case.now.replace(microsecond=0)
    losses = known.losses + 1 if known else 1
    return BackOff(
        revision=case.revision,
        losses=losses,
        since=known.since if known else now,
        lost_at=now,
        retry_at=now + _delay(losses) if losses > 1 else loss.retry_at or now,
        hull=loss.uid,
        reason=loss.reason,
        message=loss.message or None,
    )


def _known(case: Case) -> BackOff | None:
    """The losses of the present revision that are remembered. No time of them lies further ahead than it did
    when it was noted: the clock may have been set back since, or another operator's was ahead.
    """
    remembered, status = case.observed.remembered, case.workload.status
    known = remembered.back_off if remembered else status.back_off
    if known is None or known.revision != case.revision:
        return None
    now = case.now.replace(microsecond=0)
    longest = _delay(known.losses) if known.losses > 1 else _RESTART_DELAY
    times = {
        "since": min(known.since, now),
        "lost_at": min(known.lost_at, now),
        "retry_at": min(known.retry_at, now + longest),
    }
    return known.model_copy(update=times)


def to_remember(case: Case) -> Remembered:
    """What the process is to remember of a look: the hull that is there, to know it when it is lost."""
    hull, remembered = case.current, case.observed.remembered
    seen = remembered.seen if remembered else None
    if hull is not None:
        seen = None if case.history.has_given_up else SeenHull(hull.uid, hull.revision)
    elif case.workload.spec.state is State.STOPPED or (seen and seen.uid in {own.uid for own in case.own}):
        seen = None  # whatever becomes of it is our own doing
    return Remembered(seen, back_off(case))


def waits(case: Case) -> Step | None:
    """The hull was lost several times, and it isn't time yet to make it again."""
    losses = back_off(case)
    left = losses.retry_at - case.now if losses else timedelta()
    if losses is None or left <= timedelta():
        return None
    sentence = f"{case.hull_kind} {case.hull_name} is gone: {sentence_of(losses)}"
    return waiting(Reason.RESTARTING, sentence, requeue_after=left)


def sentence_of(losses: BackOff) -> str:
    """What is said of hulls that were lost, in words that change with each of them only."""
    cause = f" ({_cause(losses)})" if _cause(losses) else ""
    times = "once" if losses.losses == 1 else f"{losses.losses} times in a row"
    retry_at = f"{losses.retry_at:%Y-%m-%dT%H:%M:%SZ}"
    return f"it was lost {times}{cause}, and the operator makes it again at {retry_at}"


def overdue(case: Case, step: Step) -> Step:
    """A step that waits, or Stalled once hulls were lost for as long as one may take to be ready. It is gone
    on with all the same. A disk may take as long as it takes to be filled, and no hull is due before.
    """
    losses = back_off(case)
    if losses is None or not step.reconciling or step.ready == "True" or step.reason in _OF_DISKS:
        return step
    seconds = case.workload.spec.replacement.progress_deadline_seconds
    left = _unready_from(case, losses) + timedelta(seconds=seconds) - case.now
    if left > timedelta():
        return replace(step, requeue_after=min(left, step.requeue_after or left))
    cause = f", the last one by {_cause(losses)}" if _cause(losses) else ""
    hulls = "1 hull was" if losses.losses == 1 else f"{losses.losses} hulls in a row were"
    message = f"not ready after {seconds} s: {hulls} lost{cause}; {step.message}"
    reason = Reason.PROGRESS_DEADLINE_EXCEEDED
    return replace(step, ready="False", reason=reason, message=message, reconciling=False, stalled=True)


def _unready_from(case: Case, losses: BackOff) -> datetime:
    """From when on a hull was due and none has been ready: since the first was lost, since one was ready
    after that, or since the machine's disks were filled.
    """
    hull, since = case.current, max(losses.since, disks.filled_at(case))
    if hull is None or hull.deleting or hull.ended or hull.ready_changed_at < hull.created_at + _STARTING:
        return since
    return max(since, hull.ready_changed_at)


def until_forgotten(case: Case) -> timedelta | None:
    """How much longer losses are remembered, None if there were none, or no hull is ready."""
    return _until_healthy(case) if back_off(case) else None


def _until_healthy(case: Case) -> timedelta | None:
    hull = case.current
    if hull is None or not hull.ready or hull.deleting:
        return None
    return max(timedelta(), hull.ready_changed_at + _HEALTHY - case.now)


def _without_last(case: Case, known: BackOff) -> BackOff | None:
    """Without the last loss, if that hull is there after all: it had lost the label that it is seen by."""
    if case.current is None or case.current.uid != known.hull:
        return known
    return known.model_copy(update={"losses": known.losses - 1, "hull": ""}) if known.losses > 1 else None


def _loss(case: Case) -> _Loss | None:
    """The hull that is lost, if one is. What ends by this Workload's own doing isn't, such as a replacement
    that was given up.
    """
    if case.history.has_given_up:
        return None
    hull, remembered = case.current, case.observed.remembered
    if hull is not None:
        return _of_hull(case, hull) if hull.deleting or hull.ended else None
    if remembered is None:  # the process has just begun; the status has the hull's name
        return _Loss("") if case.history.had_hull else None
    seen, gone = remembered.seen, remembered.gone
    if seen is None or seen.revision != case.revision or seen.uid in {own.uid for own in case.own}:
        return None
    return _Loss(seen.uid, gone.reason, gone.message) if gone and gone.uid == seen.uid else _Loss(seen.uid)


def _of_hull(case: Case, hull: Hull) -> _Loss:
    reason, message = hull.disruption or ((hull.reason, hull.message) if hull.ended else (UNSAID, ""))
    retry_at = None if hull.deleting else min(hull.created_at, case.now) + _RESTART_DELAY
    return _Loss(hull.uid, reason, message, retry_at)


def _delay(losses: int) -> timedelta:
    return min(_LONGEST_DELAY, timedelta(seconds=_FIRST_DELAY_S * 2 ** min(losses - 2, 20)))


def _cause(losses: BackOff) -> str:
    return ": ".join(part for part in (losses.reason, losses.message) if part)
