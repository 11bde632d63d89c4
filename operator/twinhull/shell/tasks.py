"""The tasks that run for as long as the process does."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine


class Cancelled(Exception):
    """Something other than the end of the process has cancelled a task."""


class Tasks:
    """Tasks that should never end by themselves. When the first of them fails, or is cancelled before the
    process ends, `ended` is set: the process ends, and the kubelet starts a new one.
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
        if self._ended.is_set():
            return
        name = getattr(task.get_coro(), "__qualname__", task.get_name())
        failure = Cancelled(f"{name} was cancelled") if task.cancelled() else task.exception()
        if failure is not None:
            self.failure = failure
            self._ended.set()
