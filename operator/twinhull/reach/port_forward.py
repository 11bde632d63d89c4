"""The protocol of port-forward: a WebSocket for each connection. Each message begins with its channel.

By k8s.io/cri-streaming, pkg/streaming/portforward/websocket.go, channel 0 has the data and channel 1 an
error. The first message of each channel has only the port, in two bytes.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TypeAlias

import aiohttp

from twinhull.reach import listener
from twinhull.reach.errors import PortForwardError
from twinhull.reach.keep_alive import kept_alive

PROTOCOL = "v4.channel.k8s.io"
_DATA, _ERROR = 0, 1
_PORT_BYTES = 2
_CHUNK = 1 << 16
#: How long the other end may be silent once this end sends no more, in seconds: after it has answered the
#: last data, and before. The protocol can't tell the other end that its input has ended, and nothing tells
#: whether the local client still reads: a client with an answer has mostly gone, one without may wait for it.
_AFTER_ANSWER, _AFTER_QUESTION = 0.5, 30.0
#: Opens a WebSocket to the port, by that protocol.
Dial: TypeAlias = Callable[[], Awaitable[aiohttp.ClientWebSocketResponse]]
#: Is told why a connection failed.
Report: TypeAlias = Callable[[Exception], None]


async def forward(
    socket: aiohttp.ClientWebSocketResponse, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    """Forward a connection until the other end closes it, or until this end sends no more and the other end
    is silent. Raises PortForwardError.
    """
    loop, begun, answered = asyncio.get_running_loop(), set[int](), False

    def question_sent() -> None:
        nonlocal answered
        answered = False

    sending = asyncio.ensure_future(_send(socket, reader, question_sent))
    try:
        async with kept_alive(socket), asyncio.timeout(None) as silence:

            def end_when_silent(_: object) -> None:
                silence.reschedule(loop.time() + (_AFTER_ANSWER if answered else _AFTER_QUESTION))

            sending.add_done_callback(end_when_silent)
            try:
                async for message in socket:
                    if message.type is not aiohttp.WSMsgType.BINARY or not message.data:
                        continue
                    channel, data = message.data[0], message.data[1:]
                    if channel not in begun:
                        begun.add(channel)
                        data = data[_PORT_BYTES:]
                    if channel == _ERROR and data:
                        raise PortForwardError(data.decode(errors="replace"))
                    if channel == _DATA and data:
                        answered = True
                        writer.write(data)
                        await writer.drain()
                    if sending.done():
                        end_when_silent(None)
            finally:
                sending.remove_done_callback(end_when_silent)
                sending.cancel()
                await asyncio.gather(sending, return_exceptions=True)
                await socket.close()
    except TimeoutError:
        writer.transport.abort()  # a client that still reads sees that the data isn't complete


async def _send(
    socket: aiohttp.ClientWebSocketResponse, reader: asyncio.StreamReader, question_sent: Callable[[], None]
) -> None:
    """Send the data of the local client until it ends. Raises only errors of the connection."""
    while data := await reader.read(_CHUNK):
        question_sent()
        await socket.send_bytes(bytes([_DATA]) + data)


@asynccontextmanager
async def listening(dial: Dial, report: Report, host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[int]:
    """Forward each connection to an address of this machine. Gives the port; 0 picks a free one.

    `report` gets the error of each connection that failed.
    """

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await forward(await dial(), reader, writer)

    async with listener.listening(serve, report, host, port) as opened:
        yield opened
