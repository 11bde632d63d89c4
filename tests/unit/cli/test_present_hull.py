"""The ways into the hull that serves a Workload: no more are opened and kept than are used."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest

from tests.controlplane.polling import PATIENCE
from tests.unit.cli.reachapi import ReachApi
from twinhull.cli import present_hull
from twinhull.cli.present_hull import PresentHull
from twinhull.cli.session import session
from twinhull.cli.targets import Target
from twinhull.reach import guest
from twinhull.reach.errors import EntryError
from twinhull.reach.guest import GuestEntry
from twinhull.reach.listener import listening
from twinhull.shell.kopf_process.credentials import LoginError


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is asked for has as long as it needs to be withdrawn, however busy the machine is."""
    for name in ("_WITHDRAWAL", "_QUICK_WITHDRAWAL"):
        monkeypatch.setattr(guest, name, PATIENCE)


@asynccontextmanager
async def reached(api: ReachApi, folder: Path) -> AsyncIterator[PresentHull]:
    """The hull of the Workload of an API server, closed in the end."""
    runner = await api.start()
    try:
        async with (
            asyncio.timeout(PATIENCE),
            session(Target(kubeconfig=str(api.kubeconfig(folder)))) as opened,
        ):
            hull = PresentHull(opened, "web")
            yield hull
            await hull.close()
    finally:
        await runner.cleanup()


async def connect(hull: PresentHull) -> str:
    """Why there is no connection."""
    with pytest.raises(EntryError) as failed:
        async with hull.connected(80):
            raise AssertionError
    return str(failed.value)


@pytest.mark.slow
@pytest.mark.parametrize(("kept", "made"), [(math.inf, 2), (-1, 7)])
def test_a_way_that_fails_is_kept_for_a_while_or_closed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, kept: float, made: int
) -> None:
    monkeypatch.setattr(present_hull, "_KEPT", kept)
    api = ReachApi()

    async def check() -> None:
        async with reached(api, tmp_path) as hull:
            await hull.check(80)
            for _ in range(6):
                assert "no way to the machine through its launcher Pod" in await connect(hull)
                assert len(api.requests) == 1, "the former one is withdrawn"
            assert api.made == made
        assert api.requests == {}

    asyncio.run(check())


def test_connections_that_wait_for_a_way_share_it_and_its_end(tmp_path: Path) -> None:
    api = ReachApi()

    async def check() -> None:
        async with reached(api, tmp_path) as hull:
            api.stalls = True
            reasons = await asyncio.gather(*(connect(hull) for _ in range(5)))
            assert set(reasons) == {"no certificates are given"}
            assert (api.made, api.requests) == (1, {})

    asyncio.run(check())


def test_what_is_looked_for_in_the_end_is_withdrawn(tmp_path: Path) -> None:
    api = ReachApi()

    async def check() -> None:
        async with reached(api, tmp_path) as hull:
            api.certifies = False
            connecting = asyncio.ensure_future(connect(hull))
            while not api.requests:  # noqa: ASYNC110  a test polls
                await asyncio.sleep(0.01)
            connecting.cancel()
            await asyncio.gather(connecting, return_exceptions=True)
            await hull.close()
            assert api.requests == {}

    asyncio.run(check())


def test_an_api_server_that_is_down_is_told_of_each_connection(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(present_hull, "_KEPT", -1)
    api = ReachApi()

    async def check() -> None:
        errors: asyncio.Queue[Exception] = asyncio.Queue()
        runner = await api.start()
        async with (
            asyncio.timeout(PATIENCE),
            session(Target(kubeconfig=str(api.kubeconfig(tmp_path)))) as opened,
        ):
            hull = PresentHull(opened, "web")
            await hull.check(80)
            await runner.cleanup()

            async def serve(*_: object) -> None:
                async with hull.connected(80):
                    raise AssertionError

            async with listening(serve, errors.put_nowait, "127.0.0.1", 0) as port:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                error = await errors.get()
                writer.close()
            assert isinstance(error, EntryError)
            await hull.close()

    asyncio.run(check())


def test_credentials_that_are_gone_are_told_of_each_connection(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(present_hull, "_KEPT", -1)

    async def no_login(*_: object) -> None:
        raise LoginError("there are no credentials")

    async def check() -> None:
        async with reached(ReachApi(), tmp_path) as hull:
            await hull.check(80)
            monkeypatch.setattr(hull.session.cluster, "get", no_login)
            assert await connect(hull) == "there are no credentials"

    asyncio.run(check())


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_guest_that_is_busy_brings_about_no_other_way(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, status: int
) -> None:
    monkeypatch.setattr(present_hull, "_KEPT", -1)
    api = ReachApi()

    async def port(*_: object) -> None:
        raise EntryError("so it is told", status)

    monkeypatch.setattr(GuestEntry, "port", port)

    async def check() -> None:
        async with reached(api, tmp_path) as hull:
            await hull.check(80)
            assert await connect(hull) == "so it is told"
            assert api.made == 1

    asyncio.run(check())


def test_a_way_that_has_worked_brings_about_no_more_others(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A guest lets in every other connection."""
    monkeypatch.setattr(present_hull, "_KEPT", math.inf)
    api, answers = ReachApi(), iter([False, True] * 10)

    async def port(*_: object) -> object:
        if next(answers):
            return object()
        raise EntryError("the connection failed")

    monkeypatch.setattr(GuestEntry, "port", port)

    async def check() -> None:
        async with reached(api, tmp_path) as hull:
            await hull.check(80)
            async with hull.connected(80):
                pass
            for _ in range(5):
                await connect(hull)
                async with hull.connected(80):
                    pass
            assert api.made == 2

    asyncio.run(check())


@pytest.mark.slow
def test_the_oldest_of_too_many_former_ways_is_closed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A guest keeps each connection, and lets in no other by the same way."""
    monkeypatch.setattr(present_hull, "_KEPT", -1)
    monkeypatch.setattr(present_hull, "_MOST_FORMER", 2)
    api, used = ReachApi(), set[str]()

    async def port(entry: GuestEntry, _: int) -> object:
        if entry.url in used:
            raise EntryError("the connection failed")
        used.add(entry.url)
        return object()

    monkeypatch.setattr(GuestEntry, "port", port)

    async def check() -> None:
        async with reached(api, tmp_path) as hull, AsyncExitStack() as connections:
            await hull.check(80)
            for _ in range(6):
                await connections.enter_async_context(hull.connected(80))
            assert api.made == 6
            assert sorted(api.requests) == ["web-4", "web-5", "web-6"]

    asyncio.run(check())
