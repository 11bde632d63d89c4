"""Turns at the event loop: what computes for long takes one, so that all else goes on between two of them."""

from __future__ import annotations

import asyncio

from twinhull.shell.roundrobin import RoundRobin


class LoopTurns:
    """One turn in each round of the event loop. Namespaces that wait for one take turns.

    Without it passes that need no answer from the API server follow each other with nothing in between: no
    event is taken in, and no request goes on, until all that waited are done.
    """

    def __init__(self) -> None:
        self._waiting = RoundRobin[asyncio.Future[None]]()
        self._turn_taken = False

    async def take(self, namespace: str) -> None:
        """Wait for a turn, which lasts until the next wait for anything."""
        loop = asyncio.get_running_loop()
        if not self._turn_taken:
            self._turn_taken = True
            loop.call_soon(self._give, loop)
            return
        turn = loop.create_future()
        self._waiting.add(namespace, turn)
        await turn

    def _give(self, loop: asyncio.AbstractEventLoop) -> None:
        """The round is over: the next one's turn goes to who waits."""
        while (turn := self._waiting.take()) is not None:
            if not turn.done():  # who was cancelled needs none
                turn.set_result(None)
                loop.call_soon(self._give, loop)  # after who has it now
                return
        self._turn_taken = False
