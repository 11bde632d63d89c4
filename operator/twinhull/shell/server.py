"""A small HTTP server, apart from the main event loop. One serves the probes, and one the metrics."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import socket
from collections.abc import Awaitable, Callable, Mapping
from typing import cast

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from twinhull.shell.server_limits import ConnectionLimits

logger = logging.getLogger(__name__)

Page = Callable[[web.Request], Awaitable[web.Response]]

#: How many connections the kernel keeps until the server accepts them.
_BACKLOG = 1024
#: How many connections are accepted in one round of the event loop. It takes about six rounds to answer one.
_AT_A_TIME = 16
#: The most bytes that a client may send. Probes and Prometheus send less than one thousand.
_LONGEST = 1 << 16
#: How many seconds the server waits for answers under way when it stops.
_ENDING = 1.0


class CannotServe(Exception):
    """The server can't listen at its address. The message says what to do."""


class Server:
    """Serves pages by their paths. `what` names the pages, such as metrics, and the option with the address:
    --WHAT-address.
    """

    def __init__(self, what: str, host: str, port: int, pages: Mapping[str, Page]) -> None:
        self.what = what
        self._host = host
        self._port = port
        app = web.Application(middlewares=[_once])
        for path, page in pages.items():
            app.router.add_get(path, page)
        logger.addFilter(_is_ours)
        self._runner = web.AppRunner(app, access_log=None, logger=logger, shutdown_timeout=_ENDING)
        self._limits = ConnectionLimits()
        self._sockets: list[socket.socket] = []
        self._arriving: set[asyncio.Task[object]] = set()

    async def start(self) -> str:
        """Start to listen. Returns the server's URL. Raises CannotServe."""
        await self._runner.setup()
        loop = asyncio.get_running_loop()
        try:
            addresses = await loop.getaddrinfo(self._host, self._port, type=socket.SOCK_STREAM)
            for family, _, _, _, address in addresses:
                listening = socket.create_server(address, family=family, backlog=_BACKLOG)
                self._sockets.append(listening)
        except OSError as error:
            self._close()
            raise CannotServe(
                f"{self.what} can't be served at {self._host}:{self._port} ({_why(error)}): "
                f"choose another --{self.what}-address"
            ) from error
        for listening in self._sockets:
            listening.settimeout(0)
            self._listen(listening)
        host, port = self._sockets[0].getsockname()[:2]
        return f"http://{host}:{port}"

    async def stop(self) -> None:
        """Stop listening."""
        self._close()
        await self._runner.cleanup()

    def _close(self) -> None:
        for listening in self._sockets:
            asyncio.get_running_loop().remove_reader(listening)
            listening.close()
        self._sockets.clear()

    def _listen(self, listening: socket.socket) -> None:
        if listening in self._sockets:
            asyncio.get_running_loop().add_reader(listening, self._accept, listening)

    def _accept(self, listening: socket.socket) -> None:
        """Accept the waiting connections. asyncio's own way costs ten times as much for each connection that
        is rejected.
        """
        loop = asyncio.get_running_loop()
        for _ in range(_AT_A_TIME):
            try:
                connection, peer = listening.accept()
            except (BlockingIOError, ConnectionAbortedError):  # none is left, or the client has gone
                return
            except OSError:  # there are too many open files
                loop.remove_reader(listening)
                loop.call_later(1.0, self._listen, listening)
                return
            if not self._limits.may_connect(peer[0], loop.time()):
                connection.close()
                continue
            connection.settimeout(0)
            task = loop.create_task(self._serve(connection, peer[0]))
            self._arriving.add(task)
            task.add_done_callback(self._arriving.discard)

    async def _serve(self, connection: socket.socket, address: str) -> None:
        """Hand a connection to the HTTP server, which then goes on by itself."""
        http, loop = self._runner.server, asyncio.get_running_loop()
        if http is None:  # it has been stopped just now
            connection.close()
            return
        with contextlib.suppress(OSError):
            await loop.connect_accepted_socket(lambda: _Connection(http(), self._limits, address), connection)


def _why(error: OSError) -> str:
    """The system's own words for an error: Python's may repeat the address. The system has none if a name
    can't be resolved.
    """
    number = error.errno or 0
    return os.strerror(number) if number > 0 else str(error.strerror)


def _is_ours(record: logging.LogRecord) -> bool:
    """Whether the server itself failed, and not a client: a client that doesn't speak HTTP must not fill the
    log.
    """
    return not (record.exc_info and isinstance(record.exc_info[1], HttpProcessingError))


@web.middleware
async def _once(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Close the connection after one request, to make room for others."""
    response = await handler(request)
    response.force_close()
    return response


class _Connection(asyncio.Protocol):
    """Passes the events of a connection on to the HTTP server, and tells the limits of its start and end."""

    def __init__(self, http: asyncio.Protocol, limits: ConnectionLimits, address: str) -> None:
        self._http = http
        self._limits = limits
        self._address = address
        self._transport: asyncio.Transport | None = None
        self._received = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._http.connection_made(transport)
        self._limits.opened(self._transport, self._address)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._transport is not None:
            self._limits.closed(self._transport)
        self._http.connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._received += len(data)
        if self._received > _LONGEST and self._transport is not None:
            self._transport.abort()
        else:
            self._http.data_received(data)

    def eof_received(self) -> bool | None:
        return self._http.eof_received()

    def pause_writing(self) -> None:
        self._http.pause_writing()

    def resume_writing(self) -> None:
        self._http.resume_writing()
