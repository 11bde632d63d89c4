"""Keeps a WebSocket in use while nobody says anything, as proxies on the way close one that is silent."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import aiohttp

#: How often, in seconds: load balancers wait for a minute or more.
_EACH = 20.0


@asynccontextmanager
async def kept_alive(socket: aiohttp.ClientWebSocketResponse) -> AsyncIterator[None]:
    """Ping the other end now and then.

    How long it takes for the answer doesn't matter: it comes behind all that is under way, and whether the
    connection lives is for TCP to say. aiohttp's own `heartbeat` gives a connection up after some seconds.
    """
    pinging = asyncio.ensure_future(_ping(socket))
    try:
        yield
    finally:
        pinging.cancel()
        await asyncio.gather(pinging, return_exceptions=True)


async def _ping(socket: aiohttp.ClientWebSocketResponse) -> None:
    with suppress(ConnectionError, aiohttp.ClientError):
        while True:
            await asyncio.sleep(_EACH)
            await socket.ping()
