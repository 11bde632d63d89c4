"""A PodStatus in our words. How a Pod ended, and why it isn't ready, is in test_pod.py."""

from __future__ import annotations

import pytest

from twinhull.api.base import Raw
from twinhull.api.workloadstatus import ContainerStatus
from twinhull.hulls.podstatus import containers, why_not_ready


def reported(**fields: object) -> Raw:
    return {"name": "web", "ready": False, "restartCount": 0, "state": {}, **fields}


@pytest.mark.parametrize(
    ("container", "shown"),
    [
        (reported(), {"state": "Waiting"}),
        (
            reported(state={"waiting": {"reason": "ImagePullBackOff", "message": "m"}}),
            {"state": "Waiting", "reason": "ImagePullBackOff"},
        ),
        (
            reported(ready=True, state={"running": {"startedAt": "2026-01-01T00:00:00Z"}}),
            {"state": "Running", "ready": True},
        ),
        (
            reported(state={"terminated": {"exitCode": 0, "reason": "Completed"}}),
            {"state": "Terminated", "reason": "Completed", "exitCode": 0},
        ),
        (
            reported(
                restartCount=3,
                state={"waiting": {"reason": "CrashLoopBackOff"}},
                lastState={"terminated": {"exitCode": 137, "reason": "OOMKilled"}},
            ),
            {
                "restarts": 3,
                "state": "Waiting",
                "reason": "CrashLoopBackOff",
                "lastReason": "OOMKilled",
                "lastExitCode": 137,
            },
        ),
        (reported(state={"running": {}, "waiting": None}), {"state": "Running"}),
    ],
)
def test_container_as_kubectl_shows_it(container: Raw, shown: Raw) -> None:
    (found,) = containers({"containerStatuses": [container]})
    assert found.raw() == {"name": "web", "ready": False, "restarts": 0, **shown}


def test_init_containers_come_first_and_are_marked() -> None:
    found = containers({"containerStatuses": [reported()], "initContainerStatuses": [reported(name="setup")]})
    assert [(container.name, container.init) for container in found] == [("setup", True), ("web", None)]


def test_no_status_has_no_containers() -> None:
    nothing: tuple[ContainerStatus, ...] = ()
    assert containers({}) == nothing
    assert containers({"containerStatuses": None}) == nothing


@pytest.mark.parametrize(
    ("word", "exit_code", "expected"),
    [
        ("PodFailed", 3, ("Error", "container web ended with exit code 3")),
        ("PodFailed", 0, ("NotReady", "its containers have ended")),
        ("PodCompleted", 0, ("NotReady", "its containers have ended")),
    ],
)
def test_the_end_of_the_containers_is_told_by_how_they_ended(
    word: str, exit_code: int, expected: tuple[str, str]
) -> None:
    """The kubelet sets these reasons before it sets the Pod's phase, and they don't tell how the containers
    ended. PodFailed is also a reason of Twinhull, with another meaning.
    """
    ended = reported(state={"terminated": {"exitCode": exit_code, "reason": "Error" if exit_code else None}})
    conditions = [{"type": "ContainersReady", "status": "False", "reason": word}]
    status = {"phase": "Running", "containerStatuses": [ended], "conditions": conditions}
    assert tuple(map(str, why_not_ready({"status": status}))) == expected
