"""A machine's launcher Pod: whether its end is the end of the run, and how it is outlined."""

from __future__ import annotations

import pytest

from tests.unit.core.objects import NOW, at, conditions, hull
from tests.unit.hulls.test_instance import ended
from twinhull.api.base import Raw
from twinhull.hulls import instance, launcher_pods, pod
from twinhull.hulls.hull import Hull, Phase
from twinhull.hulls.report import Report
from twinhull.shell import kinds
from twinhull.shell.identity import identity
from twinhull.shell.outline import outline
from twinhull.shell.trimming import trimmed

NAME = "web-1a2b3c4d5e"
TEMPLATE: Raw = {"spec": {"containers": [{"name": "web"}], "restartPolicy": "Never"}}


def launcher(*, phase: str = "Running", deleting: bool = False, reason: str = "", node: str = "n1") -> Raw:
    """A launcher Pod. With `deleting`, its deletion was requested 840 s after its creation
    (tests/unit/core/objects).
    """
    target = {"type": "DisruptionTarget", "status": "True", "reason": reason, "message": "to be evicted"}
    status = {"phase": phase, "conditions": [target] if reason else []}
    return hull("Pod", f"virt-launcher-{NAME}", spec={"nodeName": node}, status=status, deleting=deleting)


def run(
    phase: str,
    launcher: Raw | None,
    *,
    at_s: int = 860,
    unready_reason: str = "PodTerminating",
    report: Report | None = None,
) -> Hull:
    """A machine with runStrategy Once that ended at that time, without a request to end."""
    vm = hull("VirtualMachine", NAME, spec={"runStrategy": "Once"}, status={"printableStatus": "Stopped"})
    vm["metadata"] |= {"uid": "u2", "creationTimestamp": at()}
    entered = [{"phase": phase, "phaseTransitionTimestamp": at(at_s)}]
    unready = {"type": "Ready", "status": "False", "reason": unready_reason}
    status = {
        "phase": phase,
        "phaseTransitionTimestamps": entered,
        "nodeName": "n1",
        "conditions": [unready] if unready_reason else [],
    }
    vmi = hull("VirtualMachineInstance", NAME, status=status)
    vmi["spec"] = {"domain": {"devices": {"panicDevices": [{"model": "pvpanic"}]}}}
    return instance.read(vm, vmi, TEMPLATE, report, now=NOW, launcher=launcher)


@pytest.mark.parametrize("phase", ["Failed", "Succeeded"])
@pytest.mark.parametrize(
    ("pod", "unready_reason", "reason"),
    [
        (launcher(deleting=True), "PodTerminating", "PodTerminating"),
        (launcher(deleting=True, reason="EvictionByEvictionAPI"), "PodTerminating", "EvictionByEvictionAPI"),
        (launcher(phase="Failed", reason="TerminationByKubelet"), "PodTerminating", "TerminationByKubelet"),
        (None, "PodNotExists", "PodNotExists"),
    ],
    ids=["deleted", "evicted", "by its node", "gone"],
)
def test_a_run_whose_launcher_was_ended_from_outside_has_not_ended(
    phase: str, pod: Raw | None, unready_reason: str, reason: str
) -> None:
    found = run(phase, pod, unready_reason=unready_reason)
    assert (found.exit, found.phase, found.ended, found.reason) == (None, Phase.FAILED, True, reason)


@pytest.mark.parametrize("phase", ["Failed", "Succeeded"])
@pytest.mark.parametrize(
    ("pod", "unready_reason"),
    [
        (launcher(phase="Failed"), "PodTerminating"),
        (launcher(phase="Succeeded"), "PodTerminating"),
        (launcher(), ""),
        (None, ""),
    ],
    ids=["the launcher ended as well", "the launcher was well", "it is still there", "it was never seen"],
)
def test_a_run_that_ended_by_itself_has_ended(phase: str, pod: Raw | None, unready_reason: str) -> None:
    found = run(phase, pod, unready_reason=unready_reason)
    assert found.exit
    assert found.phase == phase


