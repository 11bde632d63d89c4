"""How the process ends."""

from __future__ import annotations

import asyncio

import pytest

from tests.controlplane.polling import PATIENCE
from twinhull.core.defaults import OperatorDefaults
from twinhull.shell.app import Application
from twinhull.shell.lease import Lease
from twinhull.shell.lease_terms import Terms
from twinhull.shell.settings import Settings

from .test_lease import NAME, Leases


def test_the_lease_is_renewed_while_events_are_posted_and_given_back(monkeypatch: pytest.MonkeyPatch) -> None:
    terms = Terms(*NAME, "me", 3.0)

    async def work() -> None:
        cluster, working = Leases(), asyncio.Event()
        app = Application(Settings(OperatorDefaults(), lease=terms))
        lease = Lease(cluster, terms)
        app._lease = lease  # noqa: SLF001
        app._lease_thread.start()  # noqa: SLF001

        async def nothing() -> None:
            pass

        async def drain() -> None:
            """Posting takes until the Lease has been renewed some times."""
            renewed = cluster.renewed
            while cluster.renewed < renewed + 2:  # noqa: ASYNC110  a test polls
                await asyncio.sleep(0.01)

        loop = app._control_loop  # noqa: SLF001
        monkeypatch.setattr(loop, "catch_up", nothing)
        monkeypatch.setattr(loop, "work", lambda _: working.set())
        monkeypatch.setattr(loop.events, "drain", drain)
        app._tasks.spawn(app._lead(lease))  # noqa: SLF001
        await working.wait()
        before = cluster.renewed
        await app._stop()  # noqa: SLF001
        assert cluster.renewed >= before + 2
        assert cluster.holder == ""

    asyncio.run(asyncio.wait_for(work(), PATIENCE))


def test_an_end_during_the_start_is_no_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    """A signal has the start cancelled, and with it the tasks that it began."""

    async def work() -> None:
        app = Application(Settings(OperatorDefaults()))

        async def start_and_be_cancelled() -> None:
            app._tasks.spawn(asyncio.sleep(PATIENCE))  # noqa: SLF001
            await asyncio.sleep(PATIENCE)

        monkeypatch.setattr(app._control_loop, "know", start_and_be_cancelled)  # noqa: SLF001
        starting = asyncio.create_task(app._start())  # noqa: SLF001
        await asyncio.sleep(0)
        starting.cancel()
        await asyncio.gather(starting, return_exceptions=True)
        await app._tasks.cancel()  # noqa: SLF001
        assert starting.cancelled()
        assert app._tasks.failure is None  # noqa: SLF001

    asyncio.run(asyncio.wait_for(work(), PATIENCE))
