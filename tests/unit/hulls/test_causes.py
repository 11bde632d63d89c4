"""Why a machine isn't ready: which of KubeVirt's conditions counts, and which is only passed on."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.unit.core.objects import NOW, at, hull
from twinhull.api.base import Raw
from twinhull.hulls import instance
from twinhull.hulls.hull import Hull
from twinhull.hulls.objectmeta import timestamp
from twinhull.hulls.report import Report

NAME = "web-1a2b3c4d5e"
POD = f"virt-launcher-{NAME}-x7k2p"
QUOTA = (
    f'pods "{POD}" is forbidden: exceeded quota: small, requested: limits.cpu=1, used: limits.cpu=0, '
    "limited: limits.cpu=500m"
)
SECURITY = (
    f'pods "{POD}" is forbidden: violates PodSecurity "restricted:latest": allowPrivilegeEscalation != false'
)
LIMIT = f'pods "{POD}" is forbidden: maximum memory usage per Container is 512Mi, but limit is 900Mi'
PRIORITY = f'pods "{POD}" is forbidden: no PriorityClass with name high was found'
WEBHOOK = 'admission webhook "images.example" denied the request: no'
_MADE = "failed to create virtual machine pod: "
_PRIVILEGED = f"failed to create pod for vmi shop/{NAME}, it needs a privileged namespace to run: "
REFUSED = {
    "quota": (f"{_MADE}{QUOTA}", QUOTA),
    "limit range": (f"{_MADE}{LIMIT}", LIMIT),
    "pod security": (f"{_PRIVILEGED}{SECURITY}", SECURITY),
    "webhook": (f"{_MADE}{WEBHOOK}", WEBHOOK),
    "priority": (f"{_MADE}{PRIORITY}", PRIORITY),
}

NO_LAUNCHER = "KubeVirt hasn't made the machine's launcher Pod yet"


def condition(kind: str, status: str, reason: str = "", message: str = "") -> Raw:
    words = {key: word for key, word in (("reason", reason), ("message", message)) if word}
    return {"type": kind, "status": status, "lastTransitionTime": at(60), **words}


def read(
    *of_instance: Raw,
    of_machine: tuple[Raw, ...] = (),
    phase: str | None = "Pending",
    printed: str = "Starting",
    launcher: Raw | None = None,
    report: Report | None = None,
) -> Hull:
    """A machine whose Ready condition says only that KubeVirt has no launcher Pod."""
    unready = condition("Ready", "False", "PodNotExists", "virt-launcher pod has not yet been scheduled")
    status: dict[str, Any] = {"printableStatus": printed, "conditions": [unready, *of_machine]}
    vm = hull("VirtualMachine", NAME, spec={"runStrategy": "Always"}, status=status)
    vm["metadata"] |= {"uid": "u2", "creationTimestamp": at()}
    of = {"phase": phase, "conditions": [unready, *of_instance], "nodeName": "n1"}
    vmi = hull("VirtualMachineInstance", NAME, status=of) if phase else None
    template = {"spec": {"containers": [{"name": "web"}]}}
    return instance.read(vm, vmi, template, report, now=NOW, launcher=launcher)


@pytest.mark.parametrize(("quoted", "sentence"), REFUSED.values(), ids=REFUSED)
def test_a_launcher_that_is_refused_says_so_in_the_api_servers_sentence(quoted: str, sentence: str) -> None:
    found = read(condition("Synchronized", "False", "FailedCreate", quoted))
    assert (found.reason, found.message) == (
        "LauncherRefused",
        f"KubeVirt can't make the machine's launcher Pod: {sentence}",
    )


@pytest.mark.parametrize(
    ("quoted", "patience"),
    [(REFUSED["pod security"][0], 0), (REFUSED["limit range"][0], 0), (REFUSED["quota"][0], 10)],
)
def test_a_refusal_is_final_at_once_but_for_one_that_may_pass(quoted: str, patience: int) -> None:
    stalled_at = read(condition("Synchronized", "False", "FailedCreate", quoted)).stalled_at
    since = timestamp(at(60))
    assert stalled_at
    assert since
    assert stalled_at - since == timedelta(seconds=patience)


def test_an_instance_that_is_refused_says_so() -> None:
    sentence = 'admission webhook "v.example" denied the request: no'
    failure = condition("Failure", "True", "FailedCreate", sentence)
    found = read(of_machine=(failure,), phase=None, printed="Stopped")
    assert (found.reason, found.message) == (
        "VirtualMachineRefused",
        f"KubeVirt can't make the machine's VirtualMachineInstance: {sentence}",
    )
    assert found.stalled_at


@pytest.mark.parametrize(
    "message",
    [
        "failed to create virtual machine pod: Timeout: request did not complete within 30s",
        'failed to create virtual machine pod: Internal error occurred: failed calling webhook "x": refused',
        "active migration exists",
    ],
)
def test_what_the_api_server_fails_at_is_no_refusal(message: str) -> None:
    found = read(condition("Synchronized", "False", "FailedCreate", message))
    assert (found.reason, found.message, found.stalled_at) == ("FailedCreate", message, None)


@pytest.mark.parametrize(
    ("conditions", "reason", "message"),
    [
        (
            [
                condition(
                    "PodScheduled", "False", "Unschedulable", "0/3 nodes are available: 3 Insufficient memory"
                )
            ],
            "Unschedulable",
            "0/3 nodes are available: 3 Insufficient memory",
        ),
        ([condition("PodScheduled", "False", "SchedulingGated", "gated")], "SchedulingGated", "gated"),
        (
            [
                condition("PodScheduled", "False", "Unschedulable", "0/3 nodes"),
                condition("Synchronized", "False", "ErrImagePull", "guest:1: not found"),
            ],
            "ErrImagePull",
            "guest:1: not found",
        ),
        (
            [condition("Synchronized", "False", "FailedPvcNotFound", "PVC shop/data does not exist")],
            "ClaimMissing",
            "PVC shop/data does not exist",
        ),
        (
            [condition("DataVolumesReady", "False", "NotAllDVsReady", "data: 12%")],
            "NotAllDVsReady",
            "data: 12%",
        ),
        ([condition("Provisioning", "True")], "Starting", NO_LAUNCHER),
        (
            [
                condition("DataVolumesReady", "True", "AllDVsReady"),
                condition("LiveMigratable", "False", "Disks", "x"),
            ],
            "Starting",
            NO_LAUNCHER,
        ),
    ],
)
def test_the_condition_that_explains_most_counts(conditions: list[Raw], reason: str, message: str) -> None:
    found = read(*conditions)
    assert (found.reason, found.message, found.stalled_at) == (reason, message, None)


def test_what_the_machine_repeats_of_an_instance_that_is_gone_does_not_count() -> None:
    stale = condition("Synchronized", "False", "FailedCreate", REFUSED["quota"][0])
    found = read(of_machine=(stale,), phase=None)
    assert (found.reason, found.stalled_at) == ("Starting", None)


@pytest.mark.parametrize(
    ("printed", "phase", "reason", "message"),
    [
        ("Stopped", None, "Pending", "KubeVirt hasn't made the machine's VirtualMachineInstance yet"),
        ("Stopped", "Failed", "Restarting", "the machine has ended (Failed), and KubeVirt starts it again"),
        (
            "Stopped",
            "Succeeded",
            "Restarting",
            "the machine has ended (Succeeded), and KubeVirt starts it again",
        ),
        ("", None, "Pending", NO_LAUNCHER),
        ("Stopping", "Running", "Restarting", "the machine is shut down, and KubeVirt starts it again"),
        ("ErrorUnschedulable", "Pending", "Unschedulable", NO_LAUNCHER),
        ("ErrorPvcNotFound", "Pending", "ClaimMissing", NO_LAUNCHER),
        (
            "WaitingForVolumeBinding",
            "Pending",
            "WaitingForVolumeBinding",
            "a claim of the machine isn't bound yet",
        ),
        (
            "CrashLoopBackOff",
            None,
            "CrashLoopBackOff",
            "the machine ends each time that it starts: KubeVirt waits before it starts it again",
        ),
        (
            "DataVolumeError",
            None,
            "DataVolumeError",
            "a DataVolume of the machine has failed: see kubectl describe datavolumes -n shop",
        ),
        ("SomethingNewer", "Pending", "SomethingNewer", NO_LAUNCHER),
    ],
)
def test_kubevirts_printed_words_are_ours(printed: str, phase: str | None, reason: str, message: str) -> None:
    found = read(phase=phase, printed=printed)
    assert (found.reason, found.message) == (reason, message)


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        (
            "VMI is missing the Ready condition",
            "KubeVirt has just made the machine's VirtualMachineInstance, and says nothing of it yet",
        ),
        ("VMI does not exist", "KubeVirt hasn't made the machine's VirtualMachineInstance yet"),
        ("a sentence of a later KubeVirt", "a sentence of a later KubeVirt"),
    ],
)
def test_what_kubevirt_says_of_its_own_parts_is_told_in_plain_words(sentence: str, expected: str) -> None:
    vm = hull("VirtualMachine", NAME, spec={"runStrategy": "Always"})
    vm["metadata"] |= {"uid": "u2", "creationTimestamp": at()}
    unready = condition("Ready", "False", "VMIConditionMissing", sentence)
    vm["status"] = {"printableStatus": "Starting", "conditions": [unready]}
    found = instance.read(vm, None, {"spec": {"containers": [{"name": "web"}]}}, now=NOW)
    assert (found.reason, found.message) == ("Starting", expected)


@pytest.mark.parametrize(
    ("statuses", "reason", "sentence"),
    [
        (
            {
                "initContainerStatuses": [
                    {"waiting": {"reason": "CreateContainerConfigError", "message": "no key"}}
                ]
            },
            "CreateContainerConfigError",
            "container c: no key",
        ),
        (
            {"containerStatuses": [{"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 40s"}}]},
            "CrashLoopBackOff",
            "container c: back-off 40s",
        ),
        (
            {"containerStatuses": [{"terminated": {"exitCode": 137, "reason": "OOMKilled"}}]},
            "OOMKilled",
            "container c ended with exit code 137",
        ),
        (
            {"initContainerStatuses": [{"terminated": {"exitCode": 1, "message": "no such file"}}]},
            "Error",
            "container c ended with exit code 1: no such file",
        ),
    ],
)
def test_a_container_of_the_launcher_that_can_not_run_is_named(
    statuses: dict[str, list[Raw]], reason: str, sentence: str
) -> None:
    status = {of: [{"name": "c", "state": state} for state in states] for of, states in statuses.items()}
    found = read(phase="Scheduling", launcher=hull("Pod", POD, status=status))
    assert (found.reason, found.message) == (reason, f"launcher Pod {POD}: {sentence}")


def test_a_launcher_that_starts_as_usual_says_nothing() -> None:
    states: list[Raw] = [
        {"waiting": {"reason": "PodInitializing"}},
        {"terminated": {"exitCode": 0}},
        {"running": {}},
    ]
    status = {"containerStatuses": [{"name": f"c{n}", "state": state} for n, state in enumerate(states)]}
    found = read(phase="Scheduling", launcher=hull("Pod", POD, status=status))
    assert (found.reason, found.message) == ("Starting", NO_LAUNCHER)


def test_what_is_wrong_inside_counts_more_than_what_kubevirt_can_not_synchronize() -> None:
    report = Report({"phase": "Pending"}, "no ConfigMap web")
    running = condition("Ready", "False", "ContainersNotReady", "containers with unready status")
    failing = condition("Synchronized", "False", "Synchronizing with the Domain failed.", "hotplug")
    vm = hull("VirtualMachine", NAME, spec={"runStrategy": "Always"}, status={"printableStatus": "Running"})
    vm["metadata"] |= {"uid": "u2", "creationTimestamp": at()}
    vmi = hull("VirtualMachineInstance", NAME, status={"phase": "Running", "conditions": [running, failing]})
    found = instance.read(vm, vmi, {"spec": {"containers": []}}, report, now=NOW)
    assert (found.reason, found.message) == ("GuestError", "no ConfigMap web")
