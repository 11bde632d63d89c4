"""A guest's report, from an honest guest and from a hostile one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from twinhull.api.workloadstatus import Condition, WorkloadStatus
from twinhull.hulls import podstatus
from twinhull.hulls.report import Report

ENDED = {"name": "web", "restartCount": 1, "state": {"terminated": {"exitCode": 0}}}
FULL: Any = {
    "phase": "Failed",
    "reason": "DeadlineExceeded",
    "message": "m",
    "conditions": [{"type": "Ready", "status": "False", "reason": "ContainersNotReady", "message": "m"}],
    "initContainerStatuses": [{"name": "setup", "ready": True, "state": {"running": {}}}],
    "containerStatuses": [
        {
            "name": "web",
            "ready": True,
            "restartCount": 2,
            "state": {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off"}},
            "lastState": {
                "terminated": {
                    "exitCode": 3,
                    "reason": "Error",
                    "message": "m",
                    "finishedAt": "2026-01-01T00:00:00Z",
                }
            },
        }
    ],
}


def answer(status: Any, **keys: Any) -> dict[str, Any]:
    return {"version": "1.0", "error": "", "final": False, "pod": {"metadata": {}, "status": status}, **keys}


def test_it_is_taken_as_said() -> None:
    status = {"phase": "Succeeded", "containerStatuses": [ENDED]}
    report = Report.parse(answer(status, final=True, error="slow disk"))
    assert report == Report(status, "slow disk", final=True)
    assert report.phase == "Succeeded"


def test_before_the_agent_knows_its_pod_there_is_only_the_error() -> None:
    assert Report.parse({"version": "1", "error": "no manifest", "pod": None}) == Report({}, "no manifest")


def test_before_the_kubelet_has_a_status_there_is_only_the_error() -> None:
    assert Report.parse(answer(None, error="no ConfigMap web")) == Report({}, "no ConfigMap web")


@pytest.mark.parametrize(("keys", "stop"), [({}, ""), ({"stop": "none"}, "none"), ({"stop": "done"}, "done")])
def test_an_older_guest_can_not_be_asked_to_stop(keys: Any, stop: str) -> None:
    assert Report.parse(answer({"phase": "Running"}, **keys)).stop == stop


@pytest.mark.parametrize(
    "wrong",
    [
        None,
        [],
        "guest",
        {},
        {"pod": {}},
        {"version": "1", "pod": []},
        answer({"containerStatuses": {}, "phase": 1, "initContainerStatuses": [1]}),
        answer({"containerStatuses": [{"ready": True}]}),
        answer({"containerStatuses": [{**ENDED, "restartCount": "many"}]}),
        answer({"containerStatuses": [{**ENDED, "state": {"running": []}}, {"name": 3}]}),
        answer({"containerStatuses": [ENDED, ENDED]}),
        answer({"phase": "Elsewhere"}, final=True),
        answer({}, final=True),
        answer({"conditions": [{"status": "False"}]}),
        answer({}, stop="perhaps"),
    ],
)
def test_what_is_no_status_is_refused(wrong: Any) -> None:
    with pytest.raises(ValueError, match="the answer isn't that of a Twinhull guest"):
        Report.parse(wrong)


def test_long_texts_are_cut_as_a_kubelet_cuts_them() -> None:
    report = Report.parse(answer({"phase": "Pending", "message": "x" * 10_000}, error="y" * 10_000))
    assert len(report.status["message"]) == len(report.error) == 4096


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Everything in a JSON value, by its path."""
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, below in items:
        yield from places(below, (*path, key))


def replaced(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    if not path:
        return new
    copy = list(value) if isinstance(value, list) else dict(value)
    copy[path[0]] = replaced(copy[path[0]], path[1:], new)
    return copy


LIES: tuple[Any, ...] = (
    None,
    [],
    {},
    ["x"],
    {"x": 1},
    True,
    1.5,
    -1,
    10**30,
    "",
    "\ud800",
    "x" * 9999,
    "2026-01-01T00:00:00",
)


@pytest.mark.parametrize("path", list(places(FULL)), ids=lambda path: ".".join(map(str, path)) or "all")
@pytest.mark.parametrize("final", [False, True])
def test_no_lie_gets_further_than_a_status_would(path: tuple[Any, ...], final: bool) -> None:  # noqa: FBT001
    for lie in LIES:
        try:
            report = Report.parse(answer(replaced(FULL, path, lie), final=final))
        except ValueError:
            continue
        reason, message = podstatus.why_not_ready({"status": report.status})
        end = podstatus.exit_of(report.status, {}, "r") if final else None
        condition = Condition(
            type="Ready",
            status="False",
            reason=reason,
            message=message,
            last_transition_time=datetime(2026, 1, 1, tzinfo=UTC),
            observed_generation=1,
        )
        status = WorkloadStatus(
            containers=podstatus.containers(report.status), exit=end, conditions=(condition,)
        )
        text = json.dumps(status.raw(), ensure_ascii=False).encode()
        assert WorkloadStatus.model_validate_json(text) == status, "it would be written again and again"
        assert end is None or end.finished_at is None or end.finished_at.tzinfo
