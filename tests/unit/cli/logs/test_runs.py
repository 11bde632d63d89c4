"""What comes after a container's run, by states of its Workload."""

from __future__ import annotations

from typing import Any

from twinhull.cli.logs.runs import Outcome, Run, outcome_of


def workload(hull: str = "web-1", started: str = "", restarts: int = 0) -> dict[str, Any]:
    found = {"kind": "Pod", "name": hull, **({"startedAt": started} if started else {})}
    listed = [{"name": "web", "state": "Running", "restarts": restarts}]
    status = {"containers": listed, **({"hull": found} if hull else {})}
    return {"metadata": {"name": "web", "uid": "1"}, "spec": {}, "status": status}


def test_a_hull_after_none_is_the_next_one_whatever_its_name() -> None:
    run = Run.of(workload(), "web").watched(workload(hull=""))
    assert outcome_of(workload(hull=""), run) is None
    assert outcome_of(workload(), run.watched(workload())) == Outcome.NEXT_HULL


def test_when_a_hull_began_is_learnt_later() -> None:
    run = Run.of(workload(), "web").watched(workload(started="2026-01-01T00:00:00Z"))
    assert outcome_of(workload(started="2026-01-01T00:00:00Z"), run) is None
    assert outcome_of(workload(started="2026-01-01T00:00:01Z"), run) == Outcome.NEXT_HULL
    assert outcome_of(workload(), run) == Outcome.NEXT_HULL


def test_a_hull_whose_container_was_restarted_less_often_is_the_next_one() -> None:
    run = Run.of(workload(restarts=2), "web")
    assert outcome_of(workload(restarts=1), run) == Outcome.NEXT_HULL
    assert outcome_of(workload(restarts=3), run) == Outcome.NEXT_RUN
    assert outcome_of(workload(restarts=2), run) is None
