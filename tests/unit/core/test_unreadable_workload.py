"""What is said of a Workload that can't be read."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from twinhull.api.base import Raw
from twinhull.api.reading import UNREAD
from twinhull.core.unreadable_workload import UnreadableWorkload

from .objects import workload

NOW = datetime(2026, 1, 2, tzinfo=UTC)
EARLIER = "2026-01-01T00:00:00Z"
EXIT = {"code": 0, "reason": "Completed", "revision": "1"}


def unreadable(
    status: Raw | None = None, problem: str = "spec.state: Input should be 'Running'"
) -> UnreadableWorkload:
    raw = workload({"state": "Paused"}, status=status or {}, metadata={"generation": 7})
    return UnreadableWorkload(obj=raw, problem=problem, hulls=(), now=NOW)


def ready(**fields: object) -> Raw:
    condition = {"type": "Ready", "status": "True", "reason": "Ready", "message": "m"}
    return {**condition, "lastTransitionTime": EARLIER, "observedGeneration": 6, **fields}


def test_it_stalls_and_names_the_field() -> None:
    found = unreadable()
    conditions = {condition["type"]: condition for condition in found.status()["conditions"]}
    assert {kind: condition["status"] for kind, condition in conditions.items()} == {
        "Ready": "False",
        "Reconciling": "False",
        "Stalled": "True",
        "IsolationResolved": "False",
    }
    assert (
        "can't read spec.state: Input should be 'Running'; what runs is left"
        in conditions["Stalled"]["message"]
    )
    assert found.status()["observedGeneration"] == 7
    assert [event.reason for event in found.events()] == ["Unreadable"]


def test_what_there_is_no_room_for_is_to_be_made_smaller() -> None:
    """An upgrade wouldn't help."""
    found = replace(unreadable(), obj={**unreadable().obj, UNREAD: "why"})
    messages = {condition["type"]: condition["message"] for condition in found.status()["conditions"]}
    assert messages["Stalled"].endswith(
        "what runs is left as it is: make it smaller, or remove others from its namespace"
    )


def test_what_was_said_of_what_runs_stays() -> None:
    status = unreadable({"exit": EXIT, "hologram": {"a": 1}, "conditions": [ready()]}).status()
    assert status["exit"] == EXIT
    assert status["hologram"] == {"a": 1}
    assert status["conditions"][0]["lastTransitionTime"] == "2026-01-02T00:00:00Z"


def test_it_is_said_once() -> None:
    again = unreadable(unreadable().status())
    assert again.status() == unreadable().status()
    assert list(again.events()) == []


def test_conditions_in_other_words_are_said_anew() -> None:
    strange = unreadable({"conditions": [ready(status="Perhaps"), {"type": "Stalled"}]})
    assert [condition["type"] for condition in strange.status()["conditions"]] == [
        "Ready",
        "Reconciling",
        "Stalled",
        "IsolationResolved",
    ]
