"""How a verb ends that asks a cluster: by its exit code, or by Ctrl-C."""

from __future__ import annotations

from collections.abc import Coroutine
from contextlib import suppress
from typing import Any, NoReturn

#: The exit code of a verb that was interrupted by Ctrl-C, as a shell has it.
INTERRUPTED = 130
#: The exit code of a verb that a signal ended is this and the signal's number.
_BY_SIGNAL = 128


def end_with(verb: Coroutine[Any, Any, int]) -> NoReturn:
    """Run a verb, and end the process with its exit code."""
    import asyncio  # noqa: PLC0415  takes time, and a help does without

    try:
        code = asyncio.run(_until_signalled(verb))
    except KeyboardInterrupt:
        raise SystemExit(INTERRUPTED) from None
    raise SystemExit(int(code))


async def _until_signalled(verb: Coroutine[Any, Any, int]) -> int:
    """Run a verb. SIGTERM and SIGHUP cancel it, so that it leaves nothing behind, and give a shell's code."""
    import asyncio  # noqa: PLC0415  takes time, and a help does without
    import signal  # noqa: PLC0415

    working, got = asyncio.ensure_future(verb), list[int]()

    def cancel(number: int) -> None:
        got.append(number)
        working.cancel()

    for name in ("SIGTERM", "SIGHUP"):
        with suppress(AttributeError, NotImplementedError, RuntimeError):  # Windows; not the main thread
            number = getattr(signal, name)
            asyncio.get_running_loop().add_signal_handler(number, cancel, int(number))
    try:
        return await working
    except asyncio.CancelledError:
        if got:
            return _BY_SIGNAL + got[0]
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)
        raise
