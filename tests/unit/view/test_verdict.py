"""The verdict: the one thing that is wrong, and what to do."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tests.unit.commands import elsewhere
from tests.unit.view.objects import BEGAN, NOW, OWNER, condition, pod, workload, workload_objects
from twinhull.api.reasons import Reason
from twinhull.core.reasons import KNOWN, SECTIONS
from twinhull.view.verdict import RULES, Level, remedy, verdict
from twinhull.view.workloadobjects import ReadFailure, WorkloadObjects

RECONCILING = condition("Reconciling", "True", "Replacing", "waiting for Pod web-1 to end")


def unready(reason: str, *, stalled: bool = False, reconciling: bool = False) -> WorkloadObjects:
    return workload_objects(
        condition("Ready", "False", reason),
        *((condition("Stalled", "True", reason),) if stalled else ()),
        *((condition("Reconciling", "True", reason),) if reconciling else ()),
    )


def deleted(*finalizers: str) -> WorkloadObjects:
    gone: Any = {"deletionTimestamp": BEGAN, "finalizers": ["foregroundDeletion"]}
    hull = pod()
    hull["metadata"] |= {"deletionTimestamp": BEGAN, "finalizers": list(finalizers)}
    return WorkloadObjects(workload(metadata=gone), pods=(hull,))


def served(*, is_ready: bool, **more: Any) -> WorkloadObjects:
    service = {"metadata": {"name": "web", "ownerReferences": OWNER}, "spec": {}}
    endpoint = {"addresses": ["10.0.0.1"], "conditions": {"ready": is_ready}}
    return WorkloadObjects(
        workload(hull={"kind": "Pod", "name": "web-1", "ready": True}),
        service=service,
        slices=({"metadata": {"name": "web-x"}, "endpoints": [endpoint], "ports": [{"port": 80}]},),
        **more,
    )


def _failing(message: str = "expected status code 200, got 404", *, attempts: int = 2) -> dict[str, Any]:
    failure = {"message": message, "attempts": attempts, "dataVolume": "u"}
    return {"name": "boot", "phase": "ImportInProgress", "failure": failure}


FAILING = _failing()
REMARKED = {"name": "data", "phase": "Succeeded", "message": "a part of a split VMDK"}


@pytest.mark.parametrize(
    ("found", "level", "reason", "remedy"),
    [
        (deleted(), Level.UNDER_WAY, "BeingDeleted", ""),
        (
            deleted("example.dev/keep"),
            Level.UNDER_WAY,
            "BeingDeleted",
            "finalizers keep it: Pod web-1 has example.dev/keep; whoever set them has to remove them",
        ),
        (
            WorkloadObjects(workload(metadata={"generation": 2})),
            Level.UNDER_WAY,
            "JustChanged",
            "if this lasts, see whether the operator runs",
        ),
        (
            unready("ClaimMissing", stalled=True),
            Level.WRONG,
            "ClaimMissing",
            "create the claim that the message names",
        ),
        (unready("ImagePullBackOff", reconciling=True), Level.WRONG, "ImagePullBackOff", "check the image's"),
        (unready("Unschedulable", reconciling=True), Level.WRONG, "Unschedulable", "see the Events of the"),
        (
            unready("ContainersNotReady", reconciling=True),
            Level.UNDER_WAY,
            "ContainersNotReady",
            "if this lasts, see its log (`twinhull logs web -n shop`), and the probe",
        ),
        (unready("Creating", reconciling=True), Level.UNDER_WAY, "Creating", ""),
        (
            unready("MadeUp", reconciling=True),
            Level.UNDER_WAY,
            "MadeUp",
            "if this lasts, see `twinhull events web -n shop`",
        ),
        (
            unready("ContainersNotReady"),
            Level.WRONG,
            "ContainersNotReady",
            "see its log (`twinhull logs web -n shop`), and the probe",
        ),
        (
            workload_objects(condition("IsolationResolved", "False", "BelowFloor"), RECONCILING),
            Level.WRONG,
            "BelowFloor",
            "do what the Ready condition says (docs/policies.md#what-runs-below-a-floor)",
        ),
        (workload_objects(RECONCILING), Level.UNDER_WAY, "Replacing", ""),
        (
            workload_objects(condition("Stalled", "True", "PodRefused")),
            Level.LIMITED,
            "PodRefused",
            "do what the message says, which is the API server's",
        ),
        (
            workload_objects(condition("Ready", "True", "RestartRequired")),
            Level.LIMITED,
            "RestartRequired",
            "restart the",
        ),
        (
            workload_objects(unsupportedFields=[{"path": "spec.hostUsers", "reason": "a gate is off"}]),
            Level.LIMITED,
            "FieldsDropped",
            "enable the features",
        ),
        (
            workload_objects(disks=[{"name": "data", "message": "a part of a split VMDK"}]),
            Level.LIMITED,
            "DiskRemark",
            "",
        ),
        (workload_objects(disks=[FAILING]), Level.LIMITED, "DiskFailed", "do what the message says"),
        (
            workload_objects(disks=[REMARKED, FAILING]),
            Level.LIMITED,
            "DiskFailed",
            "do what the message says",
        ),
        (
            workload_objects(disks=[{"name": "data", "phase": "Failed"}]),
            Level.LIMITED,
            "DiskFailed",
            "do what the message",
        ),
        (workload_objects(disks=[_failing(attempts=1)]), Level.LIMITED, "DiskRemark", ""),
        (workload_objects(disks=[_failing("unexpected EOF")]), Level.LIMITED, "DiskRemark", ""),
        (workload_objects(disks=[{"name": "data", "phase": "Succeeded"}]), Level.FINE, "Ready", ""),
        (served(is_ready=False), Level.LIMITED, "NoEndpoint", "if this lasts, see whether the Service's"),
        (served(is_ready=True), Level.FINE, "Ready", ""),
        (
            served(is_ready=False, read_failures=(ReadFailure("EndpointSlices", "forbidden"),)),
            Level.FINE,
            "Ready",
            "",
        ),
        (workload_objects(), Level.FINE, "Ready", ""),
        (workload_objects(condition("Ready", "True", "Stopped")), Level.FINE, "Stopped", ""),
        (workload_objects(condition("Ready", "True", "Completed")), Level.FINE, "Completed", ""),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_wrong_first(found: WorkloadObjects, level: Level, reason: str, remedy: str) -> None:
    shown = verdict(found, NOW)
    assert (shown.level, shown.reason) == (level, reason)
    assert shown.remedy.startswith(remedy)
    assert bool(shown.remedy) == bool(remedy)
    assert shown.needs_somebody == (level in {Level.WRONG, Level.LIMITED})


def test_one_that_the_operator_has_not_seen_is_wrong_after_a_minute() -> None:
    found = WorkloadObjects({**workload(), "status": {"observedGeneration": -1}})
    soon = verdict(found, NOW - timedelta(minutes=4, seconds=30))
    assert (soon.level, soon.reason, soon.remedy) == (Level.UNDER_WAY, "NeverSeen", "")
    assert soon.message == "it was created 30s ago, and the operator hasn't looked at it yet"
    late = verdict(found, NOW)
    assert (late.level, late.reason) == (Level.WRONG, "NeverSeen")
    assert late.message == "the operator has never looked at it, and it is 5m old"
    assert "app.kubernetes.io/name=twinhull" in late.remedy


def test_a_message_is_the_condition_s_own() -> None:
    shown = verdict(
        workload_objects(condition("Stalled", "True", "ClaimMissing", "claim data isn't there")), NOW
    )
    assert shown.message == "claim data isn't there"


@pytest.mark.parametrize("reason", sorted(KNOWN))
def test_every_known_reason_has_a_verdict_whatever_the_conditions(reason: str) -> None:
    for stalled, reconciling in ((True, False), (False, True), (False, False)):
        shown = verdict(unready(reason, stalled=stalled, reconciling=reconciling), NOW)
        assert shown.level is not Level.FINE
        assert shown.reason == reason


@pytest.mark.parametrize("reason", [*(str(reason) for _, table in SECTIONS for reason in table), "MadeUp"])
def test_each_command_of_a_remedy_is_for_the_workload_s_namespace(reason: str) -> None:
    hull = {"kind": "VirtualMachine", "name": "web-1"}
    text = remedy(reason, WorkloadObjects(workload(metadata={"namespace": "elsewhere"}, hull=hull)))
    assert elsewhere(text, "web", "elsewhere") == []
    assert not {"NAME", "NAMESPACE", "HULL"} & set(text.replace("`", " ").split())


def test_a_service_that_leads_nowhere_is_looked_at_in_its_namespace() -> None:
    assert "(kubectl describe service web -n shop)" in verdict(served(is_ready=False), NOW).remedy


def test_the_last_rule_always_has_something_to_say() -> None:
    assert RULES[-1](replace(workload_objects(), workload={"metadata": {"name": "web"}}), NOW) is not None


def test_reasons_of_the_verdict_itself_are_no_condition_s() -> None:
    own = {"BeingDeleted", "NeverSeen", "JustChanged", "DiskRemark", "NoEndpoint"}
    assert not own & {str(reason) for reason in Reason}
