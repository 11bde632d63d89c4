"""KubeVirt's streams of a machine: its serial console, its screen, and its ports.

Each is a subresource of the VirtualMachineInstance, which the API server hands on to virt-api: a WebSocket
of the subprotocol plain.kubevirt.io, whose binary messages are the stream's bytes and nothing else
(kubevirt.io/client-go/kubevirt/typed/core/v1, async.go and websocket.go). Either end closes all of it: the
protocol can't close one direction.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import aiohttp

from twinhull.api import commands
from twinhull.reach import listener
from twinhull.reach.entry import check_upgrade, websocket
from twinhull.reach.errors import EntryError
from twinhull.reach.keep_alive import kept_alive
from twinhull.reach.machine_owner import check_owner
from twinhull.shell.cluster import Cluster
from twinhull.shell.connection import Connection
from twinhull.shell.kinds import VIRTUAL_MACHINE_INSTANCE
from twinhull.shell.kopf_process.credentials import LoginError

PROTOCOL = "plain.kubevirt.io"
_INSTANCE = replace(VIRTUAL_MACHINE_INSTANCE, group="subresources.kubevirt.io")
#: How many seconds to wait for more from a machine's port once there is nothing more to send to it.
LINGERS = 5.0
_ROLES = "KubeVirt's roles kubevirt.io:edit and kubevirt.io:admin have it"
#: virt-api's words if a machine refuses a connection, which are Go's.
_NOBODY_LISTENS = "connection refused"
#: The most bytes that are read from a local connection at a time.
_CHUNK = 1 << 16
_UNAUTHORIZED, _BAD_REQUEST, _FORBIDDEN, _NOT_FOUND = 401, 400, 403, 404


class StreamError(EntryError):
    """There is no stream. The message is the server's own."""

    @property
    def may_pass(self) -> bool:
        """Whether the stream is refused only because the machine doesn't run yet. virt-api then answers 400,
        as it does for a machine without such a device (kubevirt.io/kubevirt/pkg/virt-api/rest, console.go and
        vnc.go).
        """
        return self.status == _BAD_REQUEST and "are present" not in str(self)

    @property
    def is_forbidden(self) -> bool:
        """Whether the caller lacks the right."""
        return self.status == _FORBIDDEN

    @property
    def is_missing(self) -> bool:
        """Whether the machine, or KubeVirt itself, doesn't exist."""
        return self.status == _NOT_FOUND

    @property
    def is_unheard(self) -> bool:
        """Whether nothing in the machine listens on the port."""
        return _NOBODY_LISTENS in str(self)

    def advised(self, instance: Instance, subresource: str) -> str:
        """The server's message on a subresource, and what to do."""
        sentence = f"VirtualMachineInstance {instance.name}: {self}"
        kind, _, port = subresource.partition("/")
        if self.is_forbidden:
            return (
                f"{sentence}. You need the right to get virtualmachineinstances/{kind} in the API group "
                f"{_INSTANCE.group}: {_ROLES}"
            )
        if self.is_missing:
            status, wait = (
                commands.ours(verb, instance.workload, instance.namespace) for verb in ("status", "wait")
            )
            return (
                f"{sentence}. It may be off: {status} says what its Workload does, {wait} waits until it is "
                "Ready, and twinhull preflight looks at KubeVirt"
            )
        if port and self.is_unheard:
            return f"nothing listens on port {port.partition('/')[0]} of the machine ({sentence})"
        return sentence


@dataclass(frozen=True, slots=True)
class Instance:
    """A VirtualMachineInstance, reached with the caller's own rights. Before each stream its owner is
    checked.
    """

    #: The sockets to the API server.
    connection: Connection
    #: Its namespace.
    namespace: str
    #: Its name, which is that of its VirtualMachine.
    name: str
    #: The name of the Workload that runs in it.
    workload: str
    #: That Workload's uid.
    workload_uid: str

    async def console(self) -> aiohttp.ClientWebSocketResponse:
        """Its serial console, which ends the former connection to it. Raises StreamError."""
        return await self._stream("console")

    async def screen(self) -> aiohttp.ClientWebSocketResponse:
        """Its screen, by the protocol of VNC (RFC 6143), which ends the former connection to it. Raises
        StreamError.
        """
        return await self._stream("vnc")

    async def port(self, number: int) -> aiohttp.ClientWebSocketResponse:
        """A connection to a TCP port of its first network interface. Raises StreamError."""
        return await self._stream(f"portforward/{number}/tcp")

    async def check(self, subresource: str) -> None:
        """Raise StreamError if a subresource is refused, such as for a missing right. Doesn't open it."""
        try:
            await self._check_owner()
            session, server = await self.connection.open()
            await check_upgrade(session, f"{server}{_INSTANCE.path(self.namespace, self.name)}/{subresource}")
        except EntryError as error:
            if error.status != _UNAUTHORIZED:  # the next request uses new credentials
                raise StreamError(str(error), error.status) from error
        except LoginError as error:
            raise StreamError(str(error)) from error

    async def _stream(self, subresource: str) -> aiohttp.ClientWebSocketResponse:
        path = f"{_INSTANCE.path(self.namespace, self.name)}/{subresource}"
        try:
            await self._check_owner()
            session, server = await self.connection.open()
            try:
                return await _connected(session, server + path)
            except StreamError as error:
                if error.status != _UNAUTHORIZED:
                    raise
            session, server = await self.connection.renew(session)
            return await _connected(session, server + path)
        except LoginError as error:
            raise StreamError(str(error)) from error

    async def _check_owner(self) -> None:
        try:
            cluster = Cluster(self.connection)
            await check_owner(cluster, self.namespace, self.name, self.workload, self.workload_uid)
        except EntryError as error:
            raise StreamError(str(error)) from error


