"""Connects the terminal of this process with a machine's serial console."""

from __future__ import annotations

import contextlib
import math
import sys

import click

from twinhull.api import commands
from twinhull.cli import machines, terminal
from twinhull.cli.progress import say
from twinhull.cli.session import session
from twinhull.cli.targets import Target
from twinhull.reach import kubevirt_stream


async def console(name: str, seconds: float, target: Target) -> int:
    """Connect the terminal with a machine's console, until one of them ends it. Returns the exit code."""
    async with session(target) as opened:
        logs = commands.ours("logs", name, opened.namespace)
        shell = commands.ours("exec", name, opened.namespace, "-it", "--", "sh")
        instead = f"see its output by {logs}, or open a shell by {shell}"
        _, instance = await machines.machine_of(opened, name, instead)
        is_terminal = sys.stdin.isatty()
        with machines.explained(instance, "console"):
            socket = await machines.once_it_runs(instance.console, seconds)
        ends = "Ctrl+] ends the connection" if is_terminal else "Ctrl+C ends the connection"
        say(f"Connected with the console of VirtualMachine {instance.name}. {ends}.")
        with terminal.raw() if is_terminal else contextlib.nullcontext():
            typed = (
                terminal.until_escape(terminal.standard_input()) if is_terminal else terminal.standard_input()
            )
            ended = await kubevirt_stream.copy(socket, typed, _show, lingers=0 if is_terminal else math.inf)
        if ended:
            click.echo(err=True)
            return 0
        click.echo(
            "\nError: the console was closed from the machine's side: the machine went off, somebody else "
            "took the console, or the network failed",
            err=True,
        )
        return 1


async def _show(data: bytes) -> None:
    terminal.write(data)
