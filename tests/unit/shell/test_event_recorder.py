"""The events, posted one after the other, whatever somebody else has to tell."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime

from tests.controlplane.polling import PATIENCE
from twinhull.api.base import Raw
from twinhull.api.reasons import Reason
from twinhull.core.actions import Event
from twinhull.shell.errors import Refused
from twinhull.shell.event_recorder import EventRecorder
from twinhull.shell.kinds import WORKLOAD, Kind

from .apiserver import ApiServer, FakeCluster


class _Posted(FakeCluster):
    """Takes Events, one at a time, and refuses those of one namespace."""

    def __init__(self) -> None:
        super().__init__(ApiServer(lambda: datetime.now(UTC)))
        self.notes: list[tuple[str, str]] = []

    async def create(self, kind: Kind, namespace: str, obj: Raw) -> Raw:
        assert kind.name == "Event"
        await asyncio.sleep(0)
        self.notes.append((namespace, obj["note"]))
        if namespace == "refused":
            raise Refused("the namespace is being terminated")
        return obj


def _post(events: EventRecorder, namespace: str, message: str) -> None:
    metadata = {"name": "web", "namespace": namespace, "uid": "u", "resourceVersion": "1"}
    events.post(WORKLOAD, {"metadata": metadata}, Event("Normal", Reason.CREATED, message))


async def _posted(*notes: tuple[str, str]) -> list[tuple[str, str]]:
    cluster = _Posted()
    events = EventRecorder(cluster)
    await asyncio.wait_for(events.drain(), PATIENCE)
    for namespace, message in notes:
        _post(events, namespace, message)
    running = asyncio.create_task(events.run())
    await asyncio.wait_for(events.drain(), PATIENCE)
    running.cancel()
    return cluster.notes


def test_events_are_posted_in_order_though_some_are_refused() -> None:
    notes = [("shop", "one"), ("refused", "no"), ("shop", "two"), ("shop", "three")]
    assert asyncio.run(_posted(*notes)) == [notes[0], notes[1], notes[2], notes[3]]


def test_a_flood_is_cut_and_makes_no_others_late() -> None:
    flood = [("flood", str(number)) for number in range(3000)]
    posted = asyncio.run(_posted(*flood, ("shop", "one"), ("shop", "two")))
    assert posted[:4] == [flood[0], ("shop", "one"), flood[1], ("shop", "two")]
    assert len(posted) == 1002


def test_a_flood_of_many_namespaces_takes_no_others_events() -> None:
    floods = [(f"flood-{number % 10}", str(number)) for number in range(10_000)]
    posted = asyncio.run(_posted(*floods, ("shop", "one"), ("shop", "two"), ("flood-0", "more")))
    assert [note for namespace, note in posted if namespace == "shop"] == ["one", "two"]
    assert ("flood-0", "more") in posted
    assert len(posted) == 10_000
    lost = set(floods) - set(posted)
    assert lost == {("flood-0", "9990"), ("flood-1", "9991"), ("flood-2", "9992")}, "the last of each"


def test_the_same_again_and_again_is_told_as_a_series() -> None:
    async def run() -> list[Raw]:
        cluster, now, posted = _Posted(), 0.0, list[Raw]()
        events = EventRecorder(cluster, lambda: now)
        create = cluster.create

        async def kept(kind: Kind, namespace: str, obj: Raw) -> Raw:
            posted.append(obj)
            return await create(kind, namespace, obj)

        cluster.create = kept  # type: ignore[method-assign]
        running = asyncio.create_task(events.run())
        for second in range(1200):
            now = float(second)
            _post(events, "shop", "created Pod web again")
            if second == 700:
                _post(events, "shop", "something else")
            await asyncio.wait_for(events.drain(), PATIENCE)
        running.cancel()
        return posted

    posted = asyncio.run(run())
    counts = [(event["note"], event.get("series", {}).get("count")) for event in posted]
    again = "created Pod web again"
    first, then = [(again, None)] * 3, [(again, 598), (again, None), (again, None)]
    assert counts == [*first, *then, ("something else", None)]


def test_events_give_way_to_passes_that_wait_and_are_told_in_the_end() -> None:
    async def run() -> None:
        cluster, now, busy = _Posted(), 0.0, True
        events = EventRecorder(cluster, lambda: now, lambda: busy)
        running = asyncio.create_task(events.run())
        _post(events, "shop", "one")
        await asyncio.sleep(0.2)
        assert cluster.notes == [], "passes wait"
        busy = False
        await _until(lambda: cluster.notes == [("shop", "one")])
        busy = True
        _post(events, "shop", "two")
        await asyncio.sleep(0.2)
        assert len(cluster.notes) == 1
        now += 11
        await _until(lambda: len(cluster.notes) == 2)  # passes wait on, but not for ever
        for number in range(500):
            _post(events, "shop", str(number))
        await _until(lambda: len(cluster.notes) == 502)  # so many give way to nothing
        _post(events, "shop", "last")
        await asyncio.wait_for(events.drain(), PATIENCE)  # nor does what is told before the end
        running.cancel()

    asyncio.run(run())


async def _until(check: Callable[[], bool]) -> None:
    for _ in range(2_000):
        if check():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it never was so")
