"""Connects a command in a container, or the container's main process, with this process' own streams."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Literal, NoReturn

import aiohttp
import click

from twinhull.api.accessrequest import Usage
from twinhull.cli import terminal
from twinhull.cli.ending import end_with
from twinhull.cli.entering import container_of, entering, explaining_ends
from twinhull.cli.session import session
from twinhull.cli.targets import Target
from twinhull.reach import remote_command
from twinhull.reach.entry import CommandQuery
from twinhull.reach.errors import RemoteCommandError
from twinhull.reach.remote_command import Streams

_ATTACHED = "If you don't see a command prompt, try pressing enter. Ctrl+] ends the connection."


class LeftError(Exception):
    """The user has left the process by Ctrl+]; it goes on."""


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
        query = CommandQuery(command, connected.stdin, connected.tty)
        chosen = container_of(workload, entry, container)
        try:
            async with explaining_ends(here, name, chosen):
                socket = await entry.command(kind, chosen, query)
                if kind == "exec" or not connected.tty:
                    return await connected.follow(socket)
                click.echo(_ATTACHED, err=True)
                return await connected.follow(socket, left=True)
        except RemoteCommandError as error:
            if kind == "attach" or not error.is_missing_program:
                raise
            message = (
                f"container {chosen} of Workload {name} has no program {command[0]}, or lacks the "
                "interpreter that the program's first line names"
            )
            raise RemoteCommandError(message) from error
        except LeftError:
            click.echo(f"\nThe connection is ended; the process in container {chosen} goes on.", err=True)
            return 0


@dataclass(frozen=True, slots=True)
class Connected:
    """Which of its own streams this process connects with the command."""

    #: Whether it gets this process' standard input.
    stdin: bool
    #: Whether it has a terminal.
    tty: bool

    @classmethod
    def as_asked(cls, *, stdin: bool, tty: bool) -> Connected:
        """The streams for these options, after a note if the command gets no terminal. It gets none if this
        process has none, as with kubectl.
        """
        if tty and not stdin:
            click.echo("Note: without -i nothing could be typed, so the command gets no terminal", err=True)
        elif tty and not sys.stdin.isatty():
            click.echo("Note: the standard input is no terminal, so the command gets none", err=True)
        tty = tty and stdin and sys.stdin.isatty()
        return cls(stdin, tty)

    async def follow(self, socket: aiohttp.ClientWebSocketResponse, *, left: bool = False) -> int:
        """Connect the command until it has ended. Returns its exit code. Raises RemoteCommandError, and
        LeftError if `left` allows the user to leave by Ctrl+], and they do.
        """
        typed = terminal.standard_input() if self.stdin else None
        streams = Streams(
            terminal.write,
            terminal.write_error,
            _until_left(typed) if typed and left else typed,
            terminal.sizes() if self.tty else None,
        )
        with terminal.raw() if self.tty else contextlib.nullcontext():
            return await remote_command.follow(socket, streams)


async def _until_left(typed: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The typed bytes. Raises LeftError after Ctrl+]: ending the input here would end the process's input,
    too.
    """
    async for data in terminal.until_escape(typed):
        yield data
    raise LeftError
