"""An entry to the hull that a Workload runs in: its logs, commands and ports, the same for a Pod and a
machine.
"""

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

#: A request's parameters. For logs they are the fields of PodLogOptions (core/v1).
Query = Sequence[tuple[str, str]]
#: The protocols of commands and of ports.
COMMAND_PROTOCOLS, PORT_PROTOCOLS = remote_command.PROTOCOLS, (port_forward.PROTOCOL,)
#: The most bytes of a message: kubelets write 32 KiB at a time.
_LARGEST_MESSAGE = 1 << 24
#: How long the other end may take to confirm the end of a WebSocket, in seconds. Nothing depends on that.
_TIMEOUT = aiohttp.ClientWSTimeout(ws_close=0.2)
#: How long a connection to a log may take, in seconds; with a guest, that includes the TLS handshake.
_CONNECTING = 30.0
#: The most bytes of a refusal that are read.
_LARGEST_REFUSAL = 1 << 16
#: The codes of a WebSocket that is refused before it is opened: the credentials or rights are missing, or the
#: object is.
_REFUSED = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND})


@dataclass(frozen=True, slots=True)
class CommandQuery:
    """A command, and how it is connected."""

    #: The command with its arguments; none for an attachment.
    command: tuple[str, ...] = ()
    #: Whether it has a standard input.
    stdin: bool = False
    #: Whether its streams are a terminal's.
    tty: bool = False


class Entry(Protocol):
    """What a person can do in a hull. All methods raise EntryError."""

    @property
    def containers(self) -> tuple[str, ...]:
        """The names of the containers, the init containers first."""

    async def log(self, container: str, query: Query) -> aiohttp.ClientResponse:
        """A container's log. Its content is still to be read."""

    async def command(
        self, kind: Literal["exec", "attach"], container: str, query: CommandQuery
    ) -> aiohttp.ClientWebSocketResponse:
        """A command in a container, or its main process, by the protocol of remote_command."""

    async def port(self, port: int) -> aiohttp.ClientWebSocketResponse:
        """A connection to a port, by the protocol of port_forward. For a machine that boots a disk of its
        own, it is by that of kubevirt_stream.
        """

    async def check_port(self, port: int) -> None:
        """Raise EntryError if a port can't be forwarded, as far as that is known before anybody connects."""

    def port_note(self, port: int) -> str:
        """What to do if no connection to a port succeeds, empty if the error itself says enough."""


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
    """Raise EntryError if the caller may not open a WebSocket, or if there is nothing to open it to.

    The request asks for no upgrade, so nothing is opened: a server that would open a WebSocket answers 400.
    """
    try:
        async with session.get(url, params=query) as answer:
            if answer.status in _REFUSED:
                raise EntryError(await _refusal(answer), answer.status)
    except (aiohttp.ClientError, OSError, TimeoutError) as error:
        raise EntryError(f"the connection failed: {str(error) or type(error).__name__}") from error


async def streamed(session: aiohttp.ClientSession, url: str, query: Query) -> aiohttp.ClientResponse:
    """An answer whose content may go on without end. Raises EntryError."""
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
    """The message of an answer that refuses a request."""
    text = (await answer.content.read(_LARGEST_REFUSAL)).decode(errors="replace").strip()
    return _message(text, answer.status)


def _message(text: str, code: int) -> str:
    """The message in a refusal: that of a Status (meta/v1), or a kubelet's plain text."""
    try:
        status = json.loads(text)
    except (ValueError, RecursionError):
        return text or f"the server answered {code}"
    message = status.get("message") or status.get("error") if isinstance(status, Mapping) else None
    return str(message or f"the server answered {code}")
