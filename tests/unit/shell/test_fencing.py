"""A write is sent only while the Lease is held, however long it waits for a socket; and other sessions."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from prometheus_client import CollectorRegistry

from tests.controlplane.ports import LOOPBACK
from tests.unit.shell import http_apiserver
from twinhull.shell.cluster import Cluster
from twinhull.shell.connection import Connection
from twinhull.shell.errors import NotLeading, Unreachable
from twinhull.shell.kinds import POD
from twinhull.shell.kopf_process.credentials import Credentials
from twinhull.shell.metrics import RequestMetrics

NOWHERE = "/nowhere/ca.crt"


class _Api:
    """An API server that answers reads when it is let, and notes what is written."""

    def __init__(self) -> None:
        self.reads = 0
        self.written: list[str] = []
        self.unauthorized = False
        self.let = asyncio.Event()

    async def answer(self, request: web.Request) -> web.Response:
        if self.unauthorized:
            return web.json_response({"kind": "Status", "message": "who is it?"}, status=401)
        if request.method == "GET":
            self.reads += 1
            await self.let.wait()
        else:
            self.written.append(request.method)
        return web.json_response({"metadata": {"name": "a"}})

    @asynccontextmanager
    async def served(self) -> AsyncIterator[str]:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self.answer)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, LOOPBACK, 0).start()
        host, port = runner.addresses[0][:2]
        try:
            yield f"http://{host}:{port}"
        finally:
            await runner.cleanup()


def _create(cluster: Cluster) -> asyncio.Task[object]:
    return asyncio.create_task(cluster.create(POD, "a", {"metadata": {"name": "a"}}))


def _patch(cluster: Cluster) -> asyncio.Task[object]:
    return asyncio.create_task(cluster.patch(POD, "a", "a", {"spec": {}}))


def _delete(cluster: Cluster) -> asyncio.Task[object]:
    return asyncio.create_task(cluster.delete(POD, "a", "a", "u"))


@pytest.mark.parametrize("write", [_create, _patch, _delete])
def test_a_write_that_waits_for_a_socket_while_the_lease_is_lost_is_not_sent(
    write: Callable[[Cluster], asyncio.Task[object]],
) -> None:
    async def check() -> None:
        api, held, registry = _Api(), True, CollectorRegistry()
        async with api.served() as server:
            connection = Connection(lambda: Credentials(server=server), pool_size=1)
            cluster = Cluster(connection, lambda: held, metrics=RequestMetrics(registry))
            reading = asyncio.create_task(cluster.get(POD, "a", "a"))
            await http_apiserver.until(lambda: api.reads)
            session, _ = await connection.open()
            writing = write(cluster)
            await http_apiserver.until(lambda: any(session.connector._waiters.values()))  # type: ignore[union-attr]  # noqa: SLF001
            held = False
            api.let.set()
            with pytest.raises(NotLeading):
                await writing
            await reading
            assert api.written == []
            assert _counted(registry) == ["200"]
            held = True
            await write(cluster)
            assert len(api.written) == 1
            await connection.close()

    http_apiserver.run(check)


@pytest.mark.parametrize("write", [_create, _patch, _delete])
def test_the_lease_is_asked_with_the_body_too(write: Callable[[Cluster], asyncio.Task[object]]) -> None:
    """Python 3.11 lets others run between the headers, which wait for the body, and the body."""

    async def check() -> None:
        api, answers = _Api(), iter([True, False])
        async with api.served() as server:
            connection = Connection(lambda: Credentials(server=server))
            with pytest.raises(NotLeading):
                await write(Cluster(connection, lambda: next(answers)))
            assert api.written == []
            await connection.close()

    http_apiserver.run(check)


def test_credentials_that_cannot_be_made_use_of_leave_the_session_as_it_is() -> None:
    async def check() -> None:
        api, logins = _Api(), 0

        def login() -> Credentials:
            nonlocal logins
            logins += 1
            return Credentials(server=server, ca_path=NOWHERE if logins == 2 else None)

        async with api.served() as server:
            api.let.set()
            connection = Connection(login)
            cluster = Cluster(connection)
            assert await cluster.get(POD, "a", "a")
            api.unauthorized = True
            with pytest.raises(Unreachable, match="No such file"):
                await cluster.get(POD, "a", "a")
            api.unauthorized = False
            assert await cluster.get(POD, "a", "a")
            assert logins == 2
            await connection.close()

    http_apiserver.run(check)


def _counted(registry: CollectorRegistry) -> list[str]:
    """By which codes requests were counted."""
    return [
        sample.labels["code"]
        for metric in registry.collect()
        for sample in metric.samples
        if sample.name.endswith("_requests_total")
    ]
