"""An Event is small enough for the API server, whatever it is made of."""

from __future__ import annotations

import asyncio
from typing import Any, cast

from tests.unit.core.objects import workload
from twinhull.api.base import Raw
from twinhull.api.reasons import Quoted
from twinhull.core.actions import Event
from twinhull.shell.cluster import Cluster
from twinhull.shell.event_recorder import EventRecorder
from twinhull.shell.kinds import WORKLOAD, Kind


class _Server:
    """Keeps what it is given."""

    def __init__(self) -> None:
        self.created: list[Raw] = []

    async def create(self, _kind: Kind, _namespace: str, obj: Raw) -> Raw:
        self.created.append(obj)
        return obj


def _posted(event: Event) -> Any:
    server = _Server()

    async def play() -> None:
        events = EventRecorder(cast("Cluster", server))
        running = asyncio.create_task(events.run())
        events.post(WORKLOAD, workload(), event)
        await events.drain()
        running.cancel()

    asyncio.run(play())
    return server.created[0]


def test_its_note_and_its_reason_are_cut() -> None:
    """The API server takes 1,024 bytes of a event, and 128 of a reason and of an action."""
    event = _posted(Event("Warning", Quoted("Ö" * 500), "ö" * 5000))
    assert len(event["note"].encode()) <= 1000
    assert event["note"].endswith("… (10000 bytes, cut)")
    assert len(event["reason"].encode()) <= 128
    assert len(event["action"].encode()) <= 128


def test_a_short_one_is_as_it_is_told() -> None:
    event = _posted(Event("Normal", Quoted("Pulled"), "it is there"))
    assert (event["reason"], event["note"]) == ("Pulled", "it is there")
