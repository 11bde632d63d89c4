"""Listens on this machine, and serves each connection by a function that leads into a hull."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

#: Serves a connection until it has ended well; raises the error that it failed with.
Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
#: Is told the error that a connection failed with.
Failed = Callable[[Exception], None]


@asynccontextmanager
async def listening(serve: Serve, failed: Failed, host: str, port: int) -> AsyncIterator[int]:
    """Serve each connection to an address. Gives the port; 0 picks a free one.

    A connection that fails is cut, so that its client sees that the data isn't complete. At the end, all
    connections are cut. Raises OSError if the port is taken.
    """
    connections: set[asyncio.Task[None]] = set()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await serve(reader, writer)
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()
        except Exception as error:  # noqa: BLE001  only `failed` tells people about it
            failed(error)
        finally:
            writer.transport.abort()  # does nothing to a connection that has ended well

    def accepted(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = asyncio.ensure_future(connected(reader, writer))
        connections.add(connection)
        connection.add_done_callback(connections.discard)

    server = await asyncio.start_server(accepted, host, port)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for connection in connections:
            connection.cancel()
        await asyncio.gather(*connections, return_exceptions=True)
        await server.wait_closed()
