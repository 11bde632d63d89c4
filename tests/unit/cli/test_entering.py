"""Whose words are told with which right to ask for."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Any

import aiohttp
import click
import pytest
from aiohttp import web

from tests.controlplane.ports import LOOPBACK
from twinhull.cli.entering import explaining_errors
from twinhull.reach.errors import EntryError
from twinhull.reach.guest import GuestEntry
from twinhull.shell.upgrades import read_refusal

FORBIDDEN = 'x is forbidden: User "ann" cannot escalate resource "roles" in API group ""'
RIGHT = "You need the right to escalate roles"


def sentence(failure: Exception | None, status: int) -> str:
    """What is told of a connection to a port of a guest that refuses it by a status and the API server's
    words, or cuts it (0); `failure` is what the way to the guest failed by last.
    """

    async def refuse(request: web.Request) -> web.Response:
        if not status:
            assert request.transport is not None
            request.transport.abort()
        return web.json_response({"kind": "Status", "message": FORBIDDEN}, status=status or 200)

    async def connect() -> None:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", refuse)
        runner = web.AppRunner(app)
        await runner.setup()
        try:
            await web.TCPSite(runner, LOOPBACK, 0).start()
            url = f"http://{LOOPBACK}:{runner.addresses[0][1]}"
            async with aiohttp.ClientSession(raise_for_status=read_refusal) as session:
                launcher: Any = None
                failures = deque([failure] if failure else [])
                with explaining_errors():
                    await GuestEntry(session, url, ("web",), failures, launcher, 1).port(80)
        finally:
            await runner.cleanup()

    with pytest.raises(click.ClickException) as error:
        asyncio.run(connect())
    return error.value.message


def test_a_guest_does_not_have_us_ask_for_rights() -> None:
    assert sentence(None, 403) == FORBIDDEN
    earlier = EntryError(FORBIDDEN, 403, of_api_server=True)
    assert sentence(earlier, 403) == FORBIDDEN, "nor with what the way to it failed by before"
    assert RIGHT not in sentence(ValueError(FORBIDDEN), 0)


def test_a_right_that_the_way_to_a_guest_needs_is_told() -> None:
    message = sentence(EntryError(FORBIDDEN, 403, of_api_server=True), 0)
    assert message.startswith(
        f"there is no way to the machine through its launcher Pod: {FORBIDDEN}. {RIGHT}"
    )
