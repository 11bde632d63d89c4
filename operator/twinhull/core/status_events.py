"""The Events of a change of status: each is told once, since only the change tells it."""

from __future__ import annotations

from collections.abc import Iterator

from twinhull.api.base import Raw
from twinhull.api.brevity import listed
from twinhull.api.reasons import Reason
from twinhull.api.workloadstatus import Condition, WorkloadStatus
from twinhull.core.actions import Event
from twinhull.core.conditions import readable
from twinhull.hulls.importprogress import whole_percent


def events(old: WorkloadStatus, new: WorkloadStatus, *, are_dropped: bool) -> Iterator[Event]:
    """The Events of a change of status: a disk's filling, an isolation raised by a policy, a stall, fields
    that the Pod lacks, and Ready when it becomes True or False.

    `are_dropped` says that `unsupportedFields` lists fields that a running Pod lacks. Otherwise it lists
    fields for which no hull is made, and no Event FieldsDropped is posted.
    """
    was, now = _by_type(old), _by_type(new)
    yield from _fillings(old, new)
    if new.isolation and new.isolation.reason == Reason.RAISED_BY_POLICY and new.isolation != old.isolation:
        yield Event("Normal", new.isolation.reason, new.isolation.message)
    if _true(now, "Stalled"):
        if not _true(was, "Stalled") or was["Stalled"].reason != now["Stalled"].reason:
            yield Event("Warning", now["Stalled"].reason, now["Stalled"].message)
        return
    if are_dropped and new.unsupported_fields and new.unsupported_fields != old.unsupported_fields:
        paths = listed([f"spec.template.{field.path}" for field in new.unsupported_fields], ", ")
        yield Event("Warning", Reason.FIELDS_DROPPED, f"the API server or a webhook left out {paths}")
    if _true(now, "Ready"):
        if not _true(was, "Ready") or was["Ready"].reason != now["Ready"].reason:
            undone = now["Ready"].reason == Reason.OVERRULED
            yield Event("Warning" if undone else "Normal", now["Ready"].reason, now["Ready"].message)
        return
    unasked = old.observed_generation == new.observed_generation
    if unasked and _true(was, "Ready"):
        yield Event("Warning", now["Ready"].reason, now["Ready"].message)


def stall(old: Raw, reason: Reason, message: str) -> Iterator[Event]:
    """The Event that a Workload is Stalled, unless its raw `old` status has that message already."""
    former = readable(old)
    if not any((condition.type, condition.message) == ("Stalled", message) for condition in former):
        yield Event("Warning", reason, message)


def _fillings(old: WorkloadStatus, new: WorkloadStatus) -> Iterator[Event]:
    """Each tenth of a disk's filling."""
    percents = {disk.name: whole_percent(disk.progress or "") for disk in old.disks or ()}
    for disk in new.disks or ():
        present, last = whole_percent(disk.progress or ""), percents.get(disk.name)
        if present is not None and present // 10 > (last or 0) // 10:
            yield Event("Normal", Reason.DISK_IMPORTING, f"disk {disk.name} is filled to {present}%")


def _by_type(status: WorkloadStatus) -> dict[str, Condition]:
    return {condition.type: condition for condition in status.conditions or ()}


def _true(conditions: dict[str, Condition], kind: str) -> bool:
    return kind in conditions and conditions[kind].status == "True"
