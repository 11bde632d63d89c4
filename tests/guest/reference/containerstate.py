"""The state of a container."""

from __future__ import annotations

from typing import NamedTuple


class ContainerState(NamedTuple):
    """A container's state, the reason of that, and how often the container was restarted."""

    state: str
    reason: str | None = None
    restarts: int = 0

    def like(self, other: ContainerState) -> bool:
        """Whether the two are the same, but for the number of restarts; none and some aren't the same."""
        return self[:2] == other[:2] and bool(self.restarts) == bool(other.restarts)
