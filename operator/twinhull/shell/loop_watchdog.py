"""The watchdog of the main event loop: tells whether the loop still goes round, or something blocks it."""

from __future__ import annotations

import asyncio

#: How often the loop counts a beat, and how often the watchdog looks, in seconds.
_EVERY = 1.0
#: After how many looks without a new beat the loop is stuck. No pass takes nearly that long: whatever makes a
#: pass long is bounded where it is decided.
_STUCK_AFTER = 60


class LoopWatchdog:
    """Counts looks, not seconds: while the whole process is stopped there are no looks, and the loop isn't
    stuck.
    """

    def __init__(self) -> None:
        self._beats = 0  # written in the work's loop only
        self._seen = 0  # this and the next in the loop that looks only
        self._missed = 0

    @property
    def is_stuck(self) -> bool:
        """Whether the loop hasn't gone round for about a minute. It may be asked in any thread."""
        return self._missed >= _STUCK_AFTER

    async def beat(self) -> None:
        """Count a beat every second, until cancelled. It runs in the main event loop."""
        while True:
            self._beats += 1
            await asyncio.sleep(_EVERY)

    async def watch(self) -> None:
        """Look for new beats every second, until cancelled. It runs in another loop."""
        while True:
            self.look()
            await asyncio.sleep(_EVERY)

    def look(self) -> None:
        """Look once for a new beat."""
        beats = self._beats
        self._missed = 0 if beats != self._seen else self._missed + 1
        self._seen = beats
