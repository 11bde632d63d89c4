"""What is decided by what KubeVirt and the launcher Pod say of a machine."""

from __future__ import annotations

from datetime import timedelta

import pytest

from twinhull.api.base import Raw
from twinhull.core.actions import Delete
from twinhull.core.case import Case
from twinhull.core.decision import decide

from .objects import CREATED, KUBEVIRT, NOW, at, case, companion, hull, workload

MACHINE = workload({"isolationPolicy": "VirtualMachine"})
RUN = workload({"isolationPolicy": "VirtualMachine"}, pod={"restartPolicy": "Never"})
LAUNCHER: Raw = {"apiVersion": "kubevirt.io/v1", "kind": "VirtualMachineInstance", "controller": True}
SECURITY = 'pods "virt-launcher" is forbidden: violates PodSecurity "restricted:latest": privileged'
QUOTA = 'pods "virt-launcher" is forbidden: exceeded quota: small, requested: pods=1, used: pods=1'


def machine(raw: Raw, condition: Raw, **instance: object) -> list[Raw]:
    """A machine with its instance, and the latter's condition."""
    name = case(raw, KUBEVIRT).hull_name
    vm = hull("VirtualMachine", name, status={"printableStatus": "Starting"})
    vm["spec"] = {"runStrategy": "Always" if raw is MACHINE else "Once"}
    vmi = hull("VirtualMachineInstance", name, owner=None)
    vmi["status"] = {"conditions": [condition], **instance}
    return [KUBEVIRT, vm, vmi, companion("ConfigMap", name)]


def refused(sentence: str, *, ago: int) -> Case:
    since = (NOW - timedelta(seconds=ago)).isoformat()
    condition = {"type": "Synchronized", "status": "False", "reason": "FailedCreate", "message": sentence}
    return case(MACHINE, *machine(MACHINE, {**condition, "lastTransitionTime": since}))


@pytest.mark.parametrize(("sentence", "ago"), [(SECURITY, 0), (SECURITY, 5000), (QUOTA, 10), (QUOTA, 5000)])
def test_a_launcher_that_is_refused_is_stalled_before_and_after_its_deadline(sentence: str, ago: int) -> None:
    step = decide(refused(sentence, ago=ago))
    assert (step.stalled, step.reconciling, step.reason) == (True, False, "LauncherRefused")
    assert step.message.endswith(f": KubeVirt can't make the machine's launcher Pod: {sentence}")
    assert step.actions == ()


def test_a_quota_that_the_former_hull_may_still_fill_is_given_some_seconds() -> None:
    step = decide(refused(QUOTA, ago=3))
    assert (step.stalled, step.reconciling, step.reason) == (False, True, "LauncherRefused")
    assert step.requeue_after == timedelta(seconds=7)


@pytest.mark.parametrize("ago", [0, 601, 90_000])
@pytest.mark.parametrize(
    ("condition", "reason", "expected"),
    [
        (
            {"type": "Paused", "reason": "PausedByUser"},
            "PausedByUser",
            f"run virtctl unpause vm {case(MACHINE, KUBEVIRT).hull_name} -n shop",
        ),
        ({"type": "Paused", "reason": "PausedIOError"}, "PausedIOError", "Make room there"),
    ],
)
def test_what_somebody_has_to_end_is_stalled_at_once_and_stays_told(
    condition: Raw, reason: str, expected: str, ago: int
) -> None:
    objects = machine(MACHINE, {**condition, "status": "True"}, phase="Running")
    step = decide(case(MACHINE, *objects, now=CREATED + timedelta(seconds=ago)))
    assert (step.reason, step.stalled, step.reconciling) == (reason, True, False)
    assert expected in step.message


