"""The terms of the Lease, which the settings have."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Terms:
    """A Lease and its times."""

    #: The namespace of the Lease.
    namespace: str
    #: Its name.
    name: str
    #: Who holds it here.
    identity: str
    #: How long others wait for a holder that is silent, in seconds.
    duration: float = 15.0

    @property
    def deadline(self) -> float:
        """After how many seconds of silence the holder takes itself for none: two thirds of it. What
        is left is for requests that are under way.
        """
        return self.duration * 2 / 3

    @property
    def renew_every(self) -> float:
        """How often the holder renews, in seconds: so often that several may fail in a row."""
        return self.duration * 2 / 15
