"""The rules for what goes with a hull: the API server refuses it, or somebody undoes it."""

from __future__ import annotations

from twinhull.api.reasons import Reason
from twinhull.core.actions import Action, Change
from twinhull.core.case import Case
from twinhull.core.companions import companions
from twinhull.core.nodeports import unknown_node_ports
from twinhull.core.observed import Refusal
from twinhull.core.steps import Step, refused, stalled


def companion_refused(case: Case) -> Step | None:
    """The hull is there, but the API server said no to what goes with it, or somebody undoes it.

    Reasons: ServiceRefused; those of the refusal, such as ConfigMapRefused.
    """
    asked_for = companions(case) if case.observed.refusals else ()
    refusals = ((action, case.refusal(action.key)) for action in asked_for)
    refusal = next((found for action, found in refusals if found and _is_needed(action, found)), None)
    if refusal is not None:
        return refused(case, refusal)
    unknown = unknown_node_ports(case)
    return stalled(Reason.SERVICE_REFUSED, unknown) if unknown else None


def overruled(case: Case) -> Step | None:
    """The hull serves, but somebody undoes what goes with it, each time that it is put right.

    Reasons: Overruled.
    """
    refusal = next((found for found in case.observed.refusals.values() if _is_overruled(case, found)), None)
    if refusal is None:
        return None
    sentence = f"{case.hull_kind} {case.hull_name} is ready, but {refusal.message}"
    return Step("True", Reason.OVERRULED, sentence, requeue_after=refusal.old_at - case.now)


def _is_needed(action: Action, refusal: Refusal) -> bool:
    is_overruled = refusal.reason == Reason.OVERRULED
    return not (is_overruled and isinstance(action, Change) and not action.needed)


def _is_overruled(case: Case, refusal: Refusal) -> bool:
    return refusal.reason == Reason.OVERRULED and not refusal.is_old(case.now)
