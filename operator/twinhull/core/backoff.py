"""The back-off: a hull that is lost again and again is made ever later, as a kubelet restarts containers.

A hull is lost if somebody else deletes it, or if it fails as a whole, such as by an eviction or a refusal of
its node. After the first loss a deleted hull is made again at once, and a failed one 10 s after its creation.
After each further loss the operator waits 10 s, 20 s and so on, up to 5 minutes. It counts from one again
once a hull has been ready for 10 minutes (k8s.io/kubernetes/pkg/kubelet, MaxContainerBackOff and its initial
10 s).
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

#: After the first loss: how long after its creation a hull that failed is made again.
_RESTART_DELAY = timedelta(seconds=10)
#: After the second loss: how long after the loss the hull is made again. Each further wait is twice as long.
_FIRST_DELAY_S = 10
_LONGEST_DELAY = timedelta(minutes=5)
#: Once a hull has been ready for so long, the next loss counts as the first.
_HEALTHY = timedelta(minutes=10)
#: A new Pod gets its conditions within this time. If Ready changed later than that, the Pod has been ready.
_STARTING = timedelta(seconds=30)
#: Reasons of steps that wait for a machine's disks.
_OF_DISKS = {Reason.DISK_IMPORTING, Reason.DISK_WAITING}


@dataclass(frozen=True, slots=True)
class _Loss:
    """A lost hull, with the last known reason. `retry_at` holds for the first loss only: None is at once."""

    uid: str
    reason: Why = UNSAID
    message: str = ""
    retry_at: datetime | None = None


def back_off(case: Case) -> BackOff | None:
    """How often in a row hulls of the wanted revision were lost, None if none was.

    The status keeps the count over a restart of the operator. The process remembers it as well, since the
    status is written later.
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
    """The remembered losses of the wanted revision. Times that lie too far ahead are moved back: the clock
    may have been set back since, or another operator's clock was ahead.
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
    """What the process remembers until the next pass: the current hull, so that its loss is noticed, and the
    back-off.
    """
    hull, remembered = case.current, case.observed.remembered
    seen = remembered.seen if remembered else None
    if hull is not None:
        seen = None if case.history.has_given_up else SeenHull(hull.uid, hull.revision)
    elif case.workload.spec.state is State.STOPPED or (seen and seen.uid in {own.uid for own in case.own}):
        seen = None  # the operator itself ends this hull
    return Remembered(seen, back_off(case))


def waits(case: Case) -> Step | None:
    """Waits, if hulls were lost and the next one isn't due yet; else None."""
    losses = back_off(case)
    left = losses.retry_at - case.now if losses else timedelta()
    if losses is None or left <= timedelta():
        return None
    sentence = f"{case.hull_kind} {case.hull_name} is gone: {sentence_of(losses)}"
    return waiting(Reason.RESTARTING, sentence, requeue_after=left)


def sentence_of(losses: BackOff) -> str:
    """The sentence about lost hulls. It changes only with the next loss."""
    cause = f" ({_cause(losses)})" if _cause(losses) else ""
    times = "once" if losses.losses == 1 else f"{losses.losses} times in a row"
    retry_at = f"{losses.retry_at:%Y-%m-%dT%H:%M:%SZ}"
    return f"it was lost {times}{cause}, and the operator makes it again at {retry_at}"


def overdue(case: Case, step: Step) -> Step:
    """The step, made Stalled if hulls were lost and none has been ready for progressDeadlineSeconds.

    The step's actions stay, so the operator keeps making hulls. The deadline doesn't run while the Workload
    waits for its disks.
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
    """When the deadline begins: at the first loss, when a hull was last ready after that, or when the
    machine's disks were filled; the latest of these.
    """
    hull, since = case.current, max(losses.since, disks.filled_at(case))
    if hull is None or hull.deleting or hull.ended or hull.ready_changed_at < hull.created_at + _STARTING:
        return since
    return max(since, hull.ready_changed_at)


def until_forgotten(case: Case) -> timedelta | None:
    """How much longer the losses count, None if there were none, or while no hull is ready."""
    return _until_healthy(case) if back_off(case) else None


def _until_healthy(case: Case) -> timedelta | None:
    hull = case.current
    if hull is None or not hull.ready or hull.deleting:
        return None
    return max(timedelta(), hull.ready_changed_at + _HEALTHY - case.now)


def _without_last(case: Case, known: BackOff) -> BackOff | None:
    """The losses without the last one, if that hull exists after all: it had only lost the label by which the
    operator sees it.
    """
    if case.current is None or case.current.uid != known.hull:
        return known
    return known.model_copy(update={"losses": known.losses - 1, "hull": ""}) if known.losses > 1 else None


def _loss(case: Case) -> _Loss | None:
    """The hull that was lost, None if none was. A hull that the operator ended isn't lost, such as that of a
    replacement that was given up.
    """
    if case.history.has_given_up:
        return None
    hull, remembered = case.current, case.observed.remembered
    if hull is not None:
        return _of_hull(case, hull) if hull.deleting or hull.ended else None
    if remembered is None:  # the process is new: the status names the hull
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
