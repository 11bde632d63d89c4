"""Measures how long a coroutine uses the event loop. Meanwhile all others wait. Its own waits cost nobody
anything.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Coroutine, Generator
from typing import Any, Generic, TypeVar

_T = TypeVar("_T")


class LoopTime(Generic[_T]):
    """Awaits a coroutine, and counts the seconds of processor time that its steps take."""

    def __init__(self, work: Coroutine[Any, Any, _T], clock: Callable[[], float] = time.thread_time) -> None:
        self._work = work
        self._clock = clock
        self.seconds = 0.0

    def __await__(self) -> Generator[Any, Any, _T]:
        sent: Any = None
        thrown: BaseException | None = None
        while True:
            began = self._clock()
            try:
                waits_for = self._work.send(sent) if thrown is None else self._work.throw(thrown)
            except StopIteration as end:
                result: _T = end.value
                return result
            finally:
                self.seconds += self._clock() - began
            try:
                sent, thrown = (yield waits_for), None
            except BaseException as error:  # noqa: BLE001  the coroutine handles a cancellation
                sent, thrown = None, error
