"""An entry: what one can do in the hull that a Workload runs in, the same for a Pod and for a machine."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Literal, Protocol

import aiohttp

from twinhull.reach import port_forward, remote_command
from twinhull.reach.errors import EntryError
from twinhull.shell.upgrades import UpgradeRefusedError

#: A query, by its parameters: logs have those of the type PodLogOptions (core/v1).
Query = Sequence[tuple[str, str]]
#: The protocols of commands and of ports.
COMMAND_PROTOCOLS, PORT_PROTOCOLS = remote_command.PROTOCOLS, (port_forward.PROTOCOL,)
#: The most bytes of a message: kubelets write 32 KiB at a time.
_LARGEST_MESSAGE = 1 << 24
#: How long the other end may take to confirm that this end closes, in seconds. Nothing depends on that.
_TIMEOUT = aiohttp.ClientWSTimeout(ws_close=0.2)
#: How long a connection to a log may take, in seconds: with a guest its TLS handshake is among it.
_CONNECTING = 30.0
#: The most bytes of a refusal that are read.
_LARGEST_REFUSAL = 1 << 16
#: What refuses a WebSocket before it is opened: the credentials, the rights, or that there is no such thing.
_REFUSED = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND})


@dataclass(frozen=True, slots=True)
class CommandQuery:
    """How a command is connected."""

    #: The command with its arguments; none for an attachment.
    command: tuple[str, ...] = ()
    #: Whether it has a standard input.
    stdin: bool = False
    #: Whether its streams are a terminal's.
    tty: bool = False


class Entry(Protocol):
    """What one can do in a hull. All methods raise EntryError."""

    @property
    def containers(self) -> tuple[str, ...]:
        """The names of the containers, the init containers first."""

    async def log(self, container: str, query: Query) -> aiohttp.ClientResponse:
        """A container's log, which is yet to be read."""

    async def command(
        self, kind: Literal["exec", "attach"], container: str, query: CommandQuery
    ) -> aiohttp.ClientWebSocketResponse:
        """A command in a container, or its main process, by the protocol of remote_command."""

    async def port(self, port: int) -> aiohttp.ClientWebSocketResponse:
        """A connection to a port, by the protocol of port_forward; of a machine that boots a disk of its own,
        by that of kubevirt_stream.
        """

    async def check_port(self, port: int) -> None:
        """Raise EntryError if it can be told that no port is forwarded, before anybody connects."""

    def port_note(self, port: int) -> str:
        """What to do if no connection to a port succeeds, empty if the error itself says all."""


async def websocket(
    session: aiohttp.ClientSession, url: str, query: Query, protocols: Sequence[str]
) -> aiohttp.ClientWebSocketResponse:
    """A WebSocket with one of these protocols. Raises EntryError with the server's own words, if the session
    reads refusals (twinhull.shell.upgrades).
    """
    try:
        socket = await session.ws_connect(
            url, params=query, protocols=protocols, max_msg_size=_LARGEST_MESSAGE, timeout=_TIMEOUT
        )
    except UpgradeRefusedError as error:
        raise EntryError(_message(error.text, error.status), error.status) from error
    except (aiohttp.ClientError, OSError, TimeoutError) as error:
        raise EntryError(f"the connection failed: {str(error) or type(error).__name__}") from error
    if socket.protocol is None:
        await socket.close()
        raise EntryError(f"the server speaks none of the protocols {', '.join(protocols)}")
    return socket


async def check_upgrade(session: aiohttp.ClientSession, url: str, query: Query = ()) -> None:
    """Raise EntryError if the caller may not open a WebSocket, or if there is nothing to open it to. It asks
    without an upgrade, so nothing is opened: a server that would open one answers 400.
    """
    try:
        async with session.get(url, params=query) as answer:
            if answer.status in _REFUSED:
                raise EntryError(await _refusal(answer), answer.status)
    except (aiohttp.ClientError, OSError, TimeoutError) as error:
        raise EntryError(f"the connection failed: {str(error) or type(error).__name__}") from error


async def streamed(session: aiohttp.ClientSession, url: str, query: Query) -> aiohttp.ClientResponse:
    """An answer that goes on for as long as there is more to say. Raises EntryError."""
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=_CONNECTING)
    try:
        answer = await session.get(url, params=query, timeout=timeout)
    except (aiohttp.ClientError, OSError, TimeoutError) as error:
        raise EntryError(f"the connection failed: {str(error) or type(error).__name__}") from error
    if answer.status != 200:  # noqa: PLR2004
        async with answer:
            raise EntryError(await _refusal(answer), answer.status)
    return answer


async def _refusal(answer: aiohttp.ClientResponse) -> str:
    """What an answer says."""
    text = (await answer.content.read(_LARGEST_REFUSAL)).decode(errors="replace").strip()
    return _message(text, answer.status)


def _message(text: str, code: int) -> str:
    """What a refusal says: a Status (meta/v1), or a kubelet's own text."""
    try:
        status = json.loads(text)
    except (ValueError, RecursionError):
        return text or f"the server answered {code}"
    message = status.get("message") or status.get("error") if isinstance(status, Mapping) else None
    return str(message or f"the server answered {code}")
