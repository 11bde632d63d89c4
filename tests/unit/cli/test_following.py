"""Following Workloads over HTTP: by a watch, whatever becomes of it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager

import pytest
from aiohttp import web

from tests.controlplane.ports import LOOPBACK
from twinhull.api.base import Raw
from twinhull.cli import following
from twinhull.cli.following import Follower, State
from twinhull.shell.cluster import Cluster
from twinhull.shell.connection import Connection
from twinhull.shell.errors import Refused
from twinhull.shell.kinds import WORKLOAD
from twinhull.shell.process.credentials import Credentials

ALL = WORKLOAD.path("shop")


class Server:
    """Has Workloads, and tells of their changes what it is told to."""

    def __init__(self) -> None:
        self.objects: dict[str, Raw] = {}
        #: What watches are sent: an event each, None ends one.
        self.events: asyncio.Queue[Raw | None] = asyncio.Queue()
        #: The selector and the version of each watch.
        self.watches: list[tuple[str, str]] = []
        self.gets = 0
        #: The status with which gets and watches are refused, 0 if they aren't.
        self.refuses_gets = self.refuses_watches = 0

    def put(self, name: str, version: int) -> Raw:
        """A Workload of that name, in that version."""
        self.objects[name] = {
            "metadata": {"name": name, "namespace": "shop", "resourceVersion": str(version)}
        }
        return self.objects[name]

    async def answer(self, request: web.Request) -> web.StreamResponse:
        watching = request.query.get("watch")
        if code := self.refuses_watches if watching else self.refuses_gets:
            return web.json_response(
                {"kind": "Status", "code": code, "message": "so it is told"}, status=code
            )
        if watching:
            return await self._watch(request)
        if request.path == ALL:
            return web.json_response({"items": [], "metadata": {"resourceVersion": "50"}})
        self.gets += 1
        found = self.objects.get(request.path.rpartition("/")[2])
        return web.json_response(found or {"kind": "Status", "code": 404}, status=200 if found else 404)

    async def _watch(self, request: web.Request) -> web.StreamResponse:
        self.watches.append((request.query.get("fieldSelector", ""), request.query["resourceVersion"]))
        response = web.StreamResponse()
        await response.prepare(request)
        while event := await self.events.get():
            await response.write(json.dumps(event).encode() + b"\n")
        return response


def run(
    check: Callable[[Server, Callable[..., Awaitable[list[tuple[str, str]]]]], Awaitable[None]],
) -> list[str]:
    """Run a check, which is given what follows. What was told of the connection."""
    told: list[str] = []

    async def checked() -> None:
        server = Server()
        async with asyncio.timeout(20), _cluster(server) as cluster:
            follower = Follower(cluster, "shop", told.append)

            async def states(*names: str, until: Callable[[State], bool]) -> list[tuple[str, str]]:
                """The names and versions of what is told, up to the first of which that holds."""
                seen = []
                async with aclosing(follower.states(names)) as told_states:
                    async for name, obj in told_states:
                        seen.append((name, obj["metadata"]["resourceVersion"] if obj else ""))
                        if until((name, obj)):
                            break
                return seen

            await check(server, states)

    asyncio.run(checked())
    return told


@asynccontextmanager
async def _cluster(server: Server) -> AsyncIterator[Cluster]:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", server.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, LOOPBACK, 0).start()
    host, port = runner.addresses[0][:2]
    connection = Connection(lambda: Credentials(server=f"http://{host}:{port}"))
    try:
        yield Cluster(connection)
    finally:
        await connection.close()
        await runner.cleanup()


def version(wanted: int) -> Callable[[State], bool]:
    return lambda state: bool(state[1]) and state[1]["metadata"]["resourceVersion"] == str(wanted)  # type: ignore[index]


def gone(state: State) -> bool:
    return state[1] is None


def test_the_present_state_comes_first_and_then_each_change() -> None:
    async def check(server: Server, states: Callable[..., Awaitable[list[tuple[str, str]]]]) -> None:
        server.put("web", 7)
        for number in (8, 9):
            server.events.put_nowait({"type": "MODIFIED", "object": server.put("web", number)})
        server.put("web", 7)
        server.events.put_nowait({"type": "BOOKMARK", "object": {"metadata": {"resourceVersion": "10"}}})
        deleted = {"metadata": {"name": "web", "resourceVersion": "11"}}
        server.events.put_nowait({"type": "DELETED", "object": deleted})
        assert await states("web", until=gone) == [("web", "7"), ("web", "8"), ("web", "9"), ("web", "")]
        assert server.watches == [("metadata.name=web", "7")], "of that one only, from what was read"

    assert run(check) == []


def test_after_a_lost_watch_what_was_missed_is_read() -> None:
    async def check(server: Server, states: Callable[..., Awaitable[list[tuple[str, str]]]]) -> None:
        server.put("web", 7)
        server.events.put_nowait(None)
        reading = asyncio.ensure_future(states("web", until=version(9)))
        while len(server.watches) < 2:  # noqa: ASYNC110  a test polls
            await asyncio.sleep(0.01)
        server.put("web", 9)
        server.events.put_nowait(None)
        assert (await reading)[-1] == ("web", "9")

    run(check)


def test_an_outage_is_told_and_waited_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "_LONGEST_WAIT", 0.05)

    async def check(server: Server, states: Callable[..., Awaitable[list[tuple[str, str]]]]) -> None:
        server.put("web", 7)
        server.refuses_gets = 503
        reading = asyncio.ensure_future(states("web", until=version(7)))
        await asyncio.sleep(0.2)
        assert not reading.done()
        server.refuses_gets = 0
        assert await reading == [("web", "7")]

    told = run(check)
    assert told[0].startswith(
        "the connection to the API server was lost, and is tried again in 0 s: so it is"
    )


def test_a_version_that_is_too_old_is_no_outage() -> None:
    async def check(server: Server, states: Callable[..., Awaitable[list[tuple[str, str]]]]) -> None:
        server.put("web", 7)
        server.events.put_nowait({"type": "ERROR", "object": {"code": 410, "message": "too old"}})
        reading = asyncio.ensure_future(states("web", until=version(8)))
        while len(server.watches) < 2:  # noqa: ASYNC110  a test polls
            await asyncio.sleep(0.01)
        server.put("web", 8)
        for _ in server.watches:
            server.events.put_nowait(None)
        assert (await reading)[-1] == ("web", "8")

    assert run(check) == []


def test_who_may_not_watch_asks_again_and_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "_ASKS", 0.01)

    async def check(server: Server, states: Callable[..., Awaitable[list[tuple[str, str]]]]) -> None:
        server.put("web", 7)
        server.refuses_watches = 403
        reading = asyncio.ensure_future(states("web", until=version(8)))
        while server.gets < 3:  # noqa: ASYNC110  a test polls
            await asyncio.sleep(0.01)
        server.put("web", 8)
        assert (await reading)[-1] == ("web", "8")

    run(check)


def test_who_may_not_read_is_told_so() -> None:
    async def check(server: Server, states: Callable[..., Awaitable[list[tuple[str, str]]]]) -> None:
        server.refuses_gets = 403
        with pytest.raises(Refused):
            await states("web", until=gone)

    run(check)


def test_many_have_one_watch_whose_older_events_are_passed_over() -> None:
    names = [f"web{number}" for number in range(12)]

    async def check(server: Server, states: Callable[..., Awaitable[list[tuple[str, str]]]]) -> None:
        for name in names:
            server.put(name, 60)
        older = {"metadata": {"name": "web3", "resourceVersion": "55"}}
        other = {"metadata": {"name": "other", "resourceVersion": "61"}}
        server.events.put_nowait({"type": "MODIFIED", "object": older})
        server.events.put_nowait({"type": "MODIFIED", "object": other})
        server.events.put_nowait(
            {"type": "MODIFIED", "object": {"metadata": {**older["metadata"], "resourceVersion": "62"}}}
        )
        seen = await states(*names, until=version(62))
        assert seen == [*((name, "60") for name in names), ("web3", "62")]
        assert server.watches == [("", "50")]

    run(check)
