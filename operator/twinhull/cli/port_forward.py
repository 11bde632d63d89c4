"""`twinhull port-forward`: a port of a Workload at a local address, whatever the Workload runs in."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

import aiohttp
import click

from twinhull.api.accessrequest import Usage
from twinhull.cli.entering import entering, told
from twinhull.cli.session import Session, Target, session, target_options
from twinhull.reach import port_forward as forwarding
from twinhull.reach.entry import Entry
from twinhull.reach.errors import EntryError
from twinhull.reach.hull import port_number

_LOOPBACK = ("127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class _Port:
    """A port that is forwarded."""

    #: Where it is here; 0 picks one that is free.
    local: int
    #: The Workload's port, by number or name.
    remote: str

    @classmethod
    def read(cls, text: str) -> _Port:
        """A port as kubectl writes it: 8080, 8080:80, :80, 8080:http. Raises BadParameter."""
        local, colon, remote = text.partition(":")
        if not colon:
            local, remote = (text if _is_number(text) else "0"), text
        if not remote or (local and not _is_number(local)):
            raise click.BadParameter(f"{text!r} is no port such as 8080, 8080:80, :80 or 8080:http")
        return cls(int(local or 0), remote)


def _is_number(text: str) -> bool:
    """Whether a text is the number of a port."""
    return text.isascii() and text.isdecimal() and int(text) < 1 << 16


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


@click.command(
    name="port-forward",
    epilog="""\b
Examples:
  twinhull port-forward web 8080:80                    # http://127.0.0.1:8080 is port 80 of web
  twinhull port-forward web 8080:http 5432             # several ports, one by its name
  twinhull port-forward web :80                        # a free port, which is printed
  twinhull port-forward web 80 --address 0.0.0.0       # reachable from other machines, too

\b
Exit codes:
  0  it was ended by Ctrl+C or SIGTERM
  1  a port can't be opened here, or there is no way into the Workload
  2  the command line is wrong
""",
)
@click.option(
    "--address",
    "addresses",
    metavar="ADDRESS",
    multiple=True,
    default=("localhost",),
    show_default=True,
    help="The address here. It may be repeated.",
)
@target_options
@click.argument("name")
@click.argument("ports", metavar="[LOCAL:]REMOTE…", nargs=-1, required=True)
def port_forward(name: str, ports: tuple[str, ...], addresses: tuple[str, ...], target: Target) -> None:
    """Forward local ports to those of a Workload, until Ctrl+C.

    It is the same for a Pod, a sandboxed Pod and a machine. It goes on with the next hull if the Workload's
    hull is replaced: a connection that is lost can be made anew. Connections are to the Workload's hull, not
    to its Service. A port's name is one that a container gives it.

    A Pod's port is reached as kubectl port-forward does. A machine's is reached by an AccessRequest and
    through its launcher Pod: it needs the rights to create, get and delete AccessRequests, to list Pods, and
    to get and create pods/portforward.
    """
    asyncio.run(_forward(target, name, [_Port.read(port) for port in ports], addresses))


async def _forward(target: Target, name: str, ports: Sequence[_Port], addresses: Sequence[str]) -> None:
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
            click.echo(f"Error: a connection to port {remote} of {follower.name} failed: {message}", err=True)

        opened = forwarding.listening(lambda: follower.port(remote), complain, address, local)
        try:
            local = await listeners.enter_async_context(opened)
        except OSError as error:
            if address == _LOOPBACK[1] and local:
                continue  # a machine without IPv6
            raise click.ClickException(f"port {local} can't be opened at {address}: {error}") from error
        shown = f"[{address}]" if ":" in address else address
        click.echo(f"Forwarding from {shown}:{local} -> {remote}")
