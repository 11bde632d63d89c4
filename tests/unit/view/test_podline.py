"""A Pod in a line, as `kubectl get pod` has it."""

from __future__ import annotations

import pytest

from tests.unit.view.objects import BEGAN, Raw, pod
from twinhull.view.podline import PodLine, podline

RUNNING: Raw = {"name": "web", "ready": True, "restartCount": 2, "state": {"running": {}}}
SIDECAR = {"containers": [{"name": "web"}], "initContainers": [{"name": "side", "restartPolicy": "Always"}]}
INIT = {"containers": [{"name": "web"}], "initContainers": [{"name": "one"}, {"name": "two"}]}
BOTH = {"containers": [{"name": "web"}, {"name": "other"}]}


def waiting(reason: str, name: str = "web", **more: object) -> Raw:
    return {"name": name, "restartCount": 0, "state": {"waiting": {"reason": reason}}, **more}


def ended(name: str = "web", **terminated: object) -> Raw:
    return {"name": name, "restartCount": 0, "state": {"terminated": terminated}}


READY: Raw = {"conditions": [{"type": "Ready", "status": "True"}]}


@pytest.mark.parametrize(
    ("given", "line"),
    [
        (pod(phase="Pending"), PodLine("0/1", "Pending", 0)),
        (pod(RUNNING), PodLine("1/1", "Running", 2)),
        (pod(waiting("ImagePullBackOff")), PodLine("0/1", "ImagePullBackOff", 0)),
        (pod(ended(exitCode=1, reason="Error"), phase="Failed"), PodLine("0/1", "Error", 0)),
        (pod(ended(exitCode=3)), PodLine("0/1", "ExitCode:3", 0)),
        (pod(ended(exitCode=137, signal=9)), PodLine("0/1", "Signal:9", 0)),
        (pod(phase="Failed", reason="Evicted"), PodLine("0/1", "Evicted", 0)),
        (
            pod(RUNNING, ended("other", exitCode=0, reason="Completed"), spec=BOTH, **READY),
            PodLine("1/2", "Running", 2),
        ),
        (
            pod(RUNNING, ended("other", exitCode=0, reason="Completed"), spec=BOTH),
            PodLine("1/2", "NotReady", 2),
        ),
        (
            pod(
                waiting("PodInitializing"),
                spec=INIT,
                initContainerStatuses=[ended("one", exitCode=0), waiting("PodInitializing", "two")],
            ),
            PodLine("0/1", "Init:1/2", 0),
        ),
        (
            pod(spec=INIT, initContainerStatuses=[waiting("CrashLoopBackOff", "one", restartCount=4)]),
            PodLine("0/1", "Init:CrashLoopBackOff", 4),
        ),
        (
            pod(spec=INIT, initContainerStatuses=[ended("one", exitCode=2)]),
            PodLine("0/1", "Init:ExitCode:2", 0),
        ),
        (
            pod(
                RUNNING,
                spec=SIDECAR,
                initContainerStatuses=[
                    {**RUNNING, "name": "side", "started": True, "restartCount": 1},
                ],
            ),
            PodLine("2/2", "Running", 3),
        ),
        (
            pod(conditions=[{"type": "PodScheduled", "status": "False", "reason": "SchedulingGated"}]),
            PodLine("0/1", "SchedulingGated", 0),
        ),
    ],
    ids=lambda given: given.status if isinstance(given, PodLine) else "",
)
def test_a_pod_in_a_line(given: Raw, line: PodLine) -> None:
    assert podline(given) == line


@pytest.mark.parametrize(
    ("given", "status"),
    [
        (pod(RUNNING), "Terminating"),
        (pod(RUNNING, reason="NodeLost"), "Unknown"),
        (pod(ended(exitCode=0, reason="Completed"), phase="Succeeded"), "Completed"),
    ],
)
def test_a_pod_that_is_being_deleted(given: Raw, status: str) -> None:
    given["metadata"]["deletionTimestamp"] = BEGAN
    assert podline(given).status == status
