"""Ends a verb that asks a cluster: with its exit code, or by a signal such as Ctrl+C's."""

from __future__ import annotations

import atexit
import os
import signal
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

if TYPE_CHECKING:
    import asyncio
    from types import FrameType

_Result = TypeVar("_Result")

#: A process that a signal ended has this plus the signal's number as its exit code, as a shell has it.
_BY_SIGNAL = 128
#: The exit code of a verb that was interrupted by Ctrl+C.
INTERRUPTED = _BY_SIGNAL + signal.SIGINT
#: The signals that tell a verb to end. Windows has no SIGHUP.
_SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))
#: How long a verb may take to clean up after such a signal, in seconds. Then its process ends, even if it
#: waits for a credential plugin, a name server, or an API server that doesn't answer.
_GRACE = 0.8
#: How long the functions registered with atexit may take at the end of a process, in seconds.
_LAST_GRACE = 0.1


def end_with(verb: Coroutine[Any, Any, int], *, until_ended: bool = False) -> NoReturn:
    """Run a verb, and end the process with its exit code, or as `run` does."""
    raise SystemExit(int(run(verb, until_ended=until_ended)))


def run(verb: Coroutine[Any, Any, _Result], *, until_ended: bool = False) -> _Result:
    """Run a verb, and return its result. SIGINT, SIGTERM and SIGHUP cancel it at any time.

    After a signal, it raises SystemExit with the exit code of a process that the signal ended. A verb that
    runs `until_ended` by SIGINT or SIGTERM, such as port-forward, ends with 0 after them.
    """
    import asyncio  # noqa: PLC0415  takes time, and a help does without

    signals = _Told(until_ended)
    try:
        return asyncio.run(_until_signalled(verb, signals))
    except KeyboardInterrupt:  # before the verb began, or after it
        raise SystemExit(signals.code_of(signal.SIGINT)) from None
    except BaseException:  # the error of a cancelled verb doesn't matter
        if signals.codes:
            raise SystemExit(signals.codes[0]) from None
        raise


@contextmanager
def within(seconds: float, code: int, say: Callable[[], None]) -> Iterator[None]:
    """End the process with `code` if the context isn't left within so many seconds, whatever the process
    waits for. `say` is called just before.
    """

    def end() -> None:
        say()
        _leave(code)

    timer = threading.Timer(min(seconds, threading.TIMEOUT_MAX), end)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


@dataclass(frozen=True, slots=True)
class _Told:
    """The signals by which this process was told to end."""

    #: Whether the verb runs until SIGINT or SIGTERM, so that these end it with 0.
    until_ended: bool
    #: Empty, or the exit code after the first signal.
    codes: list[int] = field(default_factory=list)

    def code_of(self, number: int) -> int:
        """The exit code after a signal."""
        if self.until_ended and number in {signal.SIGINT, signal.SIGTERM}:
            return 0
        return _BY_SIGNAL + number

    @contextmanager
    def cancelling(self, loop: asyncio.AbstractEventLoop, task: asyncio.Task[Any]) -> Iterator[None]:
        """Cancel a task if a signal comes.

        The handlers are Python's and not the event loop's: those also run while the loop waits for a process
        or a thread.
        """

        def end(number: int, _: FrameType | None) -> None:
            if self.codes:
                return  # some programs hand on a signal that the terminal has sent already
            self.codes.append(self.code_of(number))
            # The handler of another signal may have run just before that line, and have added its code first.
            last = threading.Timer(_GRACE, _leave, self.codes[:1])
            last.daemon = True
            last.start()
            with suppress(RuntimeError):  # the loop has ended meanwhile
                loop.call_soon_threadsafe(task.cancel)

        former: dict[int, Any] = {}
        try:
            for number in _SIGNALS:
                if number == signal.SIGINT or signal.getsignal(number) != signal.SIG_IGN:  # as nohup sets it
                    with suppress(ValueError):  # this isn't the main thread
                        former[number] = signal.signal(number, end)
            yield
        finally:
            if not self.codes:
                for number, handler in former.items():
                    signal.signal(number, handler)


def _leave(code: int) -> None:
    """End the process at once. Its temporary files are removed before: the kubernetes library puts the key of
    a kubeconfig into one.
    """
    cleaning = threading.Thread(target=atexit._run_exitfuncs, daemon=True)  # noqa: SLF001  it has no other name
    cleaning.start()
    cleaning.join(_LAST_GRACE)
    os._exit(code)


async def _until_signalled(verb: Coroutine[Any, Any, _Result], signals: _Told) -> _Result:
    """The result of a verb. Raises CancelledError if a signal told it to end."""
    import asyncio  # noqa: PLC0415  takes time, and a help does without

    task = asyncio.current_task()
    if task is None:
        raise RuntimeError("this has to be called in a task")
    with signals.cancelling(asyncio.get_running_loop(), task):
        result = await verb
        if signals.codes:  # it was told to end, and ended in its own way
            raise asyncio.CancelledError
        return result
