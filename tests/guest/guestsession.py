"""A person's connections to a guest's port, in this process."""

from __future__ import annotations

import asyncio
import socket
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import aiohttp

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator


@asynccontextmanager
async def guest_session(tls: ssl.SSLContext, **settings: Any) -> AsyncIterator[aiohttp.ClientSession]:
    """A session, which is over when its sockets are closed.

    aiohttp doesn't wait for those of WebSockets, whose TLS ends with an answer of the guest
    (https://docs.aiohttp.org/en/stable/client_advanced.html#graceful-shutdown). asyncio gives that half a
    minute, and then drops the connection.
    """
    sockets: list[socket.socket] = []

    def create(address: tuple[Any, ...]) -> socket.socket:
        sockets.append(socket.socket(*address[:3]))
        return sockets[-1]

    connector = aiohttp.TCPConnector(ssl=tls, socket_factory=create)
    async with aiohttp.ClientSession(connector=connector, **settings) as session:
        yield session
    while any(one.fileno() >= 0 for one in sockets):  # noqa: ASYNC110  nothing tells of it
        await asyncio.sleep(0.05)
