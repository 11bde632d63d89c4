"""The rules for what goes with a hull: the API server refuses it, or somebody undoes it."""

from __future__ import annotations

from twinhull.api.reasons import Reason
from twinhull.core.actions import Action, Change, RestoreLabels
from twinhull.core.case import Case
from twinhull.core.companions import refused_companions
from twinhull.core.nodeports import unknown_node_ports
from twinhull.core.observed import Refusal
from twinhull.core.steps import Step, refused, stalled

_STORAGE = {"PersistentVolumeClaim", "DataVolume"}


def companion_refused(case: Case) -> Step | None:
    """The hull is there, but the API server said no to what goes with it, or somebody undoes it.

    Reasons: ServiceRefused; those of the refusal, such as ConfigMapRefused.
    """
    refusal = next(
        (answer for action, answer in refused_companions(case) if _blocks_ready(action, answer)), None
    )
    if refusal is not None:
        return refused(case, refusal)
    unknown = unknown_node_ports(case)
    return stalled(Reason.SERVICE_REFUSED, unknown) if unknown else None


def overruled(case: Case) -> Step | None:
    """The hull serves, but somebody undoes what goes with it, each time that it is put right.

    Reasons: Overruled.
    """
    refusals = case.observed.refusals.values()
    refusal = next((one for one in refusals if _is_overruled(case, one)), None)
    if refusal is None:
        return None
    sentence = f"{case.hull_kind} {case.hull_name} is ready, but {refusal.message}"
    return Step("True", Reason.OVERRULED, sentence, requeue_after=refusal.old_at - case.now)


def _blocks_ready(action: Action, refusal: Refusal) -> bool:
    """Whether it isn't ready without that. It is without a change that is undone, or one of its storage."""
    if isinstance(action, RestoreLabels):
        return False
    if not isinstance(action, Change) or action.blocks_ready:
        return True
    return refusal.reason != Reason.OVERRULED and action.kind not in _STORAGE


def _is_overruled(case: Case, refusal: Refusal) -> bool:
    return refusal.reason == Reason.OVERRULED and not refusal.is_old(case.now)
