"""The decision: the first rule that fits, and what the API server has against what it asks for."""

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
    """The first rule's answer, or the API server's to what it asks for. The last rule always has one.

    A machine whose Pod was asked to end is deleted even if the spec wants it again: nothing runs in it any
    more. What has run below a policy's minimum for too long is deleted whatever the rules say.
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
    """What is so when the API server said no to an action. That another hull than the one that serves can't
    be ended, or one that ran to its end, changes nothing of what serves, or of how it ended.
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
