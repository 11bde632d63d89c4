"""The rules for companions of a hull, such as the Service, and for restored labels: the API server refuses
the write, or somebody undoes it.
"""

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
    """The hull exists, but the API server refuses a companion that Ready depends on, or somebody undoes the
    write of such a companion, or spec.service.nodePorts names a port that the Service doesn't have.

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
    """The hull is ready, but somebody undoes one of the operator's writes again and again.

    Reasons: Overruled.
    """
    refusals = case.observed.refusals.values()
    refusal = next((one for one in refusals if _is_overruled(case, one)), None)
    if refusal is None:
        return None
    sentence = f"{case.hull_kind} {case.hull_name} is ready, but {refusal.message}"
    return Step("True", Reason.OVERRULED, sentence, requeue_after=refusal.old_at - case.now)


def _blocks_ready(action: Action, refusal: Refusal) -> bool:
    """Whether the Workload isn't Ready because of a refused action. It stays Ready without restored labels.
    It also stays Ready without a change that doesn't block Ready, if somebody undoes the change, or if the
    change is to storage.
    """
    if isinstance(action, RestoreLabels):
        return False
    if not isinstance(action, Change) or action.blocks_ready:
        return True
    return refusal.reason != Reason.OVERRULED and action.kind not in _STORAGE


def _is_overruled(case: Case, refusal: Refusal) -> bool:
    """Whether a refusal says that somebody has undone a write of the operator lately."""
    return refusal.reason == Reason.OVERRULED and not refusal.is_old(case.now)
