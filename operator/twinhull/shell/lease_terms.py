"""The terms of the Lease: its name, who holds it, and its times."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Terms:
    """A Lease and its times, as the settings have them."""

    #: The namespace of the Lease.
    namespace: str
    #: Its name.
    name: str
    #: The holder identity of this process.
    identity: str
    #: For how many seconds others wait for a silent holder.
    duration: float = 15.0

    @property
    def deadline(self) -> float:
        """After how many seconds without a renewal the holder stops to act: two thirds of the duration. The
        rest is for requests that are under way.
        """
        return self.duration * 2 / 3

    @property
    def renew_every(self) -> float:
        """Every how many seconds the holder renews the Lease: often enough that several attempts may fail in
        a row.
        """
        return self.duration * 2 / 15
