"""What a guest says, be it well or ill meant."""

from __future__ import annotations

from typing import Any

import pytest

from twinhull.hulls.report import Report

ENDED = {"name": "web", "ready": False, "restartCount": 0, "state": {"terminated": {"exitCode": 0}}}


def answer(status: Any, **said: Any) -> dict[str, Any]:
    return {"version": "1.0", "error": "", "final": False, "pod": {"metadata": {}, "status": status}, **said}


def test_it_is_taken_as_said() -> None:
    status = {"phase": "Succeeded", "containerStatuses": [ENDED]}
    report = Report.parse(answer(status, final=True, error="slow disk"))
    assert report == Report(status, "slow disk", final=True)
    assert report.phase == "Succeeded"


def test_before_the_kubelet_has_a_status_there_is_only_the_error() -> None:
    assert Report.parse(answer(None, error="no ConfigMap web")) == Report({}, "no ConfigMap web")


@pytest.mark.parametrize(
    "wrong",
    [
        None,
        [],
        "guest",
        {},
        {"pod": None},
        answer({"containerStatuses": {}, "phase": 1, "initContainerStatuses": [1]}),
        answer({"containerStatuses": [{"ready": True}]}),
        answer({"containerStatuses": [{**ENDED, "restartCount": "many"}]}),
        answer({"containerStatuses": [{**ENDED, "state": {"running": []}}, {"name": 3}]}),
        answer({"containerStatuses": [ENDED, ENDED]}),
        answer({"phase": "Elsewhere"}, final=True),
        answer({}, final=True),
        answer({"conditions": [{"status": "False"}]}),
    ],
)
def test_what_is_no_status_is_refused(wrong: Any) -> None:
    with pytest.raises(ValueError, match=r"isn't a Twinhull guest|two containers of one name"):
        Report.parse(wrong)


def test_long_texts_are_cut_as_a_kubelet_cuts_them() -> None:
    report = Report.parse(answer({"phase": "Pending", "message": "x" * 10_000}, error="y" * 10_000))
    assert len(report.status["message"]) == len(report.error) == 4096
