"""Looking again for kinds that are served and not watched."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from typing import Any

import aiohttp
import kopf
import pytest
from kopf._cogs.structs.references import Resource

from twinhull.shell import discovery, kinds
from twinhull.shell.cluster import Cluster
from twinhull.shell.discovery import Discovery
from twinhull.shell.errors import Unreachable
from twinhull.shell.kinds import Kind
from twinhull.shell.scope import Scope

REGISTRY, SETTINGS = kopf.OperatorRegistry(), kopf.OperatorSettings()
ENOUGH = 5
OURS = [kind for kind in kinds.WATCHED if kind.group]


class Served(Cluster):
    """A cluster that says of some kinds that it serves them, after some failures."""

    def __init__(self, *served: Kind, failures: int = 0) -> None:
        self.failures, self.asked = failures, 0
        self.asked_enough = asyncio.Event()
        self._served = set(served)

    async def served(self, kinds: Iterable[Kind]) -> set[Kind]:
        self.asked += 1
        if self.asked == ENOUGH:
            self.asked_enough.set()
        if self.asked <= self.failures:
            raise Unreachable("no answer")
        return self._served & set(kinds)


async def look(cluster: Served, *watched: Kind) -> None:
    """Look until it was asked often enough."""
    found = Discovery(cluster, Scope(), every=0)
    for kind in watched:
        found.insights.watched_resources.add(Resource(kind.group, kind.version, kind.plural))
    found.insights.ready_resources.set()
    looking = asyncio.create_task(found.run(REGISTRY, SETTINGS))
    enough = asyncio.create_task(cluster.asked_enough.wait())
    ended, _ = await asyncio.wait({looking, enough}, return_when=asyncio.FIRST_COMPLETED)
    looking.cancel()
    assert ended == {enough}, "it looks for as long as the process lives"


@pytest.fixture
def scans(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The groups that kopf is made to scan. The first scan fails, as kopf's do when a connection breaks."""
    scanned: list[str] = []

    async def scan(*, raw_event: Any, **_: object) -> None:
        scanned.append(raw_event["object"]["spec"]["group"])
        if len(scanned) == 1:
            raise aiohttp.ClientPayloadError("cut off")

    monkeypatch.setattr(discovery, "process_discovered_resource_event", scan)
    return scanned


def test_what_is_served_and_not_watched_is_scanned_whatever_fails(scans: list[str]) -> None:
    watched = [kind for kind in OURS if kind is not kinds.VIRTUAL_MACHINE]
    asyncio.run(look(Served(kinds.VIRTUAL_MACHINE, failures=2), *watched))
    assert set(scans) == {"kubevirt.io"}
    assert len(scans) > 1


def test_nothing_is_asked_while_all_is_watched(scans: list[str]) -> None:
    cluster = Served(*OURS)

    async def wait() -> None:
        looking = asyncio.create_task(look(cluster, *OURS))
        for _ in range(100):
            await asyncio.sleep(0)
        looking.cancel()

    asyncio.run(wait())
    assert (cluster.asked, scans) == (0, [])


def test_it_is_told_once(scans: list[str], caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    asyncio.run(look(Served(kinds.VIRTUAL_MACHINE)))
    assert len(scans) > 1
    told = [record for record in caplog.records if record.levelno == logging.INFO]
    assert [record.getMessage() for record in told] == ["looking again for the kinds of kubevirt.io"]
