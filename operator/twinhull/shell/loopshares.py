"""The shares of the event loop that namespaces have used lately. Those that used much come after those that
used little.
"""

from __future__ import annotations

import time
from collections.abc import Callable

#: The share of the loop that a namespace may use all the time and still count as one that used little.
_SHARE = 0.02
#: How many seconds of the loop it may use at once and still count as one that used little.
_BURST = 0.1
#: How many seconds beyond that are remembered at most.
_REMEMBERED = 1.0
#: How many namespaces are remembered before those that have used nothing lately are forgotten.
_MANY = 1000


class LoopShares:
    """For each namespace, the time at which its share makes up for what it has used of the loop."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._even_at: dict[str, float] = {}
        self._many = _MANY

    def charge(self, namespace: str, seconds: float) -> None:
        """Charge a namespace for the seconds in which it has used the loop."""
        now = self._clock()
        if len(self._even_at) > self._many:
            self._even_at = {name: at for name, at in self._even_at.items() if at > now}
            self._many = max(_MANY, 2 * len(self._even_at))
        even_at = max(now, self._even_at.get(namespace, now)) + seconds / _SHARE
        self._even_at[namespace] = min(even_at, now + (_BURST + _REMEMBERED) / _SHARE)

    def is_heavy(self, namespace: str) -> bool:
        """Whether a namespace has used more than its share."""
        return self._even_at.get(namespace, 0.0) > self._clock() + _BURST / _SHARE