async def _connected(session: aiohttp.ClientSession, url: str) -> aiohttp.ClientWebSocketResponse:
    try:
        return await websocket(session, url, (), (PROTOCOL,))
    except EntryError as error:
        raise StreamError(str(error), error.status) from error


async def close(socket: aiohttp.ClientWebSocketResponse) -> None:
    """Close a stream. aiohttp itself would leave the connection open if the other end is lost, and complain
    later.
    """
    await socket.close()
    socket._response.close()  # noqa: SLF001  aiohttp has no public way


async def copy(
    socket: aiohttp.ClientWebSocketResponse,
    source: AsyncIterator[bytes],
    sink: Callable[[bytes], Awaitable[None]],
    *,
    lingers: float = 0,
) -> bool:
    """Copy both ways, until the machine's end closes, or until the source has ended and the machine was
    silent for `lingers` seconds: data that the machine has sent may still be on its way.

    Returns whether the source ended it. Raises what the sink raises.
    """
    heard = asyncio.Event()

    async def noted(data: bytes) -> None:
        heard.set()
        await sink(data)

    sending = asyncio.ensure_future(_send(socket, source))
    receiving = asyncio.ensure_future(_receive(socket, noted))
    try:
        async with kept_alive(socket):
            await asyncio.wait({sending, receiving}, return_when=asyncio.FIRST_COMPLETED)
            if sending.done() and not sending.result():
                await receiving  # the stream was lost, and the source hasn't ended
            if lingers:
                await _until_silent(receiving, heard, lingers)
        if receiving.done():
            receiving.result()
        return not receiving.done()
    finally:
        for task in (sending, receiving):
            task.cancel()
        await asyncio.gather(sending, receiving, return_exceptions=True)
        await close(socket)


async def _until_silent(receiving: asyncio.Future[Any], heard: asyncio.Event, seconds: float) -> None:
    """Wait until the machine's end has closed, or has sent nothing for so many seconds."""
    while not receiving.done():
        heard.clear()
        news: asyncio.Future[Any] = asyncio.ensure_future(heard.wait())
        either = {receiving, news}
        done, _ = await asyncio.wait(either, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        news.cancel()
        if not done:
            return


async def _send(socket: aiohttp.ClientWebSocketResponse, source: AsyncIterator[bytes]) -> bool:
    """Send all that the source gives. Returns whether the source has ended; if not, the stream has, which the
    receiving task sees.
    """
    async for data in source:
        try:
            await socket.send_bytes(data)
        except (ConnectionError, aiohttp.ClientError):
            return False
    return True


async def _receive(socket: aiohttp.ClientWebSocketResponse, sink: Callable[[bytes], Awaitable[None]]) -> None:
    async for message in socket:
        if message.type is aiohttp.WSMsgType.BINARY:
            await sink(message.data)


async def join(
    socket: aiohttp.ClientWebSocketResponse, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    """Connect a stream with a local connection until either end closes it."""

    async def sink(data: bytes) -> None:
        writer.write(data)
        await writer.drain()

    await copy(socket, _pieces(reader), sink, lingers=LINGERS)


#: Opens a stream.
Dial = Callable[[], Awaitable[aiohttp.ClientWebSocketResponse]]


@asynccontextmanager
async def listening(dial: Dial, report: Callable[[str], None], port: int = 0) -> AsyncIterator[int]:
    """Give each connection to a local port, at the loopback address, a stream of its own.

    Gives the port; 0 picks a free one. `report` gets a line for each stream that can't be opened. Raises
    OSError if the port is taken.
    """

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await join(await dial(), reader, writer)

    def failed(error: Exception) -> None:
        # These errors mean that the local client is gone.
        if not isinstance(error, OSError | aiohttp.ClientError):
            report(str(error) or type(error).__name__)

    async with listener.listening(serve, failed, "127.0.0.1", port) as opened:
        yield opened


async def _pieces(reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
    while data := await reader.read(_CHUNK):
        yield data
