"""Prints progress on the standard error: each change, and after a silence that the wait goes on."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import click

from twinhull.view.safetext import plain

#: After so many seconds without a change, a line says that the wait goes on.
_SILENCE = 15.0


def warn(sentence: str) -> None:
    """Print a warning on the standard error. Control characters in it are made visible."""
    click.echo(f"{coloured('Warning:', 'yellow')} {plain(sentence)}", err=True)


def say(line: str) -> None:
    """Print a line of progress on the standard error. Control characters in it are made visible."""
    click.echo(plain(line), err=True)


def coloured(text: str, colour: str) -> str:
    """A text of our own in a colour, unless NO_COLOR is set (no-color.org). click leaves colours out if the
    output is no terminal.
    """
    return text if os.environ.get("NO_COLOR") else click.style(text, fg=colour)


class Progress:
    """Prints the state of each Workload whenever it changes."""

    def __init__(self, say: Callable[[str], None] = say) -> None:
        self._say = say
        self._messages: dict[str, str] = {}
        self._since: dict[str, float] = {}
        self._news = asyncio.Event()

    def of(self, name: str, message: str) -> None:
        """Print a Workload's state, if it isn't the same as before."""
        if self._messages.get(name) == message:
            return
        self._messages[name] = message
        self._since[name] = asyncio.get_running_loop().time()
        self._say(f"{name}: {message}")
        self._news.set()

    def end(self, name: str) -> None:
        """Forget a Workload, for which the wait is over."""
        self._messages.pop(name, None)

    @asynccontextmanager
    async def beating(self) -> AsyncIterator[None]:
        """Within the context, say every _SILENCE seconds without a change that the wait goes on."""
        beat = asyncio.create_task(self._beat())
        try:
            yield
        finally:
            beat.cancel()
            await asyncio.gather(beat, return_exceptions=True)

    async def _beat(self) -> None:
        while True:
            self._news.clear()
            try:
                async with asyncio.timeout(_SILENCE):
                    await self._news.wait()
            except TimeoutError:
                now = asyncio.get_running_loop().time()
                for name, message in self._messages.items():
                    self._say(f"{name}: still so after {now - self._since[name]:.0f} s: {message}")
