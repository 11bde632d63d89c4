"""A semaphore that is fair to namespaces: only so many go on at a time, and none takes the others' turns."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter, deque
from collections.abc import AsyncIterator


class FairSemaphore:
    """`at_once` turns in all. One that gets free goes to the namespace that has the fewest, and within it to
    whoever has waited longest.
    """

    def __init__(self, at_once: int) -> None:
        self._left = at_once
        self._had: Counter[str] = Counter()
        self._waiting: dict[str, deque[asyncio.Future[None]]] = {}

    @contextlib.asynccontextmanager
    async def of(self, namespace: str) -> AsyncIterator[None]:
        """Wait for a namespace's turn, and have it."""
        await self._wait(namespace)
        try:
            yield
        finally:
            self._give_back(namespace)

    async def _wait(self, namespace: str) -> None:
        turn = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(namespace, deque()).append(turn)
        self._hand_out()
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():  # it was this one's turn at that very moment
                self._give_back(namespace)
            raise

    def _hand_out(self) -> None:
        while self._left and self._waiting:
            namespace = min(self._waiting, key=lambda name: self._had[name])
            turns = self._waiting[namespace]
            turn = turns.popleft()
            if not turns:
                del self._waiting[namespace]
            if turn.done():  # who waited for it was cancelled
                continue
            self._left -= 1
            self._had[namespace] += 1
            turn.set_result(None)

    def _give_back(self, namespace: str) -> None:
        self._left += 1
        self._had[namespace] -= 1
        if not self._had[namespace]:
            del self._had[namespace]
        self._hand_out()
