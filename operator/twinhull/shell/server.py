"""A small HTTP server: the probes are served by one, the metrics by another."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from aiohttp import web

Page = Callable[[web.Request], Awaitable[web.Response]]


class CannotServe(Exception):
    """It can't listen there; the message says what to do about it."""


class Server:
    """Serves pages by their paths. `what` is what they are about, and the option that says where."""

    def __init__(self, what: str, host: str, port: int, pages: Mapping[str, Page]) -> None:
        self.what = what
        self._host = host
        self._port = port
        app = web.Application()
        for path, page in pages.items():
            app.router.add_get(path, page)
        self._runner = web.AppRunner(app, access_log=None)

    async def start(self) -> str:
        """Listen. The URL that it listens on. Raises CannotServe."""
        await self._runner.setup()
        site = web.TCPSite(self._runner, self._host, self._port)
        try:
            await site.start()
        except OSError as error:
            raise CannotServe(
                f"{self.what} can't be served at {self._host}:{self._port} ({error.strerror}): "
                f"choose another --{self.what}-address"
            ) from error
        host, port = self._runner.addresses[0][:2]
        return f"http://{host}:{port}"

    async def stop(self) -> None:
        """Stop listening."""
        await self._runner.cleanup()
