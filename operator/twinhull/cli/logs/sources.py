"""Reads the logs of a Workload's containers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import click

from twinhull.api.base import Raw
from twinhull.cli import terminal
from twinhull.cli.entering import container_of, explaining_errors
from twinhull.cli.logs import Wanted
from twinhull.reach.entry import Entry, Query

_Result = TypeVar("_Result")

#: With prefixes, a line that is longer than so many bytes is cut in two.
_LONGEST_LINE = 1 << 20


@dataclass(slots=True)
class LogOutput:
    """Writes a container's log."""

    #: Begins each line.
    prefix: bytes = b""
    #: The part of a line that isn't written yet, since its end is still to come.
    _unended: bytes = b""

    def write(self, text: bytes) -> None:
        """Write the next part of the log: with a prefix, whole lines only."""
        if not self.prefix:
            terminal.write(text)
            return
        *lines, self._unended = (self._unended + text).split(b"\n")
        if len(self._unended) > _LONGEST_LINE:
            lines, self._unended = [*lines, self._unended], b""
        terminal.write(b"".join(self.prefix + line + b"\n" for line in lines))

    def end(self) -> None:
        """Write the last line, if it has no end."""
        if self._unended:
            self.write(b"\n")


@dataclass(slots=True)
class Source:
    """A container whose log is shown."""

    entry: Entry
    #: The Workload's name.
    name: str
    container: str
    #: Begins each line of the log.
    prefix: bytes = b""
    #: Whether the log of the last `read` was opened.
    opened: bool = False

    async def read(self, query: Query, take: Callable[[bytes], None]) -> None:
        """Give the log to `take`, piece by piece, until it ends. Raises ClickException."""
        self.opened = False
        with explaining_errors():
            async with await self.entry.log(self.container, query) as answer:
                self.opened = True
                async for piece in answer.content.iter_any():
                    take(piece)

    async def shown(self, query: Query) -> bool:
        """Write the log. Returns False, after a message, if that fails."""
        output = LogOutput(self.prefix)
        try:
            await self.read(query, output.write)
        except click.ClickException as error:
            output.end()
            complain(self.name, self.container, error)
            return False
        output.end()
        return True


def complain(name: str, container: str, error: click.ClickException) -> None:
    """Print why the log of a Workload's container failed."""
    click.echo(f"Error: {name}/{container}: {error.message}", err=True)


def source_of(entry: Entry, name: str, container: str, wanted: Wanted) -> Source:
    """A container of a Workload's hull."""
    return Source(entry, name, container, f"[{name}/{container}] ".encode() if wanted.prefix else b"")


def sources_of(workload: Raw, entry: Entry, wanted: Wanted) -> list[Source]:
    """The containers of a Workload whose logs are shown. A note tells which one is the default if several
    could be meant. Raises EntryError.
    """
    name = workload["metadata"]["name"]
    if wanted.all_containers:
        chosen: tuple[str, ...] = entry.containers
    else:
        chosen = (container_of(workload, entry, wanted.container),)
    return [source_of(entry, name, container, wanted) for container in chosen]


async def side_by_side(works: Sequence[Coroutine[Any, Any, _Result]]) -> list[_Result]:
    """The results of coroutines that run side by side. When this returns or raises, all of them have ended,
    since each may still need the connection to clean up. (asyncio.gather ends with the first that is
    cancelled.)
    """
    tasks = [asyncio.create_task(work) for work in works]
    try:
        return list(await asyncio.gather(*tasks))
    finally:
        for task in tasks:
            if not task.cancelling():  # a second cancellation would interrupt its clean-up
                task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
