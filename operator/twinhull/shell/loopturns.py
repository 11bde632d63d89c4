"""Turns at the event loop: each long computation takes one, so that everything else goes on between two of
them.
"""

from __future__ import annotations

import asyncio

from twinhull.shell.roundrobin import RoundRobin


class LoopTurns:
    """One turn in each round of the event loop. Namespaces that wait for a turn alternate.

    Without turns, passes that need no answer from the API server would follow each other with nothing in
    between: until all waiting passes are done, no event would be taken in, and no request would go on.
    """

    def __init__(self) -> None:
        self._waiting = RoundRobin[asyncio.Future[None]]()
        self._turn_taken = False

    async def take(self, namespace: str) -> None:
        """Wait for a turn. It lasts until the caller next waits for anything."""
        loop = asyncio.get_running_loop()
        if not self._turn_taken:
            self._turn_taken = True
            loop.call_soon(self._give, loop)
            return
        turn = loop.create_future()
        self._waiting.add(namespace, turn)
        await turn

    def _give(self, loop: asyncio.AbstractEventLoop) -> None:
        """End the round: the turn of the next round goes to the next waiting caller."""
        while (turn := self._waiting.take()) is not None:
            if not turn.done():  # a cancelled caller needs none
                turn.set_result(None)
                loop.call_soon(self._give, loop)  # after the caller that has the turn now
                return
        self._turn_taken = False
