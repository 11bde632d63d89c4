"""What people are told when a status changes: each thing once, since only a change says it."""

from __future__ import annotations

from collections.abc import Iterator

from twinhull.api.brevity import listed
from twinhull.api.reasons import Reason
from twinhull.api.workload import Condition, WorkloadStatus
from twinhull.core.actions import Note


def notes(before: WorkloadStatus, after: WorkloadStatus) -> Iterator[Note]:
    """The Events of a change of status: that a policy raises it, a stall or its other reason, what was
    dropped, becoming ready, ceasing to be.
    """
    was, now = _by_type(before), _by_type(after)
    if (
        after.isolation
        and after.isolation.reason == Reason.RAISED_BY_POLICY
        and after.isolation != before.isolation
    ):
        yield Note("Normal", after.isolation.reason, after.isolation.message)
    if _true(now, "Stalled"):
        if not _true(was, "Stalled") or was["Stalled"].reason != now["Stalled"].reason:
            yield Note("Warning", now["Stalled"].reason, now["Stalled"].message)
        return
    if after.unsupported_fields and after.unsupported_fields != before.unsupported_fields:
        paths = listed([f"spec.template.{field.path}" for field in after.unsupported_fields], ", ")
        yield Note("Warning", Reason.FIELDS_DROPPED, f"the API server left out {paths}")
    if _true(now, "Ready"):
        if not _true(was, "Ready") or was["Ready"].reason != now["Ready"].reason:
            undone = now["Ready"].reason == Reason.OVERRULED
            yield Note("Warning" if undone else "Normal", now["Ready"].reason, now["Ready"].message)
        return
    unasked = before.observed_generation == after.observed_generation
    if unasked and _true(was, "Ready"):
        yield Note("Warning", now["Ready"].reason, now["Ready"].message)


def _by_type(status: WorkloadStatus) -> dict[str, Condition]:
    return {condition.type: condition for condition in status.conditions or ()}


def _true(conditions: dict[str, Condition], kind: str) -> bool:
    return kind in conditions and conditions[kind].status == "True"
