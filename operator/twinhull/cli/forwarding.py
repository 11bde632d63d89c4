"""Local ports that lead to a Workload, and go on to its next hull."""

from __future__ import annotations

import asyncio
import errno
import signal
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

import aiohttp
import click

from twinhull.api.accessrequest import Usage
from twinhull.cli.entering import entering, told
from twinhull.cli.port_forward import Port
from twinhull.cli.session import Session, session
from twinhull.cli.targets import Target
from twinhull.reach import port_forward
from twinhull.reach.entry import Entry
from twinhull.reach.errors import EntryError
from twinhull.reach.hull import port_number
from twinhull.view.safetext import plain

_LOOPBACK = ("127.0.0.1", "::1")
_NO_SUCH_ADDRESS = {errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT}


def forward(target: Target, name: str, ports: Sequence[Port], addresses: Sequence[str]) -> None:
    """Forward ports until SIGINT or SIGTERM. Raises ClickException."""
    asyncio.run(_forward(target, name, ports, addresses))


@dataclass(slots=True)
class _Follower:
    """The entry to the hull that serves a Workload now, found again when the former one lets nobody in."""

    here: Session
    name: str
    _ways: AsyncExitStack = field(default_factory=AsyncExitStack)
    _entry: Entry | None = None
    _finding: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def port(self, port: int) -> aiohttp.ClientWebSocketResponse:
        """A connection to a port of the present hull. Raises EntryError."""
        entry = await self.find()
        try:
            return await entry.port(port)
        except EntryError:
            # The hull may be another by now, or the certificate may have expired.
            return await (await self.find(entry)).port(port)

    async def find(self, stale: Entry | None = None) -> Entry:
        """The entry to the present hull, another one than `stale`. Raises EntryError."""
        async with self._finding:
            if self._entry is not None and self._entry is not stale:
                return self._entry
            # What goes on by the former entry is let go on: it is closed at the very end.
            way = entering(self.here, self.name, Usage.PORT_FORWARD)
            try:
                _, entry = await self._ways.enter_async_context(way)
            except click.ClickException as error:
                raise EntryError(error.message) from error
            self._entry = entry
            return entry

    async def close(self) -> None:
        """Close all entries."""
        await self._ways.aclose()


async def _forward(target: Target, name: str, ports: Sequence[Port], addresses: Sequence[str]) -> None:
    ended = asyncio.Event()
    for ending in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(ending, ended.set)
    async with session(target) as here, AsyncExitStack() as listeners:
        workload = await here.workload(name)
        follower = _Follower(here, name)
        listeners.push_async_callback(follower.close)
        with told():
            numbers = [port_number(workload, port.remote) for port in ports]
            for port, number in zip(ports, numbers, strict=True):
                await _listen(listeners, follower, port.local, number, addresses)
            await follower.find()
        await ended.wait()


async def _listen(
    listeners: AsyncExitStack, follower: _Follower, local: int, remote: int, addresses: Sequence[str]
) -> None:
    """Open a port at each address. Raises ClickException."""
    for address in [one for each in addresses for one in (_LOOPBACK if each == "localhost" else (each,))]:

        def complain(message: str) -> None:
            click.echo(
                f"Error: a connection to port {remote} of {follower.name} failed: {plain(message)}",
                err=True,
            )

        opened = port_forward.listening(lambda: follower.port(remote), complain, address, local)
        try:
            local = await listeners.enter_async_context(opened)
        except OSError as error:
            if address == _LOOPBACK[1] and "localhost" in addresses and error.errno in _NO_SUCH_ADDRESS:
                continue  # this machine has no IPv6
            raise click.ClickException(f"port {local} can't be opened at {address}: {error}") from error
        shown = f"[{address}]" if ":" in address else address
        click.echo(f"Forwarding from {shown}:{local} -> {remote}")
