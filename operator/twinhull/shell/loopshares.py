"""The shares of the event loop that namespaces have had lately: who had much gives way to who had little."""

from __future__ import annotations

import time
from collections.abc import Callable

#: Which share of the loop any namespace may have for good and still count as one that had little.
_SHARE = 0.02
#: How many seconds of the loop it may have at a time, and still count as that.
_BURST = 0.1
#: How many seconds beyond that are remembered at most.
_REMEMBERED = 1.0
#: How many namespaces are remembered before those that have had nothing lately are forgotten.
_MANY = 1000


class LoopShares:
    """For each namespace, when what it has had of the loop will be made up for by its share."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._even_at: dict[str, float] = {}
        self._many = _MANY

    def had(self, namespace: str, seconds: float) -> None:
        """A namespace has had the loop for so long."""
        now = self._clock()
        if len(self._even_at) > self._many:
            self._even_at = {name: at for name, at in self._even_at.items() if at > now}
            self._many = max(_MANY, 2 * len(self._even_at))
        even_at = max(now, self._even_at.get(namespace, now)) + seconds / _SHARE
        self._even_at[namespace] = min(even_at, now + (_BURST + _REMEMBERED) / _SHARE)

    def is_heavy(self, namespace: str) -> bool:
        """Whether a namespace has had more than its share."""
        return self._even_at.get(namespace, 0.0) > self._clock() + _BURST / _SHARE
