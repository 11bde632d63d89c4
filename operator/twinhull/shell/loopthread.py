"""An event loop in a thread of its own. It goes on while a long pass blocks the main event loop.

Python lets another thread run every 5 ms (sys.getswitchinterval), so this holds for work in Python, however
long. A single call into C that keeps the interpreter's lock stops all threads for as long as it takes.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from typing import Any, TypeVar

_T = TypeVar("_T")

#: How many seconds the thread's coroutines may take to be cancelled. The thread doesn't keep the process
#: alive.
_ENDING = 5.0


class LoopThread:
    """A thread with an event loop, from `start` to `stop`."""

    def __init__(self, name: str) -> None:
        self._runner: asyncio.Runner | None = None
        self._began, self._ended = threading.Event(), asyncio.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Start the thread, and wait until it can run coroutines."""
        self._thread.start()
        self._began.wait()

    async def run(self, work: Coroutine[Any, Any, _T]) -> _T:
        """Run a coroutine in the thread, and wait for its result. If this wait is cancelled, so is the
        coroutine.
        """
        assert self._runner is not None, "it was started"  # noqa: S101
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, self._runner.get_loop()))

    @property
    def is_running(self) -> bool:
        """Whether the thread can run coroutines."""
        return self._thread.is_alive() and not self._ended.is_set()

    async def stop(self) -> None:
        """Cancel the thread's coroutines, and end it. Does nothing if it hasn't started, or has ended."""
        if self._runner is None or not self.is_running:
            return
        self._runner.get_loop().call_soon_threadsafe(self._ended.set)
        await asyncio.to_thread(self._thread.join, _ENDING)

    def _run(self) -> None:
        with asyncio.Runner() as self._runner:
            self._runner.get_loop()
            self._began.set()
            self._runner.run(self._until_stopped())

    async def _until_stopped(self) -> None:
        await self._ended.wait()
