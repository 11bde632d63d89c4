"""What comes on the standard input, while somebody takes it and afterwards."""

from __future__ import annotations

import asyncio
import gc
import os
import threading
import warnings
from collections.abc import Callable, Iterator
from typing import IO, Any

import pytest

from tests.controlplane.polling import PATIENCE
from twinhull.cli import terminal


@pytest.fixture
def typing_end(monkeypatch: pytest.MonkeyPatch) -> Iterator[IO[bytes]]:
    """The other end of what is the standard input."""
    ours, theirs = os.pipe()
    with os.fdopen(ours) as stdin, os.fdopen(theirs, "wb", buffering=0) as written:
        monkeypatch.setattr("sys.stdin", stdin)
        yield written


def test_the_input_comes_whole_and_in_order_to_who_takes_it_slowly(typing_end: IO[bytes]) -> None:
    given = b"".join(number.to_bytes(4) for number in range(1 << 18))

    def write() -> None:
        with typing_end:
            typing_end.write(given)

    async def taken() -> bytes:
        found = b""
        async for piece in terminal.standard_input():
            await asyncio.sleep(0.001)
            found += piece
        return found

    writer = threading.Thread(target=write)
    writer.start()
    assert asyncio.run(taken()) == given
    writer.join(PATIENCE)


@pytest.mark.slow
def test_input_that_comes_when_nobody_takes_it_any_more_is_no_warning(
    typing_end: IO[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when ssh ends the process that connects it, and has just written to it."""
    loop, handed_over = asyncio.new_event_loop(), threading.Event()
    original = loop.call_soon_threadsafe

    def call_soon_threadsafe(callback: Callable[..., Any], *arguments: Any, **context: Any) -> Any:
        handle = original(callback, *arguments, **context)
        handed_over.set()
        return handle

    monkeypatch.setattr(loop, "call_soon_threadsafe", call_soon_threadsafe)

    async def first() -> bytes:
        return await anext(aiter(terminal.standard_input()))

    typing_end.write(b"first")
    assert loop.run_until_complete(first()) == b"first"
    loop.run_until_complete(loop.shutdown_asyncgens())
    handed_over.clear()
    typing_end.write(b"late")
    assert handed_over.wait(PATIENCE)
    with warnings.catch_warnings(record=True) as complaints:
        warnings.simplefilter("always")
        loop.close()
        gc.collect()
    assert [str(one.message) for one in complaints] == []
