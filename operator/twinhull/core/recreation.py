"""The creation of a companion, which tells if somebody had deleted it."""

from __future__ import annotations

from twinhull.api.base import Raw
from twinhull.api.reasons import Reason
from twinhull.core.actions import Create, Event
from twinhull.core.case import Case


def creation(case: Case, obj: Raw) -> Create:
    """The creation of a companion. If the Workload was settled, an Event tells that somebody had deleted the
    object, or had removed its labels.
    """
    if not case.history.was_settled:
        return Create(obj, is_upkeep=True)
    named = f"{obj['kind']} {obj['metadata']['name']}"
    if_made = Event("Warning", Reason.DRIFT_CORRECTED, f"created {named} again, which somebody had deleted")
    if_there = Event("Warning", Reason.DRIFT_CORRECTED, f"restored the labels of {named}")
    return Create(obj, if_made, if_there, is_upkeep=True)
