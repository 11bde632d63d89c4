"""A moment in the life of a container."""

from __future__ import annotations

from typing import NamedTuple


class Moment(NamedTuple):
    """Where a container is to be looked at: its state, the reason of that, and how often it was restarted."""

    state: str
    reason: str | None = None
    restarts: int = 0

    def like(self, other: Moment) -> bool:
        """Whether only the number of restarts may differ, and not between none and some."""
        return self[:2] == other[:2] and bool(self.restarts) == bool(other.restarts)
