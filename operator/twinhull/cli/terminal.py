"""The terminal of this process: its input, its size, and raw mode while a command uses it."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import select
import signal
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

import click

#: How many bytes are read at a time.
_CHUNK = 1 << 16
#: How many such pieces are read ahead.
_PIECES = 4
#: Ctrl+], as in virtctl and telnet.
_ESCAPE = b"\x1d"


def write(data: bytes) -> None:
    """Write to the standard output at once."""
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


def write_error(data: bytes) -> None:
    """Write to the standard error at once."""
    sys.stderr.buffer.write(data)
    sys.stderr.buffer.flush()


async def standard_input() -> AsyncIterator[bytes]:
    """The standard input, piece by piece, until it ends.

    A thread reads it, since an event loop can't wait for files. The thread doesn't keep the process from
    ending. It hands over no coroutine: after the end of the loop, Python would warn that the coroutine was
    never awaited.
    """
    loop, room = asyncio.get_running_loop(), threading.Semaphore(_PIECES)
    pieces: asyncio.Queue[bytes | OSError] = asyncio.Queue()

    def read() -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody listens any more
            while room.acquire():
                try:
                    piece: bytes | OSError = _read(sys.stdin.fileno())
                except OSError as error:
                    piece = error
                loop.call_soon_threadsafe(pieces.put_nowait, piece)
                if not piece or isinstance(piece, OSError):
                    return

    threading.Thread(target=read, daemon=True).start()
    while piece := await pieces.get():
        room.release()
        if isinstance(piece, OSError):
            raise click.ClickException(f"the standard input can't be read: {piece}") from piece
        yield piece


async def until_escape(typed: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The typed bytes before Ctrl+]."""
    async for data in typed:
        text, escape, _ = data.partition(_ESCAPE)
        if text:
            yield text
        if escape:
            return


def _read(number: int) -> bytes:
    """The next bytes, empty at the end. A terminal that is gone counts as the end."""
    while True:
        try:
            return os.read(number, _CHUNK)
        except BlockingIOError:
            select.select([number], [], [])
        except OSError as error:
            if error.errno == errno.EIO:
                return b""
            raise


async def sizes() -> AsyncIterator[tuple[int, int]]:
    """The terminal's columns and rows: now, and whenever they change."""
    changed = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGWINCH, changed.set)
    while True:
        size = os.get_terminal_size(sys.stdin.fileno())
        yield size.columns, size.lines
        await changed.wait()
        changed.clear()


@contextmanager
def raw() -> Iterator[None]:
    """Within the context, give each key to the command as it is typed, Ctrl+C too. The terminal's former mode
    is restored at the end.
    """
    try:
        import termios  # noqa: PLC0415  Windows has none
        import tty  # noqa: PLC0415
    except ImportError as error:
        raise click.ClickException("-t needs a terminal of Unix: leave it out, or use WSL") from error
    stdin = sys.stdin.fileno()
    attributes = termios.tcgetattr(stdin)
    tty.setraw(stdin, termios.TCSADRAIN)  # keys that were typed before are kept
    try:
        yield
    finally:
        termios.tcsetattr(stdin, termios.TCSADRAIN, attributes)
