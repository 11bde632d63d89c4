"""The page /metrics. In each format it is made at most once a second, however often somebody asks.

It is made in the servers' thread. The gauges of the cluster's state are collected in the main event loop.
While that has no time, the page has the gauges that were collected last.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable

from aiohttp import web
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder

#: For how many seconds a page is served before it is made anew.
_FRESH = 1.0
#: For how many seconds a page waits for new gauges.
_PATIENCE = 1.0
#: The Accept headers for the two formats: each client gets one of them.
_OPENMETRICS = "application/openmetrics-text"
_ACCEPTS = {True: f"{_OPENMETRICS}; version=1.0.0", False: ""}


class Page:
    """The handler of /metrics. `refresh` is awaited before a new page is made, for a second at most."""

    def __init__(
        self,
        registry: CollectorRegistry,
        refresh: Callable[[], Awaitable[None]],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._registry = registry
        self._refresh = refresh
        self._clock = clock
        self._made = asyncio.Lock()
        self._texts: dict[bool, tuple[bytes, str]] = {}
        self._fresh_until = 0.0

    async def __call__(self, request: web.Request) -> web.Response:
        """The page in the format that is asked for."""
        openmetrics = any(_OPENMETRICS in accept for accept in request.headers.getall("Accept", []))
        async with self._made:
            text, content_type = await self._text(openmetrics)
        return web.Response(body=text, headers={"Content-Type": content_type})

    async def _text(self, openmetrics: bool) -> tuple[bytes, str]:  # noqa: FBT001
        if self._clock() >= self._fresh_until:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._refresh(), _PATIENCE)
            self._texts.clear()
            self._fresh_until = self._clock() + _FRESH
        if openmetrics not in self._texts:
            encode, content_type = choose_encoder(_ACCEPTS[openmetrics])
            self._texts[openmetrics] = encode(self._registry), content_type
        return self._texts[openmetrics]
