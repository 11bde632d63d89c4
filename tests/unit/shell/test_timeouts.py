"""How long requests may take, by whose connection it is."""

from __future__ import annotations

import asyncio

import aiohttp
import pytest

from twinhull.shell.connection import PATIENT_TIMEOUT, TIMEOUT, Connection
from twinhull.shell.errors import Unreachable
from twinhull.shell.kopf_process.credentials import Credentials
from twinhull.shell.transport import Request, Transport

from .test_connection import World, run

#: Without a limit of its own.
_WATCH = Request("GET", "/watch", timeout=aiohttp.ClientTimeout(total=None))


def test_a_request_without_a_timeout_of_its_own_has_its_connections() -> None:
    async def check(world: World, _: asyncio.Task[None]) -> None:
        server = (await world.connection.open())[1]
        timeout = aiohttp.ClientTimeout(total=0.05)
        impatient = Connection(lambda: Credentials(server=server), timeout=timeout)
        try:
            with pytest.raises(Unreachable):  # the watch doesn't end
                await Transport(impatient, lambda: True).exchange(Request("GET", "/watch"))
            async with await Transport(impatient, lambda: True).begin(_WATCH) as response:
                assert response.status == 200
        finally:
            await impatient.close()

    run(check)


def test_a_verb_has_longer_for_a_connection_than_the_operator() -> None:
    """It doesn't try again, and the TLS handshake of a busy API server takes seconds."""
    assert TIMEOUT.sock_connect is not None
    assert PATIENT_TIMEOUT.sock_connect is not None
    assert PATIENT_TIMEOUT.sock_connect > TIMEOUT.sock_connect
