"""The status, as those read it who don't know Workloads: kstatus, `kubectl wait`, people."""

from __future__ import annotations

from datetime import timedelta

import pytest

from twinhull.api.base import Raw
from twinhull.api.workload import Workload
from twinhull.core.case import Case
from twinhull.core.decision import decide
from twinhull.core.plan import plan
from twinhull.core.status import status

from .objects import CREATED, KUBEVIRT, NOW, case, hull, running, workload
from .test_rules import CONTAINER, MACHINE, POD, SITUATIONS, STOPPED


def kstatus(obj: Raw) -> str:
    """The generic rules of sigs.k8s.io/cli-utils, pkg/kstatus/status: first that fits, in this order."""
    metadata, reported = obj["metadata"], obj.get("status", {})
    if metadata.get("deletionTimestamp"):
        return "Terminating"
    if "observedGeneration" in reported and reported["observedGeneration"] != metadata["generation"]:
        return "InProgress"
    conditions = {found["type"]: found["status"] for found in reported.get("conditions", [])}
    if conditions.get("Reconciling") == "True":
        return "InProgress"
    if conditions.get("Stalled") == "True":
        return "Failed"
    return "Current" if conditions.get("Ready", "True") == "True" else "InProgress"


def with_status(raw: Raw, found: Case) -> Raw:
    return raw | {"status": status(found, decide(found)).raw()}


@pytest.mark.parametrize("situation", SITUATIONS)
def test_kstatus_understands(situation: str) -> None:
    found, (kind, _, _), _ = SITUATIONS[situation]
    obj = {"metadata": {"generation": 1}, "status": status(found, decide(found)).raw()}
    assert kstatus(obj) == {"ready": "Current", "stalled": "Failed", "under way": "InProgress"}[kind]


def test_new_workload_is_in_progress() -> None:
    assert kstatus({"metadata": {"generation": 1}, "status": {"observedGeneration": -1}}) == "InProgress"


def test_edited_workload_is_in_progress_until_it_was_looked_at() -> None:
    raw = with_status(STOPPED, case(STOPPED))
    assert kstatus(raw) == "Current"
    assert kstatus(raw | {"metadata": raw["metadata"] | {"generation": 2}}) == "InProgress"


def test_deleted_workload_is_terminating_and_left_alone() -> None:
    raw = workload(metadata={"deletionTimestamp": "2026-01-01T00:00:00Z"})
    assert kstatus(raw) == "Terminating"
    assert plan(case(raw, hull("Pod", "web-1former"))) == plan(case(raw))
    assert plan(case(raw)).actions == ()


@pytest.mark.parametrize("situation", SITUATIONS)
def test_every_condition_is_there_and_speaks_of_this_generation(situation: str) -> None:
    found = SITUATIONS[situation][0]
    conditions = status(found, decide(found)).conditions
    assert conditions
    assert [condition.type for condition in conditions] == [
        "Ready",
        "Reconciling",
        "Stalled",
        "IsolationResolved",
    ]
    assert {condition.observed_generation for condition in conditions} == {1}
    assert all(condition.reason and condition.message for condition in conditions)


def times(found: Case) -> dict[str, str]:
    conditions = status(found, decide(found)).raw()["conditions"]
    return {condition["type"]: condition["lastTransitionTime"] for condition in conditions}


def test_time_moves_only_with_the_status() -> None:
    raw = with_status(CONTAINER, case(CONTAINER))
    later = NOW + timedelta(minutes=1)
    pending = case(raw, hull("Pod", POD), now=CREATED + timedelta(seconds=5))
    assert times(pending)["Ready"] == "2026-01-01T00:15:00Z", "another reason, the same status"
    is_ready = case(raw, hull("Pod", POD, status=running()), now=later)
    assert times(is_ready) == {
        "Ready": "2026-01-01T00:16:00Z",
        "Reconciling": "2026-01-01T00:16:00Z",
        "Stalled": "2026-01-01T00:15:00Z",
        "IsolationResolved": "2026-01-01T00:15:00Z",
    }


def test_time_is_in_whole_seconds() -> None:
    assert times(case(CONTAINER, now=NOW + timedelta(microseconds=7)))["Ready"] == "2026-01-01T00:15:00Z"


def test_status_as_it_was_written_is_not_written_again() -> None:
    objects = [hull("Pod", POD, status=running())]
    raw = with_status(CONTAINER, case(CONTAINER, *objects))
    assert plan(case(raw, *objects, now=NOW + timedelta(hours=1))).status is None
    parsed = Workload.model_validate(raw)
    assert parsed.status.raw() == raw["status"]


def test_isolation_is_not_resolved_when_it_cannot_be_had() -> None:
    conditions = {c.type: c for c in status(case(MACHINE), decide(case(MACHINE))).conditions or ()}
    assert (conditions["IsolationResolved"].status, conditions["IsolationResolved"].reason) == (
        "False",
        "KubeVirtMissing",
    )


def test_hull_that_runs_is_said_even_while_its_successor_cannot_be_made() -> None:
    found = case(MACHINE, hull("Pod", POD, status=running()))
    reported = status(found, decide(found))
    assert reported.hull
    assert (reported.hull.name, reported.hull.ready, reported.previous_hull) == (POD, True, None)


def test_unsupported_fields_are_said_and_go_again() -> None:
    raw = workload({"isolationPolicy": "VirtualMachine"}, pod={"hostPID": True})
    refused = status(case(raw, KUBEVIRT), decide(case(raw, KUBEVIRT)))
    assert [field.path for field in refused.unsupported_fields or ()] == ["spec.hostPID"]
    plain = case(MACHINE, KUBEVIRT)
    assert status(plain, decide(plain)).unsupported_fields is None


@pytest.mark.parametrize(("seconds", "wait"), [(0, 5), (4, 1), (5, None), (60, None), (-3600, None)])
def test_progress_of_a_new_workload_is_told_after_a_moment(seconds: float, wait: float | None) -> None:
    found = plan(case(CONTAINER, hull("Pod", POD), now=CREATED + timedelta(seconds=seconds)))
    assert (found.status is None) == (wait is not None)
    assert found.requeue_after == timedelta(seconds=600 - seconds if wait is None else wait)


def test_what_is_not_progress_is_told_at_once() -> None:
    assert plan(case(MACHINE, now=CREATED)).status
    assert plan(case(CONTAINER, hull("Pod", POD, status=running()), now=CREATED)).status


def test_a_claim_that_is_missing_is_told_a_moment_later_since_it_may_have_been_applied_together() -> None:
    claim = {"name": "data", "persistentVolumeClaim": {"claimName": "data"}}
    storing = workload({"isolationPolicy": "Container"}, pod={"volumes": [claim]})
    at_once = plan(case(storing, now=CREATED))
    assert (at_once.status, at_once.requeue_after) == (None, timedelta(seconds=2))
    later = plan(case(storing, now=CREATED + timedelta(seconds=2)))
    assert later.status is not None
    assert [event.reason for event in later.events] == ["ClaimMissing"]
