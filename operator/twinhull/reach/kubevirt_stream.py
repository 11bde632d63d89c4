"""KubeVirt's streams of a machine: its serial console, its screen, and its ports.

Each is a subresource of the VirtualMachineInstance, which the API server hands on to virt-api: a WebSocket
of the subprotocol plain.kubevirt.io, whose binary messages are the stream's bytes and nothing else
(kubevirt.io/client-go/kubevirt/typed/core/v1, async.go and websocket.go). Either end closes all of it: the
protocol can't close one direction.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiohttp

from twinhull.shell.connection import Connection

PROTOCOL = "plain.kubevirt.io"
_ROOT = "/apis/subresources.kubevirt.io/v1"
#: How often a stream is seen to be alive, in seconds: proxies on the way close one that is silent.
_HEARTBEAT = 30.0
#: The most bytes of a refusal that are read, and of a local connection at a time.
_LARGEST_REFUSAL, _CHUNK = 1 << 16, 1 << 16
_UNAUTHORIZED, _BAD_REQUEST, _FORBIDDEN, _NOT_FOUND = 401, 400, 403, 404


class StreamError(Exception):
    """There is no stream. The message is the server's own."""

    def __init__(self, message: str, status: int = 0) -> None:
        super().__init__(message)
        #: The HTTP status by which it was refused, 0 if the server wasn't reached.
        self.status = status

    @property
    def may_pass(self) -> bool:
        """Whether it is refused only because the machine doesn't run yet: virt-api answers 400 then, as it
        does for a machine without such a device (kubevirt.io/kubevirt/pkg/virt-api/rest, console.go and
        vnc.go).
        """
        return self.status == _BAD_REQUEST and "are present" not in str(self)

    @property
    def is_forbidden(self) -> bool:
        """Whether the caller may not."""
        return self.status == _FORBIDDEN

    @property
    def is_missing(self) -> bool:
        """Whether there is no such machine, or no KubeVirt."""
        return self.status == _NOT_FOUND


@dataclass(frozen=True, slots=True)
class Instance:
    """A VirtualMachineInstance, by the caller's own rights."""

    connection: Connection
    namespace: str
    name: str

    async def console(self) -> aiohttp.ClientWebSocketResponse:
        """Its serial console. Whoever has it already loses it. Raises StreamError."""
        return await self._stream("console")

    async def screen(self) -> aiohttp.ClientWebSocketResponse:
        """Its screen, by the protocol of VNC (RFC 6143). Whoever has it already loses it. Raises
        StreamError.
        """
        return await self._stream("vnc")

    async def port(self, number: int) -> aiohttp.ClientWebSocketResponse:
        """A connection to a TCP port of its first network interface. Raises StreamError."""
        return await self._stream(f"portforward/{number}/tcp")

    async def _stream(self, subresource: str) -> aiohttp.ClientWebSocketResponse:
        path = f"{_ROOT}/namespaces/{self.namespace}/virtualmachineinstances/{self.name}/{subresource}"
        session, server = await self.connection.open()
        try:
            return await _connected(session, server + path)
        except StreamError as error:
            if error.status != _UNAUTHORIZED:
                raise
        session, server = await self.connection.renew(session)
        return await _connected(session, server + path)


async def _connected(session: aiohttp.ClientSession, url: str) -> aiohttp.ClientWebSocketResponse:
    try:
        socket = await session.ws_connect(url, protocols=(PROTOCOL,), heartbeat=_HEARTBEAT)
    except aiohttp.WSServerHandshakeError as error:
        raise StreamError(await _why(session, url, error.status), error.status) from error
    except (aiohttp.ClientError, OSError, TimeoutError) as error:
        raise StreamError(f"the connection failed: {error or type(error).__name__}") from error
    if socket.protocol != PROTOCOL:
        await close(socket)
        raise StreamError(f"the server doesn't speak {PROTOCOL}")
    return socket


async def _why(session: aiohttp.ClientSession, url: str, status: int) -> str:
    """Why a stream was refused. aiohttp doesn't keep the answer's text, so it is asked for again without an
    upgrade: of rights, and of whether the machine runs, the answer is the same.
    """
    unknown = f"the server answered {status}"
    try:
        async with session.get(url) as answer:
            text = (await answer.content.read(_LARGEST_REFUSAL)).decode(errors="replace").strip()
    except (aiohttp.ClientError, OSError, TimeoutError):
        return unknown
    if answer.status != status:
        return unknown
    try:
        said = json.loads(text)
    except (ValueError, RecursionError):
        return text or unknown
    return str(said.get("message") or unknown) if isinstance(said, Mapping) else unknown


async def close(socket: aiohttp.ClientWebSocketResponse) -> None:
    """Close a stream, also one whose other end is lost: aiohttp leaves its connection open then, and
    complains of that later.
    """
    await socket.close()
    socket._response.close()  # noqa: SLF001  there is no other way


async def copy(
    socket: aiohttp.ClientWebSocketResponse,
    source: AsyncIterator[bytes],
    sink: Callable[[bytes], Awaitable[None]],
    *,
    outlives_source: bool = False,
) -> bool:
    """Copy both ways until the machine's end closes, or the source ends, unless the stream outlives it.

    Whether the source ended it. Raises what the sink raises.
    """
    sending = asyncio.ensure_future(_send(socket, source))
    receiving = asyncio.ensure_future(_receive(socket, sink))
    try:
        both = {sending, receiving}
        done, _ = await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        if outlives_source and receiving not in done:
            await receiving
        if receiving.done():
            receiving.result()
        return not receiving.done()
    finally:
        for task in (sending, receiving):
            task.cancel()
        await asyncio.gather(sending, receiving, return_exceptions=True)
        await close(socket)


async def _send(socket: aiohttp.ClientWebSocketResponse, source: AsyncIterator[bytes]) -> None:
    with contextlib.suppress(ConnectionError, aiohttp.ClientError):  # the other task sees that it is closed
        async for data in source:
            await socket.send_bytes(data)


async def _receive(socket: aiohttp.ClientWebSocketResponse, sink: Callable[[bytes], Awaitable[None]]) -> None:
    async for message in socket:
        if message.type is aiohttp.WSMsgType.BINARY:
            await sink(message.data)


#: Opens a stream.
Dial = Callable[[], Awaitable[aiohttp.ClientWebSocketResponse]]


@asynccontextmanager
async def listening(dial: Dial, told: Callable[[str], None], port: int = 0) -> AsyncIterator[int]:
    """Connect each connection to a port of this machine's loopback address with a stream of its own.

    Gives the port; 0 picks one that is free. `told` gets a line for each stream that can't be opened.
    Raises OSError if the port is taken.
    """
    tasks: set[asyncio.Task[None]] = set()

    def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(serve(reader, writer))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async def sink(data: bytes) -> None:
            writer.write(data)
            await writer.drain()

        try:
            await copy(await dial(), _pieces(reader), sink)
        except StreamError as error:
            told(str(error))
        except OSError:
            pass  # whoever had connected is gone
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    server = await asyncio.start_server(connected, "127.0.0.1", port)
    async with server:
        try:
            yield server.sockets[0].getsockname()[1]
        finally:
            server.close()
            for task in list(tasks):
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


async def _pieces(reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
    while data := await reader.read(_CHUNK):
        yield data
