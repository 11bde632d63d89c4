"""A Pod, made from a Workload and read back."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.core.objects import at, conditions, ended, hull, running, terminated
from twinhull.api.base import Raw
from twinhull.api.reasons import Reason
from twinhull.api.workload import ObjectMeta
from twinhull.api.workloadstatus import Exit
from twinhull.hulls import pod
from twinhull.hulls.hull import Hull, Phase
from twinhull.hulls.objectmeta import timestamp

META = ObjectMeta.model_validate(
    {"name": "web", "namespace": "shop", "uid": "u1", "generation": 1, "creationTimestamp": at()}
)
TEMPLATE: Raw = {"spec": {"containers": [{"name": "web", "image": "nginx"}]}}


def read(status: Raw, *, deleting: bool = False, **spec: Any) -> Hull:
    raw = hull("Pod", "web-1a2b3c4d5e", status=status, deleting=deleting, spec={**TEMPLATE["spec"], **spec})
    raw["metadata"] |= {"uid": "u2", "creationTimestamp": at()}
    return pod.read(raw)


def waiting(name: str, reason: str, **also: str) -> Raw:
    return {"name": name, "state": {"waiting": {"reason": reason, **also}}}


def unmet(kind: str, reason: str, message: str = "") -> Raw:
    return {"type": kind, "status": "False", "reason": reason, "message": message}


def test_template_is_rendered_as_it_is() -> None:
    made = pod.render(META, TEMPLATE, "1a2b3c4d5e", None)
    assert made["spec"] == {"hostname": "web", **TEMPLATE["spec"]}
    assert made["metadata"]["name"] == "web-1a2b3c4d5e"
    assert "annotations" not in made["metadata"]


def test_identity_is_ours_whatever_the_template_says() -> None:
    labels = {
        "app": "x",
        "twinhull.dev/workload": "other",
        "twinhull.dev/hull": "y",
        "twinhull.dev/hull-name": "v",
        "twinhull.dev/revision": "z",
    }
    made = pod.render(META, TEMPLATE | {"metadata": {"labels": labels}}, "1a2b3c4d5e", None)
    assert made["metadata"]["labels"] == {
        "app": "x",
        "twinhull.dev/workload": "web",
        "twinhull.dev/hull": "Pod",
        "twinhull.dev/hull-name": "web-1a2b3c4d5e",
        "twinhull.dev/revision": "1a2b3c4d5e",
    }


@pytest.mark.parametrize(
    ("own", "sandbox", "found"), [(None, None, None), ("kata", None, "kata"), (None, "gvisor", "gvisor")]
)
def test_runtime_class(own: str | None, sandbox: str | None, found: str | None) -> None:
    template = {"spec": {**TEMPLATE["spec"], **({"runtimeClassName": own} if own else {})}}
    assert pod.render(META, template, "r", sandbox)["spec"].get("runtimeClassName") == found


def test_rendering_changes_nothing_that_it_is_made_from() -> None:
    template: Raw = {"metadata": {"labels": {"app": "x"}, "annotations": {"a": "b"}}, **TEMPLATE}
    pod.render(META, template, "r", "gvisor")
    assert template == {"metadata": {"labels": {"app": "x"}, "annotations": {"a": "b"}}, **TEMPLATE}


@pytest.mark.parametrize(
    ("status", "ready", "reason", "message"),
    [
        ({}, False, "Pending", "the Pod has not started yet"),
        (running(), True, "", ""),
        (
            {"phase": "Unknown", "conditions": conditions("True")},
            False,
            "Pending",
            "the Pod has not started yet",
        ),
        (
            {"phase": "Failed", "reason": "Evicted", "message": "low on memory"},
            False,
            "Evicted",
            "low on memory",
        ),
        (
            {"conditions": [unmet("PodScheduled", "Unschedulable", "0/3 nodes are available")]},
            False,
            "Unschedulable",
            "0/3 nodes are available",
        ),
        (
            {
                "conditions": [unmet("ContainersReady", "ContainersNotReady", "with unready status: [web]")],
                "containerStatuses": [waiting("web", "ImagePullBackOff", message="not found")],
            },
            False,
            "ImagePullBackOff",
            "container web: not found",
        ),
        (
            {
                "conditions": [unmet("Initialized", "ContainersNotInitialized", "incomplete: [a]")],
                "initContainerStatuses": [waiting("a", "CrashLoopBackOff")],
                "containerStatuses": [waiting("web", "PodInitializing")],
            },
            False,
            "CrashLoopBackOff",
            "container a: waiting",
        ),
        (
            {
                "conditions": [unmet("ContainersReady", "ContainersNotReady", "with unready status: [web]")],
                "containerStatuses": [waiting("web", "ContainerCreating")],
            },
            False,
            "ContainersNotReady",
            "with unready status: [web]",
        ),
    ],
)
def test_why_it_is_not_ready(status: Raw, ready: bool, reason: str, message: str) -> None:  # noqa: FBT001
    found = read(status)
    assert (found.ready, found.reason, found.message) == (ready, reason, message)


SIDECAR: dict[str, Any] = {
    "initContainers": [{"name": "proxy", "restartPolicy": "Always"}, {"name": "migrate"}]
}


@pytest.mark.parametrize(
    ("status", "code", "reason", "container", "message"),
    [
        pytest.param(ended("Succeeded", terminated("web", 0)), 0, "Completed", "web", None, id="completed"),
        pytest.param(
            ended("Succeeded", terminated("web", 0, reason="Completed", message="42")),
            0,
            "Completed",
            "web",
            "42",
            id="with a last word",
        ),
        pytest.param(
            ended("Succeeded", terminated("web", 0, seconds=9), terminated("helper", 0, seconds=5)),
            0,
            "Completed",
            "web",
            None,
            id="by the last of several to end",
        ),
        pytest.param(
            ended("Failed", terminated("helper", 0), terminated("web", 137, reason="OOMKilled")),
            137,
            "OOMKilled",
            "web",
            None,
            id="by the one that failed",
        ),
        pytest.param(
            ended("Failed", terminated("web", 3), terminated("helper", 4, seconds=1)),
            3,
            "Error",
            "web",
            None,
            id="by the first of several that failed",
        ),
        pytest.param(
            ended("Succeeded", terminated("web", 0), initContainerStatuses=[terminated("proxy", 143)]),
            0,
            "Completed",
            "web",
            None,
            id="not by a sidecar",
        ),
        pytest.param(
            ended(
                "Failed",
                {"name": "web", "state": {"waiting": {"reason": "PodInitializing"}}},
                initContainerStatuses=[terminated("proxy", 143), terminated("migrate", 1)],
            ),
            1,
            "Error",
            "migrate",
            None,
            id="by an init container, not by the sidecar before it",
        ),
        pytest.param(
            ended("Failed", terminated("web", 137), reason="Evicted", message="memory"),
            None,
            "Evicted",
            None,
            "memory",
            id="evicted",
        ),
        pytest.param(
            ended("Failed", reason="DeadlineExceeded", message="too long"),
            None,
            "DeadlineExceeded",
            None,
            "too long",
            id="out of time",
        ),
        pytest.param(ended("Failed"), None, "Error", None, None, id="nothing known"),
        pytest.param(ended("Succeeded"), None, "Completed", None, None, id="nothing known but the end"),
    ],
)
def test_exit(status: Raw, code: int | None, reason: str, container: str | None, message: str | None) -> None:
    found = read(status, **SIDECAR).exit
    assert found
    assert (found.code, found.reason, found.container, found.message) == (code, reason, container, message)
    assert found.revision == "1a2b3c4d5e"


def test_exit_says_when() -> None:
    found = read(ended("Succeeded", terminated("web", 0, seconds=7))).exit
    assert found == Exit(
        code=0, reason=Reason.COMPLETED, container="web", finished_at=timestamp(at(7)), revision="1a2b3c4d5e"
    )


@pytest.mark.parametrize("phase", ["Pending", "Running"])
def test_there_is_no_exit_before_the_end(phase: str) -> None:
    assert read({"phase": phase, "containerStatuses": [terminated("web", 1)]}).exit is None


def test_what_else_is_read() -> None:
    observed = read(running(since=3) | {"podIP": "10.1.2.3"}, nodeName="n1")
    assert (observed.phase, observed.node, observed.address) == (Phase.RUNNING, "n1", "10.1.2.3")
    assert (observed.created_at, observed.started_at, observed.ready_changed_at) == (
        timestamp(at()),
        timestamp(at(1)),
        timestamp(at(3)),
    )
    assert observed.status().ready


@pytest.mark.parametrize(
    ("name", "may"),
    [
        ("web-1a2b3c4d5e", True),
        ("web-z000000000", True),
        ("web-1a2b3c4d5", False),
        ("web-1A2B3C4D5E", False),
        ("web-1a2b3c4d5e\n", False),
        ("web", False),
        ("web-", False),
        ("other-1a2b3c4d5e", False),
        ("web-web-1a2b3c4d5e", False),
    ],
)
def test_what_a_hull_may_be_called(name: str, may: bool) -> None:  # noqa: FBT001
    assert pod.is_hull_name("web", name) is may
