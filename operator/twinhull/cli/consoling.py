"""The serial console on this process' terminal."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator, Iterator

import click

from twinhull.cli import machines, terminal
from twinhull.cli.progress import told
from twinhull.cli.session import session
from twinhull.cli.targets import Target
from twinhull.reach import kubevirt_stream

#: Ctrl+], as in virtctl and telnet.
_ESCAPE = b"\x1d"
#: What ends a process that doesn't listen for it, without giving it the chance to restore the terminal.
_ENDS = (signal.SIGTERM, signal.SIGHUP)


async def console(name: str, seconds: float, target: Target) -> int:
    """Connect the terminal with a machine's console. The exit code."""
    async with session(target) as opened:
        instead = f"see its output by twinhull logs {name}, or open a shell by twinhull exec -it {name} -- sh"
        _, instance = await machines.machine_of(opened, name, instead)
        is_terminal = sys.stdin.isatty()
        with machines.explained(instance, "console"):
            socket = await machines.once_it_runs(instance.console, seconds)
        ends = "Ctrl+] ends the connection" if is_terminal else "Ctrl+C ends the connection"
        told(f"Connected with the console of VirtualMachine {instance.name}. {ends}.")
        with _restored() if is_terminal else contextlib.nullcontext():
            typed = _until_escape(terminal.standard_input()) if is_terminal else terminal.standard_input()
            ended = await kubevirt_stream.copy(socket, typed, _show, outlives_source=not is_terminal)
        if ended:
            click.echo(err=True)
            return 0
        click.echo(
            "\nError: the machine's end has closed the console: the machine went off, somebody else took "
            "the console, or the network failed",
            err=True,
        )
        return 1


async def _show(data: bytes) -> None:
    terminal.write(data)


async def _until_escape(typed: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """What is typed before Ctrl+]."""
    async for data in typed:
        before, escape, _ = data.partition(_ESCAPE)
        if before:
            yield before
        if escape:
            return


@contextlib.contextmanager
def _restored() -> Iterator[None]:
    """A raw terminal, which is as before in the end, also if this process is told to end."""
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    if task is None:
        raise RuntimeError("this is called in a task")
    came: list[signal.Signals] = []

    def end(number: signal.Signals) -> None:
        came.append(number)
        task.cancel()

    for number in _ENDS:
        loop.add_signal_handler(number, end, number)
    try:
        with terminal.raw():
            yield
    except asyncio.CancelledError:
        if not came:
            raise
        os._exit(128 + came[0])  # as of a process that the signal has ended; the terminal is as before
    finally:
        for number in _ENDS:
            loop.remove_signal_handler(number)
