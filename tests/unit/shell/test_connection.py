"""The connection: what becomes of those who read when credentials are renewed."""

from __future__ import annotations

import asyncio

import aiohttp
import pytest
from aiohttp import web

from twinhull.shell.connection import Connection
from twinhull.shell.errors import Unreachable
from twinhull.shell.process.credentials import Credentials
from twinhull.shell.transport import Request, Transport, unreachable

#: A watch has no limit of its own.
_WATCH = Request("GET", "/watch", timeout=aiohttp.ClientTimeout(total=None))


@pytest.mark.parametrize("ends", ["renewed", "closed"])
def test_who_reads_is_told_when_its_session_is_closed(ends: str) -> None:
    async def main() -> None:
        over = asyncio.Event()

        async def stream(request: web.Request) -> web.StreamResponse:
            response = web.StreamResponse()
            await response.prepare(request)
            await response.write(b"begun")
            await over.wait()
            return response

        app = web.Application()
        app.router.add_get("/watch", stream)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        connection = Connection(lambda: Credentials(server=site_url(runner)), pool_size=0)
        transport = Transport(connection, lambda: True)

        async def read() -> None:
            with unreachable(_WATCH):
                async with await transport.begin(_WATCH) as response:
                    async for chunk in response.content.iter_any():
                        begun.set()
                        assert chunk == b"begun"

        begun = asyncio.Event()
        reader = asyncio.create_task(read())
        try:
            await begun.wait()
            session, _ = await connection.open()
            await (connection.renew(session) if ends == "renewed" else connection.close())
            with pytest.raises(Unreachable):
                await asyncio.wait_for(reader, 10)
        finally:
            over.set()
            reader.cancel()
            await connection.close()
            await runner.cleanup()

    asyncio.run(main())


def site_url(runner: web.AppRunner) -> str:
    host, port = runner.addresses[0][:2]
    return f"http://{host}:{port}"
