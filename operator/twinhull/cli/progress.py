"""Progress on the standard error: what changes, and every while that nothing has."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import click

from twinhull.view.safetext import plain

#: After how many seconds of silence it is said that the wait goes on.
_SILENCE = 15.0


def warn(sentence: str) -> None:
    """A warning for people, on the standard error. Its text may be of others."""
    click.echo(f"{coloured('Warning:', 'yellow')} {plain(sentence)}", err=True)


def say(line: str) -> None:
    """A line of progress, on the standard error. Its text may be of others."""
    click.echo(plain(line), err=True)


def coloured(text: str, colour: str) -> str:
    """A text of our own in a colour, unless NO_COLOR is set (no-color.org). Where no terminal is, click
    leaves colours out.
    """
    return text if os.environ.get("NO_COLOR") else click.style(text, fg=colour)


class Progress:
    """Says what is so of Workloads whenever that has changed."""

    def __init__(self, say: Callable[[str], None] = say) -> None:
        self._say = say
        self._messages: dict[str, str] = {}
        self._since: dict[str, float] = {}
        self._news = asyncio.Event()

    def of(self, name: str, message: str) -> None:
        """What is so of a Workload now."""
        if self._messages.get(name) == message:
            return
        self._messages[name] = message
        self._since[name] = asyncio.get_running_loop().time()
        self._say(f"{name}: {message}")
        self._news.set()

    def end(self, name: str) -> None:
        """Nobody waits for that Workload any more."""
        self._messages.pop(name, None)

    @asynccontextmanager
    async def beating(self) -> AsyncIterator[None]:
        """Say every while that the wait goes on, if nothing changes."""
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
