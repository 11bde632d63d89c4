"""Health: /healthz says that the process lives, /readyz that it knows the cluster."""

from __future__ import annotations

from collections.abc import Callable

from aiohttp import web

from twinhull.shell.server import Page


def pages(ready: Callable[[], bool]) -> dict[str, Page]:
    """The probes of the operator's own Pod. `ready` says whether all has been listed once."""

    async def healthz(_: web.Request) -> web.Response:
        return web.Response(text="ok\n")

    async def readyz(_: web.Request) -> web.Response:
        if ready():
            return web.Response(text="ok\n")
        return web.Response(status=503, text="the cluster's state has not been listed yet\n")

    return {"/healthz": healthz, "/readyz": readyz}
