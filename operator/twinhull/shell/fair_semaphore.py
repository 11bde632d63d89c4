"""A semaphore that is fair to namespaces: it limits how many go on at a time, and shares the turns among
namespaces.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter, deque
from collections.abc import AsyncIterator


class FairSemaphore:
    """A semaphore with `at_once` turns. A free turn goes to the waiting namespace that has the fewest turns,
    and within the namespace to the one that has waited longest.
    """

    def __init__(self, at_once: int) -> None:
        self._left = at_once
        self._had: Counter[str] = Counter()
        self._waiting: dict[str, deque[asyncio.Future[None]]] = {}

    @contextlib.asynccontextmanager
    async def of(self, namespace: str) -> AsyncIterator[None]:
        """Wait for a turn of a namespace, and hold it."""
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
            if turn.done() and not turn.cancelled():  # the turn came at that very moment
                self._give_back(namespace)
            raise

    def _hand_out(self) -> None:
        while self._left and self._waiting:
            namespace = min(self._waiting, key=lambda name: self._had[name])
            turns = self._waiting[namespace]
            turn = turns.popleft()
            if not turns:
                del self._waiting[namespace]
            if turn.done():  # the waiting task was cancelled
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
