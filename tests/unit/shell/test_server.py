"""The servers of health and metrics."""

from __future__ import annotations

import asyncio

import aiohttp
import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
from prometheus_client.parser import text_string_to_metric_families as plain

from twinhull.shell import health
from twinhull.shell.metrics import Metrics
from twinhull.shell.server import CannotServe, Page, Server

_LOOPBACK = "127.0.0.1"


async def _get(path: str, pages: dict[str, Page], accept: str = "*/*") -> tuple[int, str, str]:
    server = Server("metrics", _LOOPBACK, 0, pages)
    url = await server.start()
    try:
        async with (
            aiohttp.ClientSession() as session,
            session.get(url + path, headers={"Accept": accept}) as response,
        ):
            return response.status, response.content_type, await response.text()
    finally:
        await server.stop()


def test_metrics_are_told_as_text_or_as_openmetrics() -> None:
    pages: dict[str, Page] = {"/metrics": Metrics().page}
    status, kind, text = asyncio.run(_get("/metrics", pages))
    assert (status, kind) == (200, "text/plain")
    names = {family.name for family in plain(text)}
    assert "twinhull_build_info" in names
    assert not [name for name in names if name.endswith("_created")]
    status, kind, text = asyncio.run(_get("/metrics", pages, "application/openmetrics-text; version=1.0.0"))
    assert (status, kind) == (200, "application/openmetrics-text")
    parsed = openmetrics(text)  # type: ignore[no-untyped-call]
    assert names == {family.name for family in parsed}


def test_readiness_is_said_as_it_is() -> None:
    assert asyncio.run(_get("/readyz", health.pages(lambda: True)))[::2] == (200, "ok\n")
    assert asyncio.run(_get("/readyz", health.pages(lambda: False)))[0] == 503
    assert asyncio.run(_get("/healthz", health.pages(lambda: False)))[::2] == (200, "ok\n")


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
    assert f"metrics can't be served at {_LOOPBACK}:{port} (" in str(refused.value)
    assert str(refused.value).endswith("): choose another --metrics-address")


def test_a_taken_port_is_said_with_its_option() -> None:
    asyncio.run(_two())
