"""The containers of a Workload whose logs are shown."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeVar

import click

from twinhull.api.base import Raw
from twinhull.cli import terminal
from twinhull.cli.entering import container_of, told
from twinhull.cli.logs import Wanted
from twinhull.reach.entry import Entry, Query
from twinhull.reach.hull import chosen_container

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
    #: When the last of it came, or was asked for.
    last_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    #: Whether the log of the last `show` was opened.
    opened: bool = False

    async def show(self, query: Query) -> None:
        """Write its log, until that ends. Raises ClickException."""
        self.opened, self.last_at = False, datetime.now(UTC)
        with told():
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
            self.complain(error)
            return False
        return True

    def complain(self, error: click.ClickException) -> None:
        """Say what its log failed by."""
        click.echo(f"Error: {self.name}/{self.container}: {error.message}", err=True)

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


def sources_of(workload: Raw, entry: Entry, wanted: Wanted, *, notes: bool = True) -> list[Source]:
    """The containers of a Workload whose logs are shown. `notes` says whether to note which one is meant by
    default. Raises EntryError.
    """
    name = workload["metadata"]["name"]
    if wanted.all_containers:
        chosen: tuple[str, ...] = entry.containers
    else:
        choose = container_of if notes else chosen_container
        chosen = (choose(workload, entry, wanted.container),)
    return [Source(entry, name, one, f"[{name}/{one}] ".encode() if wanted.prefix else b"") for one in chosen]


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
