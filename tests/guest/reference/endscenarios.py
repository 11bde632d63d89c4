"""Workloads whose containers end, fail, wait and restart the same in both hulls."""

from __future__ import annotations

from typing import Any

from tests.guest.reference.comparedscenarios import REPORTS_PORT
from tests.guest.reference.containerstate import ContainerState
from tests.guest.scenario import REGISTRY, Scenario, container

Raw = dict[str, Any]

#: What makes the machine as large as all containers need, of which the others say nothing.
_ROOM: Raw = {"requests": {"memory": "384Mi"}}
_SMALL: Raw = {"limits": {"memory": "32Mi"}}
ENDS = Scenario(
    "ends",
    {
        "spec": {
            "restartPolicy": "Never",
            "terminationGracePeriodSeconds": 2,
            "containers": [
                container(
                    "unready",
                    port=REPORTS_PORT,
                    readinessProbe={
                        "httpGet": {"port": REPORTS_PORT, "path": "/not-there"},
                        "periodSeconds": 1,
                    },
                    resources=_ROOM,
                ),
                container("done", "--message=by file", "--exit=0"),
                container(
                    "failed", "--log=by log", "--exit=3", terminationMessagePolicy="FallbackToLogsOnError"
                ),
                container("greedy", "--sleep=1s", "--alloc=64", "--stay", resources=_SMALL),
                container("no-image", image=f"{REGISTRY}/conformance:none"),
                container("no-name", image="Not An Image"),
                container("no-program", command=["/not/there"]),
                container("wants-root", securityContext={"runAsNonRoot": True}),
            ],
        }
    },
)
RESTARTS = Scenario(
    "restarts",
    {
        "spec": {
            "restartPolicy": "OnFailure",
            "terminationGracePeriodSeconds": 2,
            "containers": [
                container("stays", port=REPORTS_PORT, resources=_ROOM),
                container("done", "--exit=0"),
                container("crashing", "--exit=3"),
                container("greedy", "--sleep=1s", "--alloc=64", "--stay", resources=_SMALL),
                container(
                    "unhealthy",
                    "--trap=0s",
                    livenessProbe={
                        "exec": {"command": ["/bin/conformance", "--exit=1"]},
                        "periodSeconds": 1,
                        "timeoutSeconds": 10,
                        "failureThreshold": 1,
                    },
                ),
            ],
        }
    },
)

_BACK_OFF = ContainerState("Waiting", "CrashLoopBackOff", 1)
#: When the containers of the two are looked at.
STATES = {
    ENDS.name: {
        "unready": ContainerState("Running"),
        "done": ContainerState("Terminated", "Completed"),
        "failed": ContainerState("Terminated", "Error"),
        "greedy": ContainerState("Terminated", "OOMKilled"),
        "no-image": ContainerState("Waiting", "ImagePullBackOff"),
        "no-name": ContainerState("Waiting", "InvalidImageName"),
        "no-program": ContainerState("Terminated", "StartError"),
        "wants-root": ContainerState("Waiting", "CreateContainerConfigError"),
    },
    RESTARTS.name: {
        "stays": ContainerState("Running"),
        "done": ContainerState("Terminated", "Completed"),
        "crashing": _BACK_OFF,
        "greedy": _BACK_OFF,
        "unhealthy": ContainerState("Running", restarts=1),
    },
}
