"""The tasks that run for as long as the process does."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine


class Cancelled(Exception):
    """Something other than the end of the process has cancelled a task."""


class Tasks:
    """Tasks that aren't to end by themselves. With the first that fails, or is cancelled before the end,
    `ended` is set: the process ends, and whoever runs it starts it anew, whole.
    """

    def __init__(self, ended: asyncio.Event) -> None:
        self._ended = ended
        self._tasks: list[asyncio.Task[None]] = []
        #: What the first one that failed has raised.
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
