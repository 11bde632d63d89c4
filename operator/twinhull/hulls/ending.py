"""The end of a machine's Pod, which its guest is asked for before the machine is deleted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from twinhull.api.base import GROUP, Raw

#: On a VirtualMachine that is to end: since when. Whoever sees it asks the guest to end its Pod.
ENDING_ANNOTATION = f"{GROUP}/ending"


@dataclass(frozen=True, slots=True)
class Ending:
    """How far a machine is with it.

    `noted_at` is when it was noted on the VirtualMachine that it is to end, None if it wasn't. `begun` says
    that the guest was asked, by the guest's own word. `askable` says that the guest can be asked, and hasn't
    ended its Pod. `awaited` says the same, or that the guest wasn't heard of since the operator's start.
    `grace` is how long the Pod may take, with what the guest itself needs.
    """

    noted_at: datetime | None = None
    begun: bool = False
    askable: bool = False
    awaited: bool = False
    grace: timedelta = timedelta()

    @property
    def asked(self) -> bool:
        """Whether its Pod has been asked to end, or is about to be: it runs no more in this machine."""
        return self.noted_at is not None or self.begun

    def left(self, now: datetime) -> timedelta:
        """How much longer the guest is waited for; nothing once it needn't or mustn't be.

        More than the whole time is left when the clock of the operator that noted it was ahead of ours. That
        is accepted up to twice the time.
        """
        if self.noted_at is None or not self.awaited:
            return timedelta()
        left = self.noted_at + self.grace - now
        return left if timedelta() < left <= 2 * self.grace else timedelta()


def noted_at(vm: Raw) -> datetime | None:
    """Since when a VirtualMachine is to end, None if that isn't noted, or not readably."""
    try:
        noted = datetime.fromisoformat((vm["metadata"].get("annotations") or {})[ENDING_ANNOTATION])
    except (KeyError, TypeError, ValueError):
        return None
    return noted if noted.tzinfo else None


def note(now: datetime) -> Raw:
    """A patch of the VirtualMachine that notes it."""
    return {"metadata": {"annotations": {ENDING_ANNOTATION: now.isoformat(timespec="milliseconds")}}}
