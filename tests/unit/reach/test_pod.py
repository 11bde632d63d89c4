"""Whose words a refusal of a Pod's subresource is, and what is said without credentials."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.unit.cli.reachapi import ReachApi
from twinhull.reach.errors import EntryError
from twinhull.reach.pod import PodEntry
from twinhull.shell.connection import Connection
from twinhull.shell.kopf_process.credentials import Credentials, LoginError


def refusal(api: ReachApi, *, has_login: bool = True, is_down: bool = False) -> EntryError:
    """What a connection to a port of a Pod fails by."""

    async def connect() -> None:
        runner = await api.start()
        if is_down:
            await runner.cleanup()

        def login() -> Credentials:
            if not has_login:
                raise LoginError("there are no credentials")
            return Credentials(server=api.url)

        connection = Connection(login)
        try:
            await PodEntry(connection, "shop", "web-1", ("web",)).port(80)
        finally:
            await connection.close()
            await runner.cleanup()

    with pytest.raises(EntryError) as error:
        asyncio.run(connect())
    return error.value


def test_what_the_api_server_answers_is_marked_as_its_own() -> None:
    refused = refusal(ReachApi())
    assert (str(refused), refused.status, refused.of_api_server) == ("it can't be reached", 500, True)
    lost = refusal(ReachApi(), is_down=True)
    assert (lost.status, lost.of_api_server) == (0, False)


def test_no_credentials_are_an_error_of_the_entry() -> None:
    assert str(refusal(ReachApi(), has_login=False)) == "there are no credentials"


@pytest.mark.parametrize(
    ("spec", "note"),
    [
        ({}, ""),
        ({"runtimeClassName": None}, ""),
        (
            {"runtimeClassName": "gvisor"},
            (
                "ports of most sandboxes, such as gVisor's and Kata's, can't be forwarded (this one has the "
                "RuntimeClass gvisor). HTTP is reached by `kubectl proxy`, at "
                "http://127.0.0.1:8001/api/v1/namespaces/shop/pods/web-1:8080/proxy/"
            ),
        ),
    ],
)
def test_ports_of_sandboxes_have_a_note(spec: dict[str, Any], note: str) -> None:
    pod = {"metadata": {"name": "web-1", "namespace": "shop"}, "spec": {"containers": [], **spec}}
    entry = PodEntry.of(Connection(lambda: Credentials(server="")), pod)
    assert entry.port_note(8080) == note
