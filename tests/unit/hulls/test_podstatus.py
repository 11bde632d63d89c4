"""A PodStatus in our words. How a Pod ended, and why it isn't ready, is in test_pod.py."""

from __future__ import annotations

import pytest

from twinhull.api.base import Raw
from twinhull.api.workloadstatus import ContainerStatus
from twinhull.hulls.podstatus import containers


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
