"""How a verb ends that asks a cluster: by its exit code, or by Ctrl-C."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any, NoReturn

#: The exit code of a verb that was interrupted by Ctrl-C, as a shell has it.
INTERRUPTED = 130


def end_with(verb: Coroutine[Any, Any, int]) -> NoReturn:
    """Run a verb, and end the process with its exit code."""
    import asyncio  # noqa: PLC0415  takes time, and a help does without

    try:
        code = asyncio.run(verb)
    except KeyboardInterrupt:
        raise SystemExit(INTERRUPTED) from None
    raise SystemExit(int(code))
