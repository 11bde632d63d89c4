"""The tasks that run for as long as the process does."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine


class Tasks:
    """Tasks that should never end by themselves. When the first of them fails, `ended` is set: the process
    ends, and the kubelet starts a new one.
    """

    def __init__(self, ended: asyncio.Event) -> None:
        self._ended = ended
        self._tasks: list[asyncio.Task[None]] = []
        #: The exception of the first task that failed.
        self.failure: BaseException | None = None

    def spawn(self, work: Coroutine[None, None, None]) -> None:
        """Begin a task."""
        task = asyncio.create_task(work)
        task.add_done_callback(self._look_after)
        self._tasks.append(task)

    async def cancel(self) -> None:
        """Cancel all tasks, and wait for their end."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _look_after(self, task: asyncio.Task[None]) -> None:
        failure = None if task.cancelled() else task.exception()
        if failure is not None and not self._ended.is_set():
            self.failure = failure
            self._ended.set()
