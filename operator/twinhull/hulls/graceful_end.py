"""The graceful end of a machine: its guest is asked to end the Pod before the machine is deleted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from twinhull.api.base import GROUP, Raw

#: On a VirtualMachine whose Pod is to end: when that was requested, and the uid of the
#: VirtualMachineInstance that it was requested of. Whoever leads and sees it asks that guest.
ENDING_ANNOTATION = f"{GROUP}/ending"
#: How long KubeVirt lets a machine shut down that doesn't say, in seconds (kubevirt.io/api/core/v1, constant
#: DefaultGracePeriodSeconds).
_DEFAULT_GRACE = 30
#: What is counted of a grace period at most, so that any number can be calculated with.
_LONGEST_GRACE = timedelta(days=365)


@dataclass(frozen=True, slots=True)
class GracefulEnd:
    """How far the end of a machine's Pod has got."""

    #: When the end was requested of the present instance, None if it wasn't. It is read from the annotation
    #: alone, since anybody might answer in the guest's place.
    requested_at: datetime | None = None
    #: The uid of the present instance.
    instance: str = ""
    #: Whether its guest can be asked to end the Pod.
    can_request_stop: bool = False
    #: Whether the guest, once it was asked, may still need time.
    still_waiting: bool = False
    #: How long the Pod and the guest may take.
    grace: timedelta = timedelta()

    @property
    def requested(self) -> bool:
        """Whether the Pod was asked to end, or is about to be: it runs no more in this machine."""
        return self.requested_at is not None

    def left(self, now: datetime) -> timedelta:
        """How much longer the guest is waited for. With the request of an operator whose clock is ahead of
        ours, that is up to twice the grace period.
        """
        if self.requested_at is None or not self.still_waiting:
            return timedelta()
        return max(timedelta(), self.requested_at + self.grace - now)


def requested_at(vm: Raw, vmi: Raw, now: datetime) -> datetime | None:
    """When the Pod of this very instance was requested to end, None if that isn't noted.

    A note that can't be read, that is of another instance, or that lies further ahead than clocks may differ
    (the grace period) counts as none.
    """
    requested = noted_at(ending_note(vm), vmi.get("metadata", {}).get("uid"))
    return requested if requested is not None and counts(requested, grace(vmi), now) else None


def ending_note(vm: Raw) -> str:
    """What a machine notes of the end of its Pod, empty if nothing."""
    return str((vm["metadata"].get("annotations") or {}).get(ENDING_ANNOTATION) or "")


def noted_at(note: str, instance: str | None) -> datetime | None:
    """When the Pod of an instance was requested to end by such a note, None if it is of another or none."""
    time, _, noted = note.partition(" ")
    if not noted or noted != instance:
        return None
    try:
        requested = datetime.fromisoformat(time)
    except ValueError:
        return None
    return requested if requested.tzinfo else None


def counts(at: datetime, grace: timedelta, now: datetime) -> bool:
    """Whether a request of that time counts, which may lie ahead by the grace period."""
    return at - now <= grace


def grace(vmi: Raw) -> timedelta:
    """How long a machine's Pod and guest may take to end."""
    seconds = vmi.get("spec", {}).get("terminationGracePeriodSeconds", _DEFAULT_GRACE)
    return timedelta(seconds=min(max(seconds, 0), _LONGEST_GRACE.total_seconds()))


def request_patch(instance: str, now: datetime) -> Raw:
    """A patch of the VirtualMachine that requests the end of an instance's Pod."""
    time = now.isoformat(timespec="milliseconds")
    return {"metadata": {"annotations": {ENDING_ANNOTATION: f"{time} {instance}"}}}
