"""The logs of Workloads' containers, one after the other or side by side."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import NoReturn

import click

from twinhull.api.accessrequest import Usage
from twinhull.api.base import Raw
from twinhull.cli import terminal
from twinhull.cli.ending import end_with
from twinhull.cli.entering import entering, told
from twinhull.cli.logs import Wanted
from twinhull.cli.selected import selected
from twinhull.cli.session import Session, session
from twinhull.cli.targets import Target
from twinhull.reach.entry import Entry, Query
from twinhull.reach.hull import chosen_container, container_names

#: A line that is longer is cut in two if each begins with where it is from, in bytes.
_LONGEST_LINE = 1 << 20


def show(target: Target, wanted: Wanted) -> NoReturn:
    """Show all logs, and end with the exit code. Raises ClickException."""
    end_with(_show(target, wanted))


@dataclass(frozen=True, slots=True)
class _Source:
    """A container whose log is shown."""

    entry: Entry
    #: The Workload's name.
    name: str
    container: str
    #: What stands before each of its lines.
    prefix: bytes = b""

    async def show(self, query: Query) -> bool:
        """Write its log. False, after a message, if that fails."""
        try:
            with told():
                async with await self.entry.log(self.container, query) as answer:
                    rest = b""
                    async for piece in answer.content.iter_any():
                        rest = self._write(rest + piece)
                    self._write(rest + b"\n" if rest else b"")
        except click.ClickException as error:
            click.echo(f"Error: {self.name}/{self.container}: {error.message}", err=True)
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


async def _show(target: Target, wanted: Wanted) -> int:
    async with session(target) as here:
        names = wanted.names
        if wanted.selector:
            names = tuple(one["metadata"]["name"] for one in await selected(here, (), wanted.selector))
        if not wanted.follow:
            return int(not all([await _show_all_of(here, name, wanted) for name in names]))
        count = sum([await _count(here, name, wanted) for name in names])
        if count > wanted.most:
            raise click.ClickException(
                f"of {count} logs only {wanted.most} may be followed at once: say fewer, or "
                f"--max-log-requests {count}"
            )
        shown = await asyncio.gather(*(_show_all_of(here, name, wanted) for name in names))
        return int(not all(shown))


async def _show_all_of(here: Session, name: str, wanted: Wanted) -> bool:
    """Show the logs of a Workload. False, after a message, if that fails."""
    try:
        async with entering(here, name, Usage.LOGS) as (workload, entry):
            sources = _sources(workload, entry, wanted)
            if wanted.follow:
                return all(await asyncio.gather(*(source.show(wanted.query) for source in sources)))
            return all([await source.show(wanted.query) for source in sources])
    except click.ClickException as error:
        click.echo(f"Error: {error.message}", err=True)
        return False


async def _count(here: Session, name: str, wanted: Wanted) -> int:
    """How many logs of a Workload are followed."""
    if not wanted.all_containers:
        return 1
    workload = await here.workload(name)
    return max(1, len(container_names(workload["spec"].get("template") or {})))


def _sources(workload: Raw, entry: Entry, wanted: Wanted) -> list[_Source]:
    """The containers of a Workload whose logs are shown. Raises EntryError."""
    name = workload["metadata"]["name"]
    chosen = (chosen_container(workload, entry, wanted.container),)
    return [
        _Source(entry, name, one, f"[{name}/{one}] ".encode() if wanted.prefix else b"")
        for one in (entry.containers if wanted.all_containers else chosen)
    ]
