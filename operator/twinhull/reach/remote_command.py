"""The protocol of exec and attach: numbered channels in the messages of a WebSocket.

https://pkg.go.dev/k8s.io/apimachinery/pkg/util/remotecommand names the versions. The first byte of a message
is its channel. Version 5 can also close a channel, which tells the command that its input has ended.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import aiohttp

from twinhull.reach.errors import RemoteCommandError
from twinhull.reach.keep_alive import kept_alive

#: The protocols that are offered, the preferred one first.
PROTOCOLS = ("v5.channel.k8s.io", "v4.channel.k8s.io")
#: How long the standard input may take to give the error by which it ended, in seconds.
_ENDING = 2.0
#: The exit codes of a failure.
_CODE = re.compile("[1-9]|[1-9][0-9]|1[0-9][0-9]|2[0-4][0-9]|25[0-5]")
#: The words that the API server and kubelets put before a runtime's message, once each.
_INTERNAL = re.compile("^(Internal error occurred: )+")


class Channel(IntEnum):
    """The channel of a message."""

    STDIN = 0
    STDOUT = 1
    STDERR = 2
    ERROR = 3
    RESIZE = 4
    CLOSE = 255


@dataclass(frozen=True, slots=True)
class Streams:
    """The streams that a command is connected to."""

    #: Gets the command's output, in pieces.
    stdout: Callable[[bytes], None]
    #: Gets the command's standard error. With a terminal all goes to stdout.
    stderr: Callable[[bytes], None]
    #: The command's input. None if it has no standard input.
    stdin: AsyncIterator[bytes] | None = None
    #: The sizes of its terminal, columns and rows, as often as they change. None without a terminal.
    sizes: AsyncIterator[tuple[int, int]] | None = None


async def follow(socket: aiohttp.ClientWebSocketResponse, streams: Streams) -> int:
    """Connect a command with its streams until it has ended.

    Returns its exit code. Raises RemoteCommandError if the command couldn't be run, or if the connection ends
    before it does.
    """
    typing = asyncio.ensure_future(_send_stdin(socket, streams.stdin))
    sending = [typing, asyncio.ensure_future(_send_sizes(socket, streams.sizes))]
    try:
        async with kept_alive(socket):
            return await _received(socket, streams)
    except RemoteCommandError:
        await asyncio.wait([typing], timeout=_ENDING)  # the sizes of a terminal never end
        for task in sending:
            if task.done() and (why := task.exception()):
                raise why from None
        raise
    finally:
        for task in sending:
            task.cancel()
        with contextlib.suppress(asyncio.CancelledError, ConnectionError, aiohttp.ClientError):
            await asyncio.gather(*sending, return_exceptions=True)
        await socket.close()


async def _received(socket: aiohttp.ClientWebSocketResponse, streams: Streams) -> int:
    """Hand on the command's output until it has ended. Returns its exit code."""
    async for message in socket:
        if message.type is not aiohttp.WSMsgType.BINARY or not message.data:
            continue
        channel, data = message.data[0], message.data[1:]
        if channel == Channel.STDOUT and data:
            streams.stdout(data)
        elif channel == Channel.STDERR and data:
            streams.stderr(data)
        elif channel == Channel.ERROR and data:
            return _exit_code(data)
    raise RemoteCommandError("the connection was lost before the command ended: its exit code is unknown")


def _exit_code(data: bytes) -> int:
    """The exit code in a Status (meta/v1), in which version 4 and later tell how a command ended."""
    try:
        status: Any = json.loads(data)
    except ValueError as error:
        raise RemoteCommandError(data.decode(errors="replace")) from error
    if not isinstance(status, dict):
        status = {}
    if status.get("status") == "Success":
        return 0
    details = status.get("details")
    causes = details.get("causes") if isinstance(details, dict) else None
    codes = [
        str(cause.get("message"))
        for cause in (causes if isinstance(causes, list) else ())
        if isinstance(cause, dict) and cause.get("reason") == "ExitCode"
    ]
    if status.get("reason") == "NonZeroExitCode" and codes and _CODE.fullmatch(codes[0]):
        return int(codes[0])
    message = str(status.get("message") or "the command couldn't be run")
    raise RemoteCommandError(_INTERNAL.sub("", message) or message)


async def _send_stdin(socket: aiohttp.ClientWebSocketResponse, stdin: AsyncIterator[bytes] | None) -> None:
    if stdin is None:
        return
    try:
        async for data in stdin:
            await socket.send_bytes(bytes([Channel.STDIN]) + data)
        if socket.protocol == PROTOCOLS[0]:
            await socket.send_bytes(bytes([Channel.CLOSE, Channel.STDIN]))
    except (ConnectionError, aiohttp.ClientError):
        pass  # the receiving side raises it
    except Exception:
        await socket.close()  # the command must not take a part of its input for all
        raise


async def _send_sizes(
    socket: aiohttp.ClientWebSocketResponse, sizes: AsyncIterator[tuple[int, int]] | None
) -> None:
    if sizes is None:
        return
    async for columns, rows in sizes:
        size = json.dumps({"Width": columns, "Height": rows}).encode()
        await socket.send_bytes(bytes([Channel.RESIZE]) + size)
