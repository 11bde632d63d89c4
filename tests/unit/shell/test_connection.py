"""The connection: what becomes of those who read an answer when credentials are renewed, and at the end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aiohttp
import pytest
from aiohttp import web

from tests.controlplane.polling import PATIENCE
from twinhull.shell.connection import Connection
from twinhull.shell.errors import Unreachable
from twinhull.shell.kopf_process.credentials import Credentials
from twinhull.shell.transport import Request, Transport, unreachable

from . import http_apiserver

#: A watch has no limit of its own.
_WATCH = Request("GET", "/watch", timeout=aiohttp.ClientTimeout(total=None))


@dataclass
class World:
    """A watch that somebody reads."""

    connection: Connection
    #: What the server says next; it ends the watch with an empty text.
    chunks: asyncio.Queue[bytes] = field(default_factory=asyncio.Queue)
    heard: list[bytes] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while text := await self.chunks.get():
            await response.write(text)
        return response

    async def read(self) -> None:
        with unreachable(_WATCH):
            async with await Transport(self.connection, lambda: True).begin(_WATCH) as response:
                async for chunk in response.content.iter_any():
                    self.heard.append(chunk)


@asynccontextmanager
async def reading(pool_size: int) -> AsyncIterator[tuple[World, asyncio.Task[None]]]:
    """A watch that has begun, and who reads it."""
    app, urls = web.Application(), list[str]()
    world = World(Connection(lambda: Credentials(server=urls[0]), pool_size=pool_size))
    app.router.add_get("/watch", world.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    urls.append("http://{}:{}".format(*runner.addresses[0][:2]))
    reader = asyncio.create_task(world.read())
    try:
        world.chunks.put_nowait(b"begun")
        await http_apiserver.until(lambda: world.heard == [b"begun"])
        yield world, reader
    finally:
        world.chunks.put_nowait(b"")
        reader.cancel()
        await world.connection.close()
        await runner.cleanup()


def run(check: Callable[[World, asyncio.Task[None]], Awaitable[None]], pool_size: int = 0) -> None:
    async def main() -> None:
        async with reading(pool_size) as (world, reader):
            await check(world, reader)

    asyncio.run(main())


def test_a_watch_goes_on_when_credentials_are_renewed() -> None:
    async def check(world: World, reader: asyncio.Task[None]) -> None:
        first, _ = await world.connection.open()
        second, _ = await world.connection.renew(first)
        assert second is not first
        world.chunks.put_nowait(b"after")
        await http_apiserver.until(lambda: world.heard == [b"begun", b"after"])
        world.chunks.put_nowait(b"")
        await reader
        assert not first.closed
        third, _ = await world.connection.renew(second)
        assert (first.closed, second.closed, third.closed) == (True, True, False)

    run(check)


def test_who_reads_is_told_at_the_end() -> None:
    async def check(world: World, reader: asyncio.Task[None]) -> None:
        await world.connection.close()
        with pytest.raises(Unreachable):
            await asyncio.wait_for(reader, PATIENCE)

    run(check)


def test_an_answer_that_comes_after_its_session_is_closed_is_not_waited_for() -> None:
    async def check(world: World, _: asyncio.Task[None]) -> None:
        session, server = await world.connection.open()
        world.chunks.put_nowait(b"")
        answer = await session.get(f"{server}/watch")
        await world.connection.close()
        world.connection.reads(session, answer)
        with pytest.raises(aiohttp.ClientConnectionError):
            await asyncio.wait_for(answer.content.read(), PATIENCE)

    run(check)


def test_who_waits_for_a_socket_is_told_that_the_session_was_renewed() -> None:
    """What they wait for is cancelled by aiohttp, and a task that is cancelled ends without a word."""

    async def check(world: World, _: asyncio.Task[None]) -> None:
        session, __ = await world.connection.open()
        waiting = asyncio.create_task(world.read())
        await http_apiserver.until(lambda: bool(session.connector and session.connector._waiters))  # noqa: SLF001
        await session.close()
        with pytest.raises(Unreachable):
            await asyncio.wait_for(waiting, PATIENCE)
        assert not waiting.cancelled()

    run(check, pool_size=1)
