"""An API server over HTTP, of a few lines: it lists by pages, and says as events what it is told to."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from aiohttp import web

from tests.controlplane.polling import PATIENCE
from tests.controlplane.ports import LOOPBACK
from twinhull.shell.cluster import Cluster
from twinhull.shell.connection import Connection
from twinhull.shell.kopf_process.credentials import Credentials
from twinhull.shell.scope import Scope


class HttpApiServer:
    """What is served: by path, its objects as JSON, the events that a watch is sent, and an error instead."""

    def __init__(self) -> None:
        self.objects: dict[str, list[str]] = {}
        self.events: dict[str, asyncio.Queue[str]] = {}
        #: By path. With ?watch behind it that concerns watches alone.
        self.errors: dict[str, int] = {}
        self.version = 100
        #: Whether lists say their version.
        self.versioned = True
        self.lists: list[tuple[str, dict[str, str], str]] = []
        self.watches: list[tuple[str, dict[str, str], str]] = []

    def serve(self, path: str, *objects: str) -> asyncio.Queue[str]:
        """Serve a kind at a path. What is put into the queue is sent to whoever watches it; "" ends it."""
        self.objects[path] = list(objects)
        return self.events.setdefault(path, asyncio.Queue())

    def began(self) -> Counter[str]:
        """How often each path was watched."""
        return Counter(path for path, _, _ in self.watches)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """The answer to a request."""
        path, query, form = request.path, dict(request.query), request.headers.get("Accept", "")
        watched = "watch" in query
        (self.watches if watched else self.lists).append((path, query, form))
        code = self.errors.get(path, 200 if path in self.objects else 404)
        code = self.errors.get(f"{path}?watch", code) if watched else code
        if code != 200:
            return web.json_response(
                {"kind": "Status", "code": code, "message": "so it is told"}, status=code
            )
        return await self._stream(request) if watched else self._page(path, query)

    def _page(self, path: str, query: dict[str, str]) -> web.Response:
        begin, objects = int(query.get("continue", 0)), self.objects[path]
        end = begin + int(query["limit"])
        version = {"resourceVersion": str(self.version)} if self.versioned else {}
        metadata = {**version, **({"continue": str(end)} if end < len(objects) else {})}
        text = f'{{"items":[{",".join(objects[begin:end])}],"metadata":{json.dumps(metadata)}}}\n'
        return web.Response(text=text, content_type="application/json")

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while event := await self.events[request.path].get():
            await response.write(event.encode() + b"\n")
        return response


@asynccontextmanager
async def client(server: HttpApiServer, scope: Scope = Scope()) -> AsyncIterator[Cluster]:  # noqa: B008  it is frozen
    """The operator's client of it."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", server.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, LOOPBACK, 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    connection = Connection(lambda: Credentials(server=f"http://{host}:{port}"), pool_size=0)
    try:
        yield Cluster(connection, scope=scope)
    finally:
        await connection.close()
        await runner.cleanup()


async def until(holds: Callable[[], object], seconds: float = PATIENCE) -> None:
    """Wait until something holds."""
    async with asyncio.timeout(seconds):
        while not holds():  # noqa: ASYNC110  a test polls
            await asyncio.sleep(0.01)


def run(check: Callable[[], Awaitable[None]]) -> None:
    """Run a check."""

    async def checked() -> None:
        await check()

    asyncio.run(checked())
