"""Reading a VirtualMachine and its instance as a hull."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.core.objects import NOW, at, conditions, hull
from twinhull.api.base import Raw
from twinhull.hulls import instance
from twinhull.hulls.hull import Hull, Phase
from twinhull.hulls.objectmeta import timestamp
from twinhull.hulls.report import Report

NAME = "web-1a2b3c4d5e"


def read(
    phase: str | None = None,
    strategy: str = "Always",
    *,
    deleting: bool = False,
    report: Report | None = None,
    panics: bool = True,
    **status: Any,
) -> Hull:
    vm = hull("VirtualMachine", NAME, spec={"runStrategy": strategy}, status=status)
    vm["metadata"] |= {"uid": "u2", "creationTimestamp": at()}
    entered = [{"phase": phase, "phaseTransitionTimestamp": at(860 if deleting else 20)}]
    of = {"phase": phase, "phaseTransitionTimestamps": entered, "nodeName": "n1"}
    vmi = hull("VirtualMachineInstance", NAME, status=of, deleting=deleting) if phase else None
    if vmi:
        vmi["spec"] = {"domain": {"devices": {"panicDevices": [{"model": "pvpanic"}]} if panics else {}}}
    return instance.read(vm, vmi, {"spec": {"containers": [{"name": "web"}]}}, report, now=NOW)


def why(status: str, reason: str, message: str) -> Raw:
    return {"type": "Ready", "status": status, "reason": reason, "message": message}


@pytest.mark.parametrize(
    ("phase", "strategy", "found"),
    [
        (None, "Always", Phase.PENDING),
        ("", "Always", Phase.PENDING),
        *((phase, "Always", Phase.PENDING) for phase in ("Pending", "Scheduling", "Scheduled", "Unknown")),
        ("Running", "Always", Phase.RUNNING),
        ("Succeeded", "Always", Phase.PENDING),
        ("Failed", "Always", Phase.PENDING),
        ("Running", "Once", Phase.RUNNING),
        ("Succeeded", "Once", Phase.SUCCEEDED),
        ("Failed", "Once", Phase.FAILED),
        ("Succeeded", "Halted", Phase.PENDING),
    ],
)
def test_phase(phase: str | None, strategy: str, found: Phase) -> None:
    seen = read(phase, strategy)
    assert seen.phase is found
    assert (seen.exit is not None) == seen.ended


def test_exit_of_a_success() -> None:
    found = read("Succeeded", "Once").exit
    assert found
    assert (found.code, found.reason, found.message) == (None, "Completed", "the guest was shut down")
    assert (found.finished_at, found.revision) == (timestamp(at(20)), "1a2b3c4d5e")


def test_exit_of_a_failure_has_no_code() -> None:
    found = read("Failed", "Once").exit
    assert found
    assert (found.code, found.reason, found.message) == (None, "Error", "the guest failed")


def test_shutdown_is_no_success_where_a_failure_would_look_the_same() -> None:
    found = read("Succeeded", "Once", panics=False).exit
    assert found
    assert found.reason == "Unknown"
    assert "PanicDevices" in (found.message or "")


def test_guest_that_said_how_its_pod_ended_has_ended_though_it_is_being_deleted() -> None:
    found = read("Running", "Once", deleting=True, report=ended("Succeeded", 0))
    assert (found.phase, found.exit and found.exit.code) == (Phase.SUCCEEDED, 0)


def test_containers_that_the_template_lacks_are_not_shown() -> None:
    stranger = {"name": "stranger", "ready": True, "restartCount": 0, "state": {"running": {}}}
    assert read("Running", report=Report({"containerStatuses": [stranger]})).containers == ()


@pytest.mark.parametrize("phase", ["Succeeded", "Failed"])
def test_instance_that_was_shut_down_has_not_ended(phase: str) -> None:
    found = read(phase, "Once", deleting=True)  # asked for at 840 s; the end came at 860 s
    assert (found.phase, found.exit) == (Phase.PENDING, None)


@pytest.mark.parametrize(
    ("status", "phase", "ready", "reason", "message"),
    [
        ({}, None, False, "Pending", "the machine is not ready yet"),
        ({"ready": True, "conditions": conditions("True")}, "Running", True, "", ""),
        ({"ready": False, "conditions": conditions("True")}, "Running", False, "", ""),
        (
            {"ready": True, "conditions": conditions("True")},
            None,
            False,
            "Pending",
            "the machine is not ready yet",
        ),
        (
            {
                "printableStatus": "ErrorUnschedulable",
                "conditions": [why("False", "VMINotExists", "0/3 nodes")],
            },
            "Scheduling",
            False,
            "Unschedulable",
            "0/3 nodes",
        ),
        (
            {
                "printableStatus": "Running",
                "conditions": [why("False", "GuestNotRunning", "Guest VM is not reported")],
            },
            "Running",
            False,
            "GuestNotRunning",
            "Guest VM is not reported",
        ),
        (
            {
                "conditions": [
                    {"type": "Failure", "status": "True", "reason": "FailedCreate", "message": "quota"}
                ]
            },
            None,
            False,
            "FailedCreate",
            "quota",
        ),
    ],
)
def test_why_it_is_not_ready(
    status: Raw,
    phase: str | None,
    ready: bool,  # noqa: FBT001
    reason: str,
    message: str,
) -> None:
    found = read(phase, **status)
    assert (found.ready, found.reason, found.message) == (ready, reason, message)


def ended(phase: str, code: int) -> Report:
    terminated = {"exitCode": code, "reason": "Error" if code else "Completed", "finishedAt": at(30)}
    containers = [{"name": "web", "ready": False, "restartCount": 0, "state": {"terminated": terminated}}]
    return Report({"phase": phase, "containerStatuses": containers}, final=True)


@pytest.mark.parametrize("phase", ["Running", "Succeeded", "Failed"])
@pytest.mark.parametrize(("guest_phase", "code"), [("Succeeded", 0), ("Failed", 3)])
def test_the_guest_has_the_last_word_on_how_it_ended(phase: str, guest_phase: str, code: int) -> None:
    found = read(phase, "Once", report=ended(guest_phase, code))
    assert found.phase == guest_phase
    assert found.exit
    assert (found.exit.code, found.exit.container) == (code, "web")
    assert found.exit.finished_at == timestamp(at(30))


def test_the_guests_word_of_an_end_is_none_where_it_runs_again() -> None:
    found = read("Running", "Always", report=ended("Failed", 3))
    assert (found.phase, found.exit) == (Phase.RUNNING, None)


@pytest.mark.parametrize(
    ("paused", "reason", "message"),
    [
        (
            {"reason": "PausedIOError", "message": "VMI was paused, low-level IO error detected"},
            "PausedIOError",
            (
                "KubeVirt has paused the machine, since one of its disks can't be written: usually the "
                f"storage of a claim is full. Make room there, then run virtctl unpause vm {NAME} -n shop"
            ),
        ),
        (
            {"reason": "PausedByUser", "message": "VMI was paused by user"},
            "PausedByUser",
            f"somebody has paused the machine: to continue, run virtctl unpause vm {NAME} -n shop",
        ),
        (
            {"reason": "PausedByMigrationMonitor", "message": "VMI was paused by the migration monitor"},
            "PausedByMigrationMonitor",
            "the machine is paused while it moves to another node",
        ),
        ({"reason": "PausedByMoon", "message": "a new word"}, "PausedByMoon", "a new word"),
        ({}, "NotReady", "the machine is paused"),
    ],
)
def test_a_machine_that_is_paused_says_why_and_what_to_do(paused: Raw, reason: str, message: str) -> None:
    status = {"printableStatus": "Paused", "ready": True, "conditions": conditions("True")}
    vm = hull("VirtualMachine", NAME, spec={"runStrategy": "Always"}, status=status)
    vm["metadata"] |= {"uid": "u2", "creationTimestamp": at()}
    reported: list[Raw] = [{"type": "Paused", "status": "True", **paused}]
    vmi = hull("VirtualMachineInstance", NAME, status={"phase": "Running", "conditions": reported})
    report = Report({"phase": "Running"}, "it says nothing since")
    found = instance.read(vm, vmi, {"spec": {"containers": []}}, report, now=NOW)
    assert (found.ready, found.reason, found.message) == (False, reason, message)
    reported[0]["status"] = "False"
    assert instance.read(vm, vmi, {"spec": {"containers": []}}, report, now=NOW).ready


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        (None, None),
        ({"status": "Unknown"}, None),
        ({"status": "True", "reason": "x"}, {"possible": True}),
        (
            {"status": "False", "reason": "DisksNotLiveMigratable", "message": "PVC data is not shared"},
            {"possible": False, "reason": "DisksNotLiveMigratable", "message": "PVC data is not shared"},
        ),
        ({"status": "False", "message": "x" * 5000}, {"possible": False, "message": "x" * 1024}),
        ({"status": "False"}, {"possible": False}),
    ],
)
def test_whether_it_can_migrate_is_said_in_kubevirts_words(condition: Raw | None, found: Raw | None) -> None:
    vm, vmi = hull("VirtualMachine", NAME), hull("VirtualMachineInstance", NAME, status={"phase": "Running"})
    vm["metadata"] |= {"uid": "u2", "creationTimestamp": at()}
    vmi["status"]["conditions"] = [{"type": "LiveMigratable", **condition}] if condition else []
    seen = instance.read(vm, vmi, {"spec": {"containers": []}}, now=NOW)
    assert seen.status().raw().get("migratable") == found


@pytest.mark.parametrize("phase", ["Scheduled", "Succeeded", "Failed"])
def test_whether_it_can_migrate_is_said_of_one_that_runs_only(phase: str) -> None:
    vm, vmi = hull("VirtualMachine", NAME), hull("VirtualMachineInstance", NAME, status={"phase": phase})
    vm["metadata"] |= {"uid": "u2", "creationTimestamp": at()}
    vmi["status"]["conditions"] = [{"type": "LiveMigratable", "status": "True"}]
    assert instance.read(vm, vmi, {"spec": {"containers": []}}, now=NOW).migratable is None


def test_guest_says_why_it_is_not_ready() -> None:
    waiting = {"waiting": {"reason": "ImagePullBackOff", "message": "no such image"}}
    container = {"name": "web", "ready": False, "restartCount": 2, "state": waiting}
    observed = read(
        "Running",
        report=Report({"phase": "Pending", "containerStatuses": [container]}),
        printableStatus="Running",
        conditions=[why("False", "GuestNotRunning", "probe failed")],
    )
    assert (observed.reason, observed.message) == ("ImagePullBackOff", "container web: no such image")
    (shown,) = observed.containers
    assert (shown.name, shown.ready, shown.restarts, shown.state) == ("web", False, 2, "Waiting")


def test_guests_own_trouble_is_said() -> None:
    found = read("Running", report=Report({}, "no ConfigMap web"), printableStatus="Running")
    assert (found.reason, found.message) == ("GuestError", "no ConfigMap web")
