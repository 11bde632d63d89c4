"""What was missed while a watch had to start over is listed, however often that fails at first."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from twinhull.core.defaults import OperatorDefaults
from twinhull.shell import app
from twinhull.shell.app import Application, Settings
from twinhull.shell.errors import ServerError

from .served import until


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
        application, tried, listed = Application(Settings(OperatorDefaults(), relist_every=600)), 0, 0

        async def list_all() -> None:
            nonlocal tried, listed
            tried += 1
            if tried <= failures:
                raise ServerError("etcdserver: leader changed")
            listed += 1

        monkeypatch.setattr(application, "_list_all", list_all)
        monkeypatch.setattr(app, "_SETTLING", 0.0)
        monkeypatch.setattr(app, "retry_delays", backoffs)
        relisting = asyncio.create_task(application._relist())  # noqa: SLF001
        application._watches.started_over.set()  # noqa: SLF001
        await until(lambda: listed)
        assert tried == failures + 1
        assert len(waited) >= failures, "each failure is waited for"
        assert not application._watches.started_over.is_set()  # noqa: SLF001
        relisting.cancel()

    asyncio.run(check())
