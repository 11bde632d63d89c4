"""Keeps a silent WebSocket in use, since proxies on the way close connections that nothing is sent on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import aiohttp

#: How often the other end is pinged, in seconds: load balancers close a silent connection after a minute or
#: more.
_EACH = 20.0


@asynccontextmanager
async def kept_alive(socket: aiohttp.ClientWebSocketResponse) -> AsyncIterator[None]:
    """Within the context, ping the other end every _EACH seconds.

    How long the answer takes doesn't matter: it comes after all data that is under way, and TCP tells whether
    the connection is alive. aiohttp's own `heartbeat` would give up a connection after some seconds.
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
