"""The decision: the answer of the first rule that fits, corrected if the API server refused its actions."""

from __future__ import annotations

from dataclasses import replace

from twinhull.core import backoff, rules
from twinhull.core.actions import Action, Change, Delete
from twinhull.core.case import Case
from twinhull.core.eviction import evictions, until_eviction, without
from twinhull.core.graceful_end import overdue_deletions, until_overdue_deletion
from twinhull.core.observed import Refusal
from twinhull.core.rules.readiness import ready
from twinhull.core.rules.start_first import until_overdue
from twinhull.core.steps import Step, ready_despite_refusal, refused, soonest


def decide(case: Case) -> Step:
    """The step of the first rule that answers; the last rule always does. If the API server refused one of
    its actions, the step tells that refusal.

    Two kinds of deletions are added to the rule's actions: of machines whose Pod was asked to end, even if
    the spec wants them again, and of hulls that ran below a policy's minimum for too long.
    """
    step = next(step for rule in rules.RULES if (step := rule(case)))
    evicted = evictions(case.compliance)
    others = without((*overdue_deletions(case.own, case.now), *step.actions), evicted)
    step = replace(step, actions=(*evicted, *others))
    for action in step.actions:
        if refusal := case.refusal(action.key):
            step = _with_refusal(case, step, action, refusal)
            break
    step = backoff.overdue(case, step)
    later = soonest(
        step.requeue_after,
        until_overdue(case),
        until_overdue_deletion(case.own, case.now),
        until_eviction(case.compliance),
        backoff.until_forgotten(case),
    )
    return replace(step, requeue_after=later)


def _with_refusal(case: Case, step: Step, action: Action, refusal: Refusal) -> Step:
    """The step after the API server refused one of its actions.

    Ready keeps its value if the refused action concerns another hull than the current, ready one, or if the
    Workload has run to completion. Reconciling and Stalled then tell the refusal.
    """
    if case.history.exit is not None:
        return step if step.stalled else ready_despite_refusal(case, step, refusal)
    served_by = (case.current.kind, case.current.name) if case.current and step.ready == "True" else None
    if served_by and isinstance(action, Change | Delete) and (action.kind, action.name) != served_by:
        serves = ready(case)
        return ready_despite_refusal(
            case, replace(step, reason=serves.reason, message=serves.message), refusal
        )
    return replace(refused(case, refusal), actions=step.actions)
