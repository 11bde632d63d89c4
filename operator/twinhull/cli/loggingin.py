"""Logs in by ssh: runs ssh, and connects it with the machine."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import aiohttp
import click

from twinhull.api import commands
from twinhull.cli import ending, machines, terminal
from twinhull.cli.progress import say
from twinhull.cli.session import session
from twinhull.cli.targets import Target
from twinhull.cli.workloadarguments import WorkloadName
from twinhull.reach import kubevirt_stream


@dataclass(frozen=True, slots=True)
class Login:
    """A login by ssh."""

    #: The user, empty for ssh's own choice.
    user: str
    #: The Workload.
    name: str
    #: The command to run there, empty for a shell.
    command: tuple[str, ...] = ()
    #: The private key's file, empty for ssh's own choice.
    identity_file: str = ""
    port: int = 22
    #: Options for ssh, as KEY=VALUE.
    settings: tuple[str, ...] = ()
    #: Whether a command gets a terminal. A shell has one in any case.
    tty: bool = False

    def arguments(self, host: str, proxy: list[str]) -> list[str]:
        """The arguments of ssh. `proxy` is the command that connects its in- and output with the machine."""
        return [
            # ssh expands % in a ProxyCommand (ssh_config(5), TOKENS), and has a shell run it.
            *("-o", f"ProxyCommand={shlex.join(proxy).replace('%', '%%')}"),
            *(word for setting in self.settings for word in ("-o", setting)),
            *(("-i", self.identity_file) if self.identity_file else ()),
            *(("-l", self.user) if self.user else ()),
            *(("-t",) if self.tty else ()),
            *("--", host, *self.command),
        ]


def user_and_name(login: str) -> tuple[str, str]:
    """The user, empty if none is given, and the Workload's name, of USER@NAME. Raises BadParameter."""
    user, at, name = login.rpartition("@")
    if at and not user:
        raise click.BadParameter(f"{login!r} has no user before the @: write USER@NAME, or NAME")
    return user, WorkloadName().convert(name, None, None)


def ssh(login: Login, target: Target, *, stdio: bool) -> int:
    """Run ssh in place of this process. With `stdio`, this process is the ProxyCommand of an ssh: connect its
    standard input and output with the machine. Returns the exit code.
    """
    arguments = ending.run(_prepared(login, target, stdio=stdio))
    if arguments is not None:
        _become_ssh(arguments)
    return 0


def _become_ssh(arguments: list[str]) -> NoReturn:
    """Run ssh in place of this process. The words aren't read by a shell here."""
    program = shutil.which("ssh")
    if program is None:
        raise click.ClickException("there is no ssh on the PATH: install OpenSSH's client")
    os.execv(program, ["ssh", *arguments])  # noqa: S606


async def _prepared(login: Login, target: Target, *, stdio: bool) -> list[str] | None:
    """The arguments of ssh. With `stdio`, None once the connection has ended."""
    async with session(target) as opened:
        shell = commands.ours("exec", login.name, opened.namespace, "-it", "--", "sh")
        workload, instance = await machines.machine_of(opened, login.name, f"open a shell by {shell}")
        if stdio:
            with machines.explained(instance, f"portforward/{login.port}/tcp"):
                socket = await _connected(instance, login.port)
            await kubevirt_stream.copy(
                socket, terminal.standard_input(), _write, lingers=kubevirt_stream.LINGERS
            )
            return None
    if not machines.boots_a_disk(workload):
        say(
            f"The guest of Workload {login.name} has no ssh server of its own, only its containers may have "
            f"one: {shell} opens a shell in a container"
        )
    same = Target(instance.namespace, target.context, target.kubeconfig)
    proxy = [*own_command(), "ssh", login.name, "--stdio", "--port", str(login.port), *same.options]
    return login.arguments(f"vmi.{instance.name}.{instance.namespace}", proxy)


async def _connected(instance: kubevirt_stream.Instance, port: int) -> aiohttp.ClientWebSocketResponse:
    """A connection to the port of a machine's ssh server. Raises ClickException if nothing listens there, and
    StreamError.
    """
    try:
        return await instance.port(port)
    except kubevirt_stream.StreamError as error:
        if not error.is_unheard:
            raise
        raise click.ClickException(
            f"nothing listens on port {port} of the machine: its system needs an ssh server (-p for another "
            "port)"
        ) from error


def own_command() -> list[str]:
    """The command by which this program is run again."""
    program = Path(sys.argv[0]).absolute()
    if program.name == "__main__.py":
        return [sys.executable, "-m", "twinhull"]
    return [str(program)] if os.access(program, os.X_OK) else [sys.executable, str(program)]


async def _write(data: bytes) -> None:
    terminal.write(data)
