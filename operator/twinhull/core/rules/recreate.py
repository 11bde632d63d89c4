"""The rule for strategy Recreate: the old hull is gone before the new hull is created."""

from __future__ import annotations

from twinhull.api.reasons import Reason
from twinhull.core.case import Case
from twinhull.core.rehearsal import rehearsals
from twinhull.core.steps import Step, end_hulls, waiting, waiting_for_end


def end_old_hull(case: Case) -> Step | None:
    """A hull of another revision still exists: it is ended first, after a rehearsal of the new hull's
    creation.

    Reasons: Replacing, TerminationDeadlineExceeded.
    """
    if (
        case.starts_first
        or not case.former
        or (case.history.exit and all(hull.ended for hull in case.former))
    ):
        return None
    standing = case.current is None and any(not former.leaving for former in case.former)
    if standing and (trying := rehearsals(case)):
        return waiting(
            Reason.REPLACING, f"checking whether {case.hull_kind} {case.hull_name} can be made", trying
        )
    event = f"replaced by {case.hull_kind} {case.hull_name}"
    return waiting_for_end(
        case, case.former, Reason.REPLACING, end_hulls(case, case.former, Reason.REPLACING, event)
    )
