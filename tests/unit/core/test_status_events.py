"""What people are told: each thing once."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Literal

import pytest

from twinhull.api.isolation import Isolation
from twinhull.api.reasons import Quoted, Reason
from twinhull.api.workloadstatus import Condition, IsolationStatus, UnsupportedField, WorkloadStatus
from twinhull.core.defaults import OperatorDefaults
from twinhull.core.new_workload import new_case
from twinhull.core.plan import plan
from twinhull.core.status_events import events

Truth = Literal["True", "False", "Unknown"]
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def status(
    ready: Truth, reason: str, *, stalled: bool = False, generation: int = 1, dropped: tuple[str, ...] = ()
) -> WorkloadStatus:
    truths: list[tuple[str, Truth]] = [("Ready", ready), ("Stalled", "True" if stalled else "False")]
    return WorkloadStatus(
        observed_generation=generation,
        unsupported_fields=tuple(UnsupportedField(path=path, reason="r") for path in dropped) or None,
        conditions=tuple(
            Condition(
                type=kind,
                status=truth,
                reason=Quoted(reason),
                message=f"{reason}!",
                last_transition_time=NOW,
                observed_generation=generation,
            )
            for kind, truth in truths
        ),
    )


NEW = WorkloadStatus()
STARTING, READY, STOPPED = status("False", "Pending"), status("True", "Ready"), status("True", "Stopped")
STALLED, OTHERWISE = status("False", "NoKubeVirt", stalled=True), status("False", "Conflict", stalled=True)
DROPPED = status("True", "Ready", dropped=("spec.hostUsers",))


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        pytest.param(NEW, STARTING, [], id="starting"),
        pytest.param(NEW, READY, ["Normal Ready"], id="ready"),
        pytest.param(STARTING, READY, ["Normal Ready"], id="ready at last"),
        pytest.param(READY, READY, [], id="still ready"),
        pytest.param(READY, STOPPED, ["Normal Stopped"], id="stopped"),
        pytest.param(NEW, STALLED, ["Warning NoKubeVirt"], id="stalled"),
        pytest.param(STALLED, STALLED, [], id="still stalled"),
        pytest.param(STALLED, OTHERWISE, ["Warning Conflict"], id="stalled for another reason"),
        pytest.param(STALLED, STARTING, [], id="no longer stalled"),
        pytest.param(READY, STARTING, ["Warning Pending"], id="no longer ready"),
        pytest.param(
            READY, status("False", "Replacing", generation=2), [], id="no longer ready, as asked for"
        ),
        pytest.param(READY, STALLED, ["Warning NoKubeVirt"], id="stalled from ready"),
        pytest.param(STARTING, DROPPED, ["Warning FieldsDropped", "Normal Ready"], id="a field was dropped"),
        pytest.param(DROPPED, DROPPED, [], id="a field was dropped before"),
    ],
)
def test_told(before: WorkloadStatus, after: WorkloadStatus, expected: list[str]) -> None:
    assert [f"{event.type} {event.reason}" for event in events(before, after, are_dropped=True)] == expected


def test_note_says_what_the_condition_says() -> None:
    (event,) = events(NEW, READY, are_dropped=True)
    assert event.message == "Ready!"
    dropped, _ = events(STARTING, DROPPED, are_dropped=True)
    assert dropped.message == "the API server or a webhook left out spec.template.spec.hostUsers"


def raised(policy: str) -> WorkloadStatus:
    isolation = IsolationStatus(
        requested="Auto",
        resolved=Isolation.SANDBOX,
        policy=policy,
        reason=Reason.RAISED_BY_POLICY,
        message=f"IsolationPolicy {policy} requires it",
    )
    return READY.model_copy(update={"isolation": isolation})


def test_policy_that_raises_is_told_once() -> None:
    (first,) = events(READY, raised("a"), are_dropped=True)
    told = first.type, first.reason, first.message
    assert told == ("Normal", "RaisedByPolicy", "IsolationPolicy a requires it")
    assert list(events(raised("a"), raised("a"), are_dropped=True)) == []
    (second,) = events(raised("a"), raised("b"), are_dropped=True)
    assert second.message == "IsolationPolicy b requires it"


def test_waiting_for_kubevirt_with_unsupported_fields_tells_no_dropped_fields() -> None:
    """No hull was made, so no API server can have left anything out of it."""
    pod = {"hostNetwork": True, "containers": [{"name": "web", "image": "nginx"}]}
    spec = {"isolationPolicy": "VirtualMachine", "template": {"spec": pod}}
    case = new_case({"name": "web"}, spec, OperatorDefaults(guest_image="guest", first_report=0))
    deploying = replace(case.observed.capabilities, kubevirt="Deploying")
    planned = plan(replace(case, observed=replace(case.observed, capabilities=deploying)))
    assert planned.status
    assert planned.status.unsupported_fields
    assert planned.events == ()
