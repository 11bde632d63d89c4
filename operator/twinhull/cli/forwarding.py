"""Forwards local ports to a Workload, and after a replacement to its next hull."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import Sequence
from contextlib import AsyncExitStack
from typing import NoReturn

import click

from twinhull.cli.ending import end_with
from twinhull.cli.entering import explaining_errors
from twinhull.cli.port_forward import Port
from twinhull.cli.present_hull import PresentHull
from twinhull.cli.session import session
from twinhull.cli.targets import Target
from twinhull.reach import kubevirt_stream
from twinhull.reach.hull import port_number
from twinhull.reach.listener import listening
from twinhull.reach.port_forward import forward as forward_connection
from twinhull.view.safetext import plain

_LOOPBACK = ("127.0.0.1", "::1")
_NO_SUCH_ADDRESS = {errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT}


def forward(target: Target, name: str, ports: Sequence[Port], addresses: Sequence[str]) -> NoReturn:
    """Forward ports until SIGINT or SIGTERM. Raises ClickException."""
    end_with(_forward(target, name, ports, addresses), until_ended=True)


async def _forward(target: Target, name: str, ports: Sequence[Port], addresses: Sequence[str]) -> int:
    async with session(target) as here, AsyncExitStack() as listeners:
        workload = await here.workload(name)
        hull = PresentHull(here, name)
        listeners.push_async_callback(hull.close)
        with explaining_errors():
            numbers = [port_number(workload, port.remote) for port in ports]
            opened: list[str] = []
            for port, number in zip(ports, numbers, strict=True):
                opened += await _listen(listeners, hull, port.local, number, addresses)
            await hull.check(numbers[0])
        for line in opened:
            click.echo(line)
        await asyncio.Event().wait()
        return 0  # the wait is cancelled before


async def _listen(
    listeners: AsyncExitStack, hull: PresentHull, local: int, remote: int, addresses: Sequence[str]
) -> list[str]:
    """Open a port at each address. Returns the lines that tell of them. Raises ClickException."""
    opened: list[str] = []
    notes = {""}

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async with hull.connected(remote) as socket:
            if socket.protocol == kubevirt_stream.PROTOCOL:
                await kubevirt_stream.join(socket, reader, writer)
            else:
                await forward_connection(socket, reader, writer)

    def failed(error: Exception) -> None:
        why = plain(str(error) or type(error).__name__)
        click.echo(f"Error: a connection to port {remote} of {hull.name} failed: {why}", err=True)
        if (note := hull.port_note(remote)) not in notes:
            notes.add(note)
            click.echo(f"note: {note}", err=True)

    for address in [one for each in addresses for one in (_LOOPBACK if each == "localhost" else (each,))]:
        try:
            local = await listeners.enter_async_context(listening(serve, failed, address, local))
        except OSError as error:
            if address == _LOOPBACK[1] and "localhost" in addresses and error.errno in _NO_SUCH_ADDRESS:
                continue  # this machine has no IPv6
            raise click.ClickException(
                f"port {local} can't be opened at {address}: {error}. Choose another port of this computer, "
                f"or :{remote} for any that is free"
            ) from error
        shown = f"[{address}]" if ":" in address else address
        opened.append(f"Forwarding from {shown}:{local} -> {remote}")
    return opened
