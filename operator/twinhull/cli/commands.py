"""What exec and attach have in common: a command in a container, connected with this process' own streams."""

from __future__ import annotations

import contextlib
import sys
from dataclasses import dataclass

import aiohttp
import click

from twinhull.cli import terminal
from twinhull.reach import remote_command
from twinhull.reach.remote_command import Streams


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
        if tty and not sys.stdin.isatty():
            click.echo("Note: the standard input is no terminal, so the command gets none", err=True)
            tty = False
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
