"""The ways into the hull that serves a Workload: no more are opened and kept than are used."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.unit.cli.reachapi import ReachApi
from twinhull.cli import present_hull
from twinhull.cli.present_hull import PresentHull
from twinhull.cli.session import session
from twinhull.cli.targets import Target
from twinhull.reach.errors import EntryError


@asynccontextmanager
async def reached(api: ReachApi, folder: Path) -> AsyncIterator[PresentHull]:
    """The hull of the Workload of an API server, closed in the end."""
    runner = await api.start()
    try:
        async with asyncio.timeout(120), session(Target(kubeconfig=str(api.kubeconfig(folder)))) as opened:
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
