"""The graceful end of a machine: the operator asks the guest to end the Pod before it deletes the machine."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from twinhull.api.base import GROUP, Raw
from twinhull.api.workload import DEFAULT_GRACE_SECONDS

#: On a VirtualMachine whose Pod has to end: when the end was requested, and the uid of the
#: VirtualMachineInstance whose guest is asked. The leading operator asks the guest when it sees the
#: annotation.
ENDING_ANNOTATION = f"{GROUP}/ending"
#: The longest grace period that is waited for, so that any number can be calculated with.
_LONGEST_GRACE = timedelta(days=365)


@dataclass(frozen=True, slots=True)
class GracefulEnd:
    """The progress of the graceful end of a machine's Pod."""

    #: When the end of the present instance was requested, None if it wasn't. Only the annotation tells:
    #: anybody might answer in the guest's place.
    requested_at: datetime | None = None
    #: The uid of the present instance, empty if there is none.
    instance: str = ""
    #: Whether the guest can be asked to end the Pod.
    can_request_stop: bool = False
    #: Whether the guest may still need time after it was asked.
    still_waiting: bool = False
    #: How long the Pod and the guest may take to end.
    grace: timedelta = timedelta()

    @property
    def requested(self) -> bool:
        """Whether the end was requested, so that the Pod has ended or is about to."""
        return self.requested_at is not None

    def left(self, now: datetime) -> timedelta:
        """How much longer to wait for the guest: up to twice the grace period if the clock of the operator
        that made the request was ahead of ours.
        """
        if self.requested_at is None or not self.still_waiting:
            return timedelta()
        return max(timedelta(), self.requested_at + self.grace - now)


def requested_at(vm: Raw, vmi: Raw, now: datetime) -> datetime | None:
    """When the end of this instance's Pod was requested, None if no request is noted.

    A note doesn't count if it can't be read, names another instance, or has a time further in the future than
    the grace period: clocks differ by less.
    """
    requested = noted_at(ending_note(vm), vmi.get("metadata", {}).get("uid"))
    return requested if requested is not None and counts(requested, grace(vmi), now) else None


def ending_note(vm: Raw) -> str:
    """The value of ENDING_ANNOTATION on a VirtualMachine, empty if it has none."""
    return str((vm["metadata"].get("annotations") or {}).get(ENDING_ANNOTATION) or "")


def noted_at(note: str, instance: str | None) -> datetime | None:
    """The time in an ending note, None if the note is of another instance or can't be read."""
    time, _, noted = note.partition(" ")
    if not noted or noted != instance:
        return None
    try:
        requested = datetime.fromisoformat(time)
    except ValueError:
        return None
    return requested if requested.tzinfo else None


def counts(at: datetime, grace: timedelta, now: datetime) -> bool:
    """Whether a request of that time counts: it may lie in the future by the grace period at most."""
    return at - now <= grace


def grace(vmi: Raw) -> timedelta:
    """How long a machine's Pod and guest may take to end, by the spec of the instance."""
    seconds = vmi.get("spec", {}).get("terminationGracePeriodSeconds", DEFAULT_GRACE_SECONDS)
    return timedelta(seconds=min(max(seconds, 0), _LONGEST_GRACE.total_seconds()))


def grace_of(vmi: Raw | None) -> timedelta:
    """The same of a machine's instance, zero if there is none: nothing runs then."""
    return grace(vmi) if vmi else timedelta()


def request_patch(instance: str, now: datetime) -> Raw:
    """The patch of a VirtualMachine that requests the end of an instance's Pod."""
    time = now.isoformat(timespec="milliseconds")
    return {"metadata": {"annotations": {ENDING_ANNOTATION: f"{time} {instance}"}}}
