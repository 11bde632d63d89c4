"""What is decided by what KubeVirt and the launcher Pod say of a machine."""

from __future__ import annotations

from datetime import timedelta

import pytest

from twinhull.api.base import Raw
from twinhull.core.actions import Delete
from twinhull.core.case import Case
from twinhull.core.decision import decide

from .objects import KUBEVIRT, NOW, at, case, companion, hull, workload

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
    said = {"type": "Synchronized", "status": "False", "reason": "FailedCreate", "message": sentence}
    return case(MACHINE, *machine(MACHINE, {**said, "lastTransitionTime": since}))


@pytest.mark.parametrize(("sentence", "ago"), [(SECURITY, 0), (SECURITY, 5000), (QUOTA, 10), (QUOTA, 5000)])
def test_a_launcher_that_is_refused_is_stalled_before_and_after_its_deadline(sentence: str, ago: int) -> None:
    step = decide(refused(sentence, ago=ago))
    assert (step.stalled, step.reconciling, step.reason) == (True, False, "LauncherRefused")
    assert step.message.endswith(f": KubeVirt can't make its launcher Pod: {sentence}")
    assert step.actions == ()


def test_a_quota_that_the_former_hull_may_still_fill_is_given_some_seconds() -> None:
    step = decide(refused(QUOTA, ago=3))
    assert (step.stalled, step.reconciling, step.reason) == (False, True, "LauncherRefused")
    assert step.requeue_after == timedelta(seconds=7)


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
    assert undecided.message.endswith("waiting for KubeVirt to say how its launcher Pod ended")