def test_a_run_that_ended_before_its_launcher_was_deleted_has_ended() -> None:
    assert run("Failed", launcher(deleting=True), at_s=839).exit
    assert run("Failed", launcher(deleting=True), at_s=840).exit is None


def test_it_is_waited_for_what_kubevirt_says_of_a_launcher_that_is_not_seen() -> None:
    found = run("Failed", None, unready_reason="PodTerminating")
    assert (found.exit, found.phase) == (None, Phase.PENDING)


@pytest.mark.parametrize("code", [0, 3])
def test_an_end_that_the_guest_told_counts_unless_the_launcher_was_deleted_before(code: int) -> None:
    phase = "Failed" if code else "Succeeded"
    report = ended(phase, code)  # 30 s after its creation
    for present in (None, launcher(phase="Failed", reason="TerminationByKubelet"), launcher(deleting=True)):
        found = run(phase, present, unready_reason="PodNotExists", report=report)
        assert found.exit
        assert found.exit.code == code


def test_of_two_launchers_the_one_on_the_instances_node_counts() -> None:
    source, target = launcher(), launcher(node="n2")
    target["metadata"] |= {"creationTimestamp": at(600)}
    source["metadata"] |= {"creationTimestamp": at()}
    vmi: Raw = {"status": {"nodeName": "n1"}}
    assert launcher_pods.serving(vmi, [source, target]) is source
    assert launcher_pods.serving({"status": {"nodeName": "n2"}}, [source, target]) is target
    assert launcher_pods.serving({"status": {}}, [source, target]) is target
    assert launcher_pods.serving(vmi, []) is None


@pytest.mark.parametrize(("reason", "again"), [("TerminationByKubelet", True), ("", False)])
def test_a_pod_that_its_node_ended_is_treated_alike(reason: str, again: bool) -> None:  # noqa: FBT001
    found = launcher(phase="Failed", reason=reason)
    found["spec"] = {"containers": [{"name": "web"}]}
    found["metadata"] |= {"creationTimestamp": at(), "labels": {}, "uid": "u3"}
    read = pod.read(found)
    assert (read.exit is None) == again
    assert read.ended


@pytest.mark.parametrize("deleting", [True, False])
def test_a_launcher_that_is_not_held_as_a_whole_still_tells_whether_it_was_deleted(deleting: bool) -> None:  # noqa: FBT001
    whole = launcher(deleting=deleting)
    whole["metadata"] |= {"uid": "u3", "resourceVersion": "1", "namespace": "shop", "creationTimestamp": at()}
    for small in (outline(kinds.LAUNCHER, whole, "why"), identity(kinds.LAUNCHER, whole, "why")):
        assert launcher_pods.serving({"status": {"nodeName": "n1"}}, [small]) is small
        assert (run("Failed", small).exit is None) == deleting


def test_of_a_launcher_only_what_is_read_is_kept() -> None:
    whole = launcher(reason="EvictionByEvictionAPI", deleting=True)
    whole["spec"]["containers"] = [{"name": "compute", "image": "x"}]
    whole["metadata"]["labels"] = {"twinhull.dev/workload": "web", "kubevirt.io": "virt-launcher"}
    whole["status"]["conditions"] += conditions("True")
    waiting: Raw = {"waiting": {"reason": "ImagePullBackOff"}}
    ended: Raw = {"terminated": {"exitCode": 1, "containerID": "x", "finishedAt": at()}}
    whole["status"]["containerStatuses"] = [{"name": "compute", "state": waiting, "imageID": "x"}]
    whole["status"]["initContainerStatuses"] = [{"name": "init", "state": ended, "imageID": "x"}]
    small = trimmed(kinds.LAUNCHER, whole)
    assert small["metadata"]["labels"] == {"twinhull.dev/workload": "web"}
    assert small["spec"] == {"nodeName": "n1"}
    assert [found["type"] for found in small["status"]["conditions"]] == ["DisruptionTarget"]
    assert small["status"]["containerStatuses"] == [{"name": "compute", "state": waiting}]
    assert small["status"]["initContainerStatuses"] == [
        {"name": "init", "state": {"terminated": {"exitCode": 1}}}
    ]
    assert trimmed(kinds.LAUNCHER, small) == small
