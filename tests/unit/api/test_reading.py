"""A Workload is read as far as that can be done without forgetting or inventing anything."""

from __future__ import annotations

from typing import Any

import pytest

from twinhull.api.base import Raw
from twinhull.api.reading import TooLarge, Unreadable, read

AT = "2026-01-01T00:00:00Z"
DONE = {"code": 0, "reason": "Completed", "revision": "1"}
MOVED = {"how": "Moved", "revision": "1", "hull": "web-1", "at": AT}


def workload(spec: Raw | None = None, status: Raw | None = None) -> Raw:
    metadata = {"name": "web", "namespace": "shop", "uid": "1", "generation": 1, "creationTimestamp": AT}
    template = {"spec": {"containers": [{"name": "web", "image": "nginx"}]}}
    return {"metadata": metadata, "spec": {"template": template, **(spec or {})}, "status": status or {}}


@pytest.mark.parametrize(
    ("obj", "problem"),
    [
        (workload({"isolationPolicy": "MicroVM"}), r"^spec\.isolationPolicy: .*'Auto'"),
        (workload({"replacement": {"drainSeconds": "soon"}}), r"^spec\.replacement\.drainSeconds: "),
        (workload(status={"exit": {**DONE, "code": "none"}}), r"^status\.exit\.code: "),
        (workload({"state": "Paused"}, {"lastChange": MOVED}), r"^spec\.state: "),
    ],
)
def test_what_cannot_be_read_is_named(obj: Raw, problem: str) -> None:
    with pytest.raises(Unreadable, match=problem):
        read(obj)


def test_what_is_too_large_is_named() -> None:
    obj = workload()
    obj["spec"]["template"]["spec"]["containers"][0]["image"] = "a" * 2000
    with pytest.raises(TooLarge, match=r"^spec\.template\.spec\.containers\[0\]\.image: has 2000 characters"):
        read(obj)


def test_a_newer_operators_status_does_not_stand_in_the_way() -> None:
    conditions = [{"type": "Ready", "status": "Perhaps", "reason": "R", "message": "m"}]
    status: dict[str, Any] = {
        "observedGeneration": 1,
        "exit": DONE,
        "lastChange": MOVED,
        "conditions": conditions,
    }
    reading = read(workload(status=status))
    found = reading.workload.status
    assert not reading.whole
    assert (found.observed_generation, found.last_change, found.conditions) == (1, None, None)
    assert found.exit is not None
    assert found.exit.code == 0


def test_a_field_that_is_not_known_is_passed_over() -> None:
    assert read(workload({"hologram": True})) == read(workload())
