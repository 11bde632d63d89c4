"""A command in a container, or its main process, connected with this process's own streams."""

from __future__ import annotations

import contextlib
import sys
from dataclasses import dataclass
from typing import Literal, NoReturn

import aiohttp
import click

from twinhull.api.accessrequest import Usage
from twinhull.cli import terminal
from twinhull.cli.ending import end_with
from twinhull.cli.entering import entering
from twinhull.cli.session import session
from twinhull.cli.targets import Target
from twinhull.reach import remote_command
from twinhull.reach.entry import CommandQuery
from twinhull.reach.hull import chosen_container
from twinhull.reach.remote_command import Streams


def run(  # noqa: PLR0913  what a command has
    target: Target,
    name: str,
    container: str,
    kind: Literal["exec", "attach"],
    command: tuple[str, ...],
    *,
    stdin: bool,
    tty: bool,
) -> NoReturn:
    """Run a command in a container, or attach to its main process, and end with the exit code. Raises
    ClickException.
    """
    end_with(_run(target, name, container, kind, command, Connected.as_asked(stdin=stdin, tty=tty)))


async def _run(  # noqa: PLR0913, PLR0917  what a command has
    target: Target,
    name: str,
    container: str,
    kind: Literal["exec", "attach"],
    command: tuple[str, ...],
    connected: Connected,
) -> int:
    async with session(target) as here, entering(here, name, Usage(kind)) as (workload, entry):
        asked = CommandQuery(command, connected.stdin, connected.tty)
        socket = await entry.command(kind, chosen_container(workload, entry, container), asked)
        if kind == "attach" and connected.tty:
            click.echo("If you don't see a command prompt, try pressing enter.", err=True)
        return await connected.follow(socket)


@dataclass(frozen=True, slots=True)
class Connected:
    """How a command is connected."""

    #: Whether it gets this process' standard input.
    stdin: bool
    #: Whether it has a terminal.
    tty: bool

    @classmethod
    def as_asked(cls, *, stdin: bool, tty: bool) -> Connected:
        """As the options say. Without a terminal of our own the command gets none, as with kubectl."""
        if tty and not stdin:
            click.echo("Note: without -i nothing could be typed, so the command gets no terminal", err=True)
        elif tty and not sys.stdin.isatty():
            click.echo("Note: the standard input is no terminal, so the command gets none", err=True)
        tty = tty and stdin and sys.stdin.isatty()
        return cls(stdin, tty)

    async def follow(self, socket: aiohttp.ClientWebSocketResponse) -> int:
        """Connect the command until it has ended. Its exit code. Raises RemoteCommandError."""
        streams = Streams(
            terminal.write,
            terminal.write_error,
            terminal.standard_input() if self.stdin else None,
            terminal.sizes() if self.tty else None,
        )
        with terminal.raw() if self.tty else contextlib.nullcontext():
            return await remote_command.follow(socket, streams)
