"""Conditions, as every Kubernetes API has them: made from what is so now and from what was said before."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Literal, TypeAlias

from pydantic import ValidationError

from twinhull.api.base import Raw
from twinhull.api.reasons import Reason, Why
from twinhull.api.workloadstatus import Condition

Truth: TypeAlias = Literal["True", "False", "Unknown"]
#: A condition's type and status, why in one word and in a sentence.
CurrentCondition: TypeAlias = tuple[str, Truth, Why, str]

SETTLED: CurrentCondition = ("Reconciling", "False", Reason.SETTLED, "no change is in progress")
NOT_STALLED: CurrentCondition = ("Stalled", "False", Reason.NOT_STALLED, "nobody has to do anything")


def conditions(
    current: Iterable[CurrentCondition], previous: Iterable[Condition], generation: int, now: datetime
) -> tuple[Condition, ...]:
    """The conditions of a generation. lastTransitionTime moves only with the status, not with the reason."""
    former = {condition.type: condition for condition in previous}
    return tuple(
        Condition(
            type=kind,
            status=truth,
            reason=reason,
            message=message,
            last_transition_time=_since(former.get(kind), truth, now),
            observed_generation=generation,
        )
        for kind, truth, reason, message in current
    )


def readable(status: Raw) -> Iterator[Condition]:
    """The conditions of a status as it is in the object. One that can't be read, as another version may have
    written it, is left out, and so is said anew.
    """
    for condition in status.get("conditions") or ():
        try:
            yield Condition.model_validate(condition)
        except ValidationError:
            continue


def _since(former: Condition | None, truth: Truth, now: datetime) -> datetime:
    same = former is not None and former.status == truth
    return former.last_transition_time if former and same else now.replace(microsecond=0)