@pytest.mark.parametrize("reason", ["PausedByMigrationMonitor", "PausedByMoon", "Unschedulable"])
def test_what_may_end_by_itself_is_overdue(reason: str) -> None:
    kind = "PodScheduled" if reason == "Unschedulable" else "Paused"
    status = "False" if reason == "Unschedulable" else "True"
    objects = machine(MACHINE, {"type": kind, "status": status, "reason": reason}, phase="Running")
    soon = decide(case(MACHINE, *objects, now=CREATED + timedelta(seconds=599)))
    assert (soon.reason, soon.reconciling) == (reason, True)
    step = decide(case(MACHINE, *objects, now=CREATED + timedelta(seconds=600)))
    assert (step.reason, step.stalled) == ("ProgressDeadlineExceeded", True)


@pytest.mark.parametrize("isolation", ["Container", "VirtualMachine"])
def test_a_hull_with_scheduling_gates_keeps_its_reason_after_the_deadline(isolation: str) -> None:
    gated = {"type": "PodScheduled", "status": "False", "reason": "SchedulingGated", "message": "blocked"}
    raw = workload({"isolationPolicy": isolation})
    pod = hull("Pod", case(raw).hull_name, status={"phase": "Pending", "conditions": [gated]})
    objects = [pod] if isolation == "Container" else machine(MACHINE, gated, phase="Pending")
    soon = decide(case(raw, *objects, now=CREATED + timedelta(seconds=599)))
    assert (soon.reason, soon.stalled, soon.reconciling) == ("SchedulingGated", False, True)
    late = decide(case(raw, *objects, now=CREATED + timedelta(seconds=600)))
    assert (late.reason, late.stalled, late.reconciling) == ("SchedulingGated", True, False)
    assert late.message.startswith("not ready after 600 s: ")
    assert late.message.endswith(": blocked")


def test_a_machine_whose_volumes_somebody_has_to_recover_is_stalled_at_once() -> None:
    why = "VMI was removed or was final during the volume migration"
    kubevirt, vm, vmi, manifest = machine(MACHINE, {"type": "Ready", "status": "False"}, phase="Failed")
    vm["status"]["conditions"] = [{"type": "ManualRecoveryRequired", "status": "True", "reason": why}]
    for seconds in (0, 601):
        now = CREATED + timedelta(seconds=seconds)
        step = decide(case(MACHINE, kubevirt, vm, vmi, manifest, now=now))
        assert (step.reason, step.stalled) == (why, True)


def launcher(**also: object) -> Raw:
    found = hull("Pod", "virt-launcher-web", owner=None, spec={"nodeName": "n1"}, deleting=True)
    name = case(RUN, KUBEVIRT).hull_name
    found["metadata"]["ownerReferences"] = [{**LAUNCHER, "name": name, "uid": f"uid-{name}"}]
    return {**found, "kind": "LauncherPod", **also}


@pytest.mark.parametrize("policy", ["Never", "OnFailure"])
def test_a_run_in_a_machine_whose_launcher_was_evicted_is_made_again(policy: str) -> None:
    raw = workload({"isolationPolicy": "VirtualMachine"}, pod={"restartPolicy": policy})
    ready = {"type": "Ready", "status": "False", "reason": "PodNotExists"}
    ended = [{"phase": "Failed", "phaseTransitionTimestamp": at(860)}]
    objects = machine(raw, ready, phase="Failed", phaseTransitionTimestamps=ended)
    step = decide(case(raw, *objects))
    assert (step.reason, step.stalled) == ("Restarting", False)
    (deletion,) = (action for action in step.actions if isinstance(action, Delete))
    assert deletion.kind == "VirtualMachine"


def test_a_run_is_made_again_whose_launcher_is_still_seen_to_be_deleted() -> None:
    ready = {"type": "Ready", "status": "False", "reason": "PodTerminating"}
    ended = [{"phase": "Failed", "phaseTransitionTimestamp": at(860)}]
    objects = machine(RUN, ready, phase="Failed", phaseTransitionTimestamps=ended, nodeName="n1")
    assert decide(case(RUN, *objects, launcher())).reason == "Restarting"
    undecided = decide(case(RUN, *objects))
    assert (undecided.reason, undecided.actions) == ("ProgressDeadlineExceeded", ())
    assert undecided.message.endswith("waiting for KubeVirt to report how the machine's launcher Pod ended")
