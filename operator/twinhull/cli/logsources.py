"""The containers of a Workload whose logs are shown."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar

import click

from twinhull.api.base import Raw
from twinhull.cli import terminal
from twinhull.cli.entering import container_of, explaining_errors
from twinhull.cli.logs import Wanted
from twinhull.reach.entry import Entry, Query

_Result = TypeVar("_Result")

#: A line that is longer is cut in two if each begins with where it is from, in bytes.
_LONGEST_LINE = 1 << 20


@dataclass(slots=True)
class Source:
    """A container whose log is shown."""

    entry: Entry
    #: The Workload's name.
    name: str
    container: str
    #: What stands before each of its lines.
    prefix: bytes = b""
    #: When the last of it came by the last `show`, None if nothing came.
    last_at: datetime | None = None
    #: Whether the log of the last `show` was opened.
    opened: bool = False

    async def show(self, query: Query) -> None:
        """Write its log, until that ends. Raises ClickException."""
        self.opened, self.last_at = False, None
        with explaining_errors():
            async with await self.entry.log(self.container, query) as answer:
                self.opened = True
                rest = b""
                async for piece in answer.content.iter_any():
                    self.last_at = datetime.now(UTC)
                    rest = self._write(rest + piece)
                self._write(rest + b"\n" if rest else b"")

    async def shown(self, query: Query) -> bool:
        """Write its log. False, after a message, if that fails."""
        try:
            await self.show(query)
        except click.ClickException as error:
            complain(self.name, self.container, error)
            return False
        return True

    def _write(self, text: bytes) -> bytes:
        """Write what can be written of a text. What is left of it: a line that hasn't ended."""
        if not self.prefix:
            terminal.write(text)
            return b""
        *lines, rest = text.split(b"\n")
        if len(rest) > _LONGEST_LINE:
            lines, rest = [*lines, rest], b""
        terminal.write(b"".join(self.prefix + line + b"\n" for line in lines))
        return rest


def complain(name: str, container: str, error: click.ClickException) -> None:
    """Say by what the log of a Workload's container failed."""
    click.echo(f"Error: {name}/{container}: {error.message}", err=True)


def source_of(entry: Entry, name: str, container: str, wanted: Wanted) -> Source:
    """A container of a Workload's hull."""
    return Source(entry, name, container, f"[{name}/{container}] ".encode() if wanted.prefix else b"")


def sources_of(workload: Raw, entry: Entry, wanted: Wanted) -> list[Source]:
    """The containers of a Workload whose logs are shown, after a note about which one is meant by default.
    Raises EntryError.
    """
    name = workload["metadata"]["name"]
    if wanted.all_containers:
        chosen: tuple[str, ...] = entry.containers
    else:
        chosen = (container_of(workload, entry, wanted.container),)
    return [source_of(entry, name, one, wanted) for one in chosen]


async def side_by_side(works: Sequence[Coroutine[Any, Any, _Result]]) -> list[_Result]:
    """What several works give. All have ended when this ends, however it does: each may still need the
    connection to leave nothing behind. (asyncio.gather ends with the first that is cancelled.)
    """
    tasks = [asyncio.create_task(work) for work in works]
    try:
        return list(await asyncio.gather(*tasks))
    finally:
        for task in tasks:
            if not task.cancelling():  # a second time would end what it does at its end
                task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
