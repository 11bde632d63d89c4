"""A state that a container comes to: what it does, why, and how often it was restarted."""

from __future__ import annotations

from typing import NamedTuple


class ContainerState(NamedTuple):
    """A container's state as its Pod's status says it, the reason of that, and how often it was restarted."""

    state: str
    reason: str | None = None
    restarts: int = 0

    def like(self, other: ContainerState) -> bool:
        """Whether only the number of restarts may differ, and not between none and some."""
        return self[:2] == other[:2] and bool(self.restarts) == bool(other.restarts)
