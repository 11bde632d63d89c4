"""The servers of health and metrics, and who may come."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import web

from tests.controlplane.polling import PATIENCE
from twinhull.shell import health, server_limits
from twinhull.shell.server import CannotServe, Page, Server

_LOOPBACK = "127.0.0.1"
_REQUEST = b"GET /healthz HTTP/1.1\r\nHost: x\r\n"


@contextlib.asynccontextmanager
async def _served(pages: dict[str, Page]) -> AsyncIterator[str]:
    server = Server("metrics", _LOOPBACK, 0, pages)
    url = await server.start()
    try:
        yield url
    finally:
        await server.stop()


async def _get(path: str, pages: dict[str, Page]) -> tuple[int, str]:
    async with (
        _served(pages) as url,
        aiohttp.ClientSession() as session,
        session.get(url + path) as response,
    ):
        return response.status, await response.text()


async def _visit(url: str, sent: bytes, whence: str = "127.0.0.2") -> bytes:
    """All that somebody is answered until the connection ends."""
    host, _, port = url.removeprefix("http://").rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port), local_addr=(whence, 0))
    try:
        writer.write(sent)
        return await reader.read()
    except ConnectionError:
        return b""
    finally:
        writer.close()


async def _is_answered(url: str) -> None:
    """Somebody is answered who comes again: a busy machine may have cut them off, too."""
    async with asyncio.timeout(PATIENCE):
        while not (await _visit(url, _REQUEST + b"\r\n")).startswith(b"HTTP/1.1 200 OK"):
            pass


def test_readiness_is_said_as_it_is() -> None:
    def pages(*, ready: bool, stuck: bool = False) -> dict[str, Page]:
        return health.pages(lambda: ready, lambda: stuck)

    assert asyncio.run(_get("/readyz", pages(ready=True))) == (200, "ok\n")
    assert asyncio.run(_get("/readyz", pages(ready=False)))[0] == 503
    assert asyncio.run(_get("/healthz", pages(ready=False))) == (200, "ok\n")
    assert asyncio.run(_get("/healthz", pages(ready=True, stuck=True)))[0] == 503


async def _two() -> None:
    first = Server("health", _LOOPBACK, 0, {})
    port = int((await first.start()).rpartition(":")[2])
    second = Server("metrics", _LOOPBACK, port, {})
    try:
        with pytest.raises(CannotServe) as refused:
            await second.start()
    finally:
        await second.stop()
        await first.stop()
    assert str(refused.value) == (
        f"metrics can't be served at {_LOOPBACK}:{port} (Address already in use): "
        "choose another --metrics-address"
    )


def test_a_taken_port_is_said_with_its_option() -> None:
    asyncio.run(_two())


_PAGES = health.pages(lambda: True, lambda: False)


@pytest.mark.slow
def test_who_never_ends_a_request_is_cut_off_and_keeps_nobody_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_limits, "_LIFETIME", 0.5)

    async def visit() -> None:
        async with _served(_PAGES) as url:
            slow = [asyncio.create_task(_visit(url, _REQUEST, f"127.0.{n}.1")) for n in range(1, 255)]
            slow += [asyncio.create_task(_visit(url, b"GET", f"127.0.{n}.1")) for n in range(1, 255)]
            for _ in range(5):
                await _is_answered(url)
            assert set(await asyncio.wait_for(asyncio.gather(*slow), PATIENCE)) == {b""}

    asyncio.run(visit())


def test_who_comes_too_often_is_cut_off_and_others_are_served(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_limits, "_PER_SECOND", 0)  # however long a visit takes

    async def visit() -> None:
        async with _served(_PAGES) as url:
            assert (await _visit(url, _REQUEST + b"\r\n")).startswith(b"HTTP/1.1 200 OK")
            assert b"" in [await _visit(url, _REQUEST + b"\r\n") for _ in range(40)]
            assert (await _visit(url, _REQUEST + b"\r\n", "127.0.0.3")).startswith(b"HTTP/1.1 200 OK")

    asyncio.run(visit())


@pytest.mark.parametrize(
    "sent",
    [
        b"GET /" + b"x" * 50_000 + b" HTTP/1.1\r\n\r\n",
        _REQUEST + b"X: " + b"x" * 50_000 + b"\r\n\r\n",
        _REQUEST + b"".join(b"X%d: x\r\n" % n for n in range(5_000)) + b"\r\n",
        b"\x16\x03\x01 what is this?\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
    ],
    ids=["path", "header", "headers", "TLS", "length"],
)
def test_what_is_no_fair_request_is_refused_and_fills_no_log(
    sent: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    async def visit() -> bytes:
        async with _served(_PAGES) as url:
            return await _visit(url, sent)

    assert asyncio.run(visit())[:12] in {b"", b"HTTP/1.0 400", b"HTTP/1.1 400"}
    assert caplog.text == ""


def test_who_sends_much_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """At once, and not when the time of a connection is over."""
    monkeypatch.setattr(server_limits, "_LIFETIME", 3600)
    read: list[int] = []

    async def page(request: web.Request) -> web.Response:
        read.append(len(await request.content.read()))
        return web.Response(text="ok\n")

    async def visit() -> None:
        async with _served({"/healthz": page}) as url:
            sent = _REQUEST + b"Content-Length: 100000000\r\n\r\n" + b"x" * 10_000_000
            assert await asyncio.wait_for(_visit(url, sent), PATIENCE) == b""

    asyncio.run(visit())
    assert read == []


def test_one_connection_is_one_request() -> None:
    async def visit() -> bytes:
        async with _served(_PAGES) as url:
            return await _visit(url, (_REQUEST + b"\r\n") * 1000)

    assert asyncio.run(visit()).count(b"HTTP/1.1") == 1
