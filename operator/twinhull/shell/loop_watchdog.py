"""A watchdog of the work's event loop: whether the loop gets round, or something holds it."""

from __future__ import annotations

import asyncio

#: How often the loop says that it gets round, and how often somebody looks, in seconds.
_EVERY = 1.0
#: After how many looks in a row without news the loop is stuck. No pass takes nearly that long: what makes it
#: long is bounded where it is decided.
_STUCK_AFTER = 60


class LoopWatchdog:
    """Counts looks, not seconds: while the whole process is stopped nobody looks, and it isn't stuck."""

    def __init__(self) -> None:
        self._beats = 0  # written in the work's loop only
        self._seen = 0  # this and the next in the loop that looks only
        self._missed = 0

    @property
    def is_stuck(self) -> bool:
        """Whether the loop hasn't got round for about a minute. To be asked in any thread."""
        return self._missed >= _STUCK_AFTER

    async def beat(self) -> None:
        """Say that the loop gets round, until cancelled. Runs in the work's loop."""
        while True:
            self._beats += 1
            await asyncio.sleep(_EVERY)

    async def watch(self) -> None:
        """Look whether it does, until cancelled. Runs in another loop."""
        while True:
            self.look()
            await asyncio.sleep(_EVERY)

    def look(self) -> None:
        """Look once."""
        beats = self._beats
        self._missed = 0 if beats != self._seen else self._missed + 1
        self._seen = beats
