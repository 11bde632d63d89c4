"""Events of a Workload and of its hulls."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.view.objects import BEGAN, NOW, pod, workload
from twinhull.view import events
from twinhull.view.workloadobjects import WorkloadObjects

SEEN = WorkloadObjects(
    workload(
        hull={"kind": "Pod", "name": "web-1"},
        disks=[{"name": "data", "claim": "web-data"}],
    ),
    pods=(pod(),),
    volumes=({"metadata": {"name": "web-data"}},),
)


def event(kind: str = "Pod", name: str = "web-1", uid: str = "2", **more: Any) -> dict[str, Any]:
    return {
        "metadata": {"name": f"{name}.1", "uid": f"{kind}/{name}/{more.get('eventTime')}"},
        "involvedObject": {"kind": kind, "name": name, "uid": uid},
        "type": "Normal",
        "reason": "Told",
        "message": "something",
        **more,
    }


@pytest.mark.parametrize(
    ("given", "is_ours"),
    [
        (event("Workload", "web", "1"), True),
        (event("Workload", "web", "of a former one"), False),
        (event("Pod", "web-1"), True),
        (event("Pod", "web-2"), False),
        (event("Service", "web-1"), False),
        (event("DataVolume", "web-data"), True),
        (event("PersistentVolumeClaim", "web-data"), True),
    ],
)
def test_whose_they_are(given: dict[str, Any], is_ours: bool) -> None:  # noqa: FBT001  a parameter
    assert events.is_about(given, SEEN) is is_ours


@pytest.mark.parametrize(
    ("given", "time"),
    [
        ({"series": {"lastObservedTime": "c"}, "eventTime": "a"}, "c"),
        ({"lastTimestamp": "b", "firstTimestamp": "a"}, "b"),
        ({"eventTime": "a", "lastTimestamp": None}, "a"),
        ({"firstTimestamp": "a"}, "a"),
        ({}, ""),
    ],
)
def test_when_they_were_last_told(given: dict[str, Any], time: str) -> None:
    assert events.last_seen({"metadata": {}, **given}) == time


def test_they_come_once_and_the_oldest_first() -> None:
    late = event(eventTime="2026-01-01T00:00:00.500000Z")
    early = event(eventTime=BEGAN)
    unknown = event(eventTime=None)
    assert events.in_order([late, early, late, unknown]) == [unknown, early, late]


def test_a_row_says_how_often() -> None:
    rows = events.table(
        [
            event(eventTime=BEGAN, series={"count": 7, "lastObservedTime": "2026-01-01T00:04:00Z"}),
            event(lastTimestamp=BEGAN, count=3, type="Warning"),
        ],
        NOW,
    ).rows
    assert [[cell.text for cell in row] for row in rows] == [
        ["60s (x7)", "Normal", "Told", "pod/web-1", "something"],
        ["5m (x3)", "Warning", "Told", "pod/web-1", "something"],
    ]
