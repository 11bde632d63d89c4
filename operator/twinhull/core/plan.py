"""The plan for one Workload: from what was observed to what to do and what to say. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from twinhull.api.workloadstatus import WorkloadStatus
from twinhull.core import disks
from twinhull.core.actions import Action, Event
from twinhull.core.case import Case
from twinhull.core.companions import upkeep
from twinhull.core.decision import decide
from twinhull.core.eviction import evictions, until_eviction
from twinhull.core.prerequisites import APPLIED_WITH
from twinhull.core.status import status
from twinhull.core.status_events import events
from twinhull.core.steps import Step, soonest

#: How long objects that were applied together with a Workload may take to be seen, since each kind has a
#: watch of its own. Creation times are in whole seconds, so the wait is up to a second shorter.
_MOMENT = timedelta(seconds=2)


@dataclass(frozen=True, slots=True)
class Plan:
    """Actions, and the status and Events to write once no actions are left."""

    #: The actions to carry out. While there are any, no status is written.
    actions: tuple[Action, ...] = ()
    #: The status to write once no actions are left, None if it hasn't changed.
    status: WorkloadStatus | None = None
    #: The Events to post with the status.
    events: tuple[Event, ...] = ()
    #: After how long to reconcile again if nothing happens, None if that isn't needed.
    requeue_after: timedelta | None = None


def plan(case: Case) -> Plan:
    """The plan for a Workload now. If the Workload is being deleted, the garbage collector does the rest,
    except for two things: the operator still evicts hulls below a policy's minimum, since somebody else's
    finalizer may keep the Workload for ever; and it releases disks that are to stay.
    """
    if case.workload.metadata.deletion_timestamp is not None:
        return _of_deleted(case)
    step = decide(case)
    wanted = (*upkeep(case), *step.actions)
    actions, wait = _permitted(case, wanted)
    requeue_after = soonest(step.requeue_after, wait)
    old, new = case.workload.status, status(case, step)
    if new == old and case.observed.status_is_whole:
        return Plan(actions, requeue_after=requeue_after)
    until_report = _first_report(case, step)
    if until_report is not None:
        return Plan(actions, requeue_after=soonest(requeue_after, until_report))
    return Plan(actions, new, tuple(events(old, new, are_dropped=not step.unsupported)), requeue_after)


def _of_deleted(case: Case) -> Plan:
    wanted = (*disks.releases(case), *evictions(case.compliance))
    actions, wait = _permitted(case, wanted)
    later = soonest(until_eviction(case.compliance), wait)
    if not case.compliance.shortfalls:
        return Plan(actions, requeue_after=later)
    old = case.workload.status
    new = old.model_copy(update={"isolation": case.compliance.isolation_status})
    is_news = old.conditions and new != old
    return Plan(actions, new if is_news else None, requeue_after=later)


def _permitted(case: Case, wanted: Iterable[Action]) -> tuple[tuple[Action, ...], timedelta | None]:
    """The actions that the API server hasn't refused lately, and how long until the first of the others may
    be tried again; None if there are no others.
    """
    permitted: list[Action] = []
    wait: timedelta | None = None
    for action in wanted:
        if refusal := case.refusal(action.key):
            wait = soonest(wait, refusal.retry_at - case.now)
        else:
            permitted.append(action)
    return tuple(permitted), wait


def _first_report(case: Case, step: Step) -> timedelta | None:
    """How much longer the first status of a new Workload may wait, None if it is to be written now.

    Until then the CRD's default observedGeneration of -1 tells kstatus "in progress". If an object that the
    Workload refers to is missing, the first status waits for a moment, too: the object may have been applied
    together with the Workload, and GitOps tools give up a Workload that is Stalled.
    """
    applied_with = bool(step.lacks) and all(lack.reason in APPLIED_WITH for lack in step.lacks)
    if case.workload.status.conditions or not (step.reconciling or applied_with):
        return None
    wait = timedelta(seconds=case.defaults.first_report)
    if not step.reconciling:
        wait = min(wait, _MOMENT)
    created = case.workload.metadata.creation_timestamp
    left = max(created, case.current.created_at if case.current else created) + wait - case.now
    # More than the whole wait is left when the API server's clock is ahead of ours.
    return left if timedelta() < left <= wait else None
