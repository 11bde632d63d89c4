"""What was missed while a watch had to start over is listed, however often that fails at first."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from twinhull.shell import listing
from twinhull.shell.errors import ServerError
from twinhull.shell.listing import Listing

from .http_apiserver import until
from .simulation import Simulation


@pytest.mark.parametrize("failures", [0, 1, 4])
def test_a_list_that_fails_after_a_watch_started_over_is_tried_again(
    failures: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited: list[float] = []

    def backoffs() -> Iterator[float]:
        for attempt in range(100):
            waited.append(attempt)
            yield 0.0

    async def check() -> None:
        world, tried, listed = Simulation({}), 0, 0
        lists = Listing(world.cluster, world.watches, world.queue, every=600)

        async def list_all(_: object) -> None:
            nonlocal tried, listed
            tried += 1
            if tried <= failures:
                raise ServerError("etcdserver: leader changed")
            listed += 1

        monkeypatch.setattr(lists, "_list", list_all)
        monkeypatch.setattr(listing, "_SETTLING", 0.0)
        monkeypatch.setattr(listing, "reconnect_delays", backoffs)
        relisting = asyncio.create_task(lists.run())
        world.watches.started_over.set()
        await until(lambda: listed)
        assert tried == failures + 1
        assert len(waited) >= failures, "each failure is waited for"
        assert not world.watches.started_over.is_set()
        relisting.cancel()

    asyncio.run(check())
