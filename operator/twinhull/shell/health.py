"""The probes: /healthz says whether the work goes on, /readyz whether the operator knows the cluster."""

from __future__ import annotations

from collections.abc import Callable

from aiohttp import web

from twinhull.shell.server import Page


def pages(ready: Callable[[], bool], stuck: Callable[[], bool]) -> dict[str, Page]:
    """The pages of the operator's own probes. `ready` says whether everything was listed once, `stuck`
    whether something blocks the main event loop. Both are asked in the servers' thread.
    """

    async def healthz(_: web.Request) -> web.Response:
        if stuck():
            return web.Response(status=503, text="the operator is stuck: its event loop is blocked\n")
        return web.Response(text="ok\n")

    async def readyz(_: web.Request) -> web.Response:
        if ready():
            return web.Response(text="ok\n")
        return web.Response(status=503, text="the cluster's state has not been listed yet\n")

    return {"/healthz": healthz, "/readyz": readyz}
