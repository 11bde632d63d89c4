"""The operator in a world where everything happens in any order, and goes wrong in between."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from twinhull.api.base import Raw
from twinhull.shell.errors import Refused, ServerError, Unreachable

from .apiserver import Crash
from .simulation import KEY, Simulation

ISOLATIONS = ("Container", "Sandbox", "VirtualMachine")
_EDITS: tuple[Raw, ...] = (
    *({"isolationPolicy": isolation} for isolation in ISOLATIONS),
    *({"state": state} for state in ("Running", "Stopped")),
    *({"service": {"enabled": enabled}} for enabled in (True, False)),
    *({"template": {"spec": {"restartPolicy": policy}}} for policy in ("Always", "OnFailure", "Never")),
    *({"template": {"metadata": {"labels": {"version": version}}}} for version in "12"),
    {"template": {"spec": {"hostNetwork": True}}},
    {"template": {"spec": {"hostNetwork": None}}},
)
SPECS = st.builds(
    lambda isolation, state, restart, service: {
        "isolationPolicy": isolation,
        "state": state,
        "service": {"enabled": service},
        "template": {
            "spec": {
                "containers": [{"name": "web", "image": "nginx:1", "ports": [{"containerPort": 80}]}],
                "restartPolicy": restart,
            }
        },
    },
    st.sampled_from(ISOLATIONS),
    st.sampled_from(["Running", "Running", "Stopped"]),
    st.sampled_from(["Always", "OnFailure", "Never"]),
    st.booleans(),
)
_OFTEN = [
    *["deliver"] * 6,
    *["reconcile"] * 6,
    *["kubelet"] * 4,
    *["virt"] * 6,
    *["wait"] * 2,
    "edit",
    "edit",
]
_SELDOM = [
    *("delete", "kubevirt", "runtimeclass", "stranger", "recreate", "collect", "collect"),
    *("restart", "relist", "crash", "cut", "refuse", "allow"),
]
STEPS = st.lists(
    st.tuples(st.sampled_from([*_OFTEN, *_SELDOM]), st.integers(0, 1000)), min_size=10, max_size=60
)


def take(world: Simulation, step: str, choice: int) -> None:  # noqa: C901  one line a step
    """One step of the world."""
    match step:
        case "edit":
            world.edit(_EDITS[choice % len(_EDITS)])
        case "delete":
            world.delete_something(choice)
        case "kubevirt" | "runtimeclass":
            world.switch({"kubevirt": "KubeVirt", "runtimeclass": "RuntimeClass"}[step])
        case "crash":
            world.cluster.accident = (Crash, choice % 2 == 0)
        case "cut":
            world.cluster.accident = (Unreachable, False)
        case "refuse":
            verbs = [("create", kind) for kind in ("Pod", "VirtualMachine", "ConfigMap", "Service")]
            verbs += [("delete", kind) for kind in ("Pod", "VirtualMachine", "Service")]
            error = Refused("not here") if choice % 2 else ServerError("not now")
            world.cluster.refused[verbs[choice % len(verbs)]] = error
        case "allow":
            world.cluster.refused.clear()
        case "wait":
            world.wait((1, 10, 700)[choice % 3])
        case "restart":
            world.restart()
        case "relist":
            world.relist()
        case _:
            getattr(world, step)(choice)


def check(world: Simulation) -> None:
    """What is so at every moment."""
    staying = [hull for hull in world.hulls() if "deletionTimestamp" not in hull["metadata"]]
    assert len(staying) <= 1, [hull["metadata"]["name"] for hull in staying]
    if world.workload is None:
        return
    ready = world.condition("Ready")
    if ready.get("status") == "True":
        assert ready["observedGeneration"] == world.workload["status"]["observedGeneration"]
        assert ready["observedGeneration"] <= world.workload["metadata"]["generation"]


def check_settled(world: Simulation) -> None:
    """What is so once everybody has done their part."""
    assert world.make_pass() == [], "a pass that changes nothing writes nothing"
    if world.workload is None:
        assert world.hulls() == []
        assert world.server.all("Service") == world.server.all("ConfigMap") == []
        return
    spec, status, hulls = world.workload["spec"], world.workload["status"], world.hulls()
    assert status["observedGeneration"] == world.workload["metadata"]["generation"]
    said = {found["type"]: found["status"] for found in status["conditions"]}
    reason = world.condition("Ready")["reason"]
    isolation, template = spec["isolationPolicy"], spec["template"]["spec"]
    assert status["isolation"]["resolved"] == isolation
    assert said["Reconciling"] == "False"
    assert (said["Ready"] == "True") != (said["Stalled"] == "True")

    kept = {obj["metadata"]["name"] for obj in world.server.all("ConfigMap")}
    machines = {obj["metadata"]["name"] for obj in hulls if obj["kind"] == "VirtualMachine"}
    if spec["state"] == "Stopped":
        assert (reason, hulls, kept) == ("Stopped", [], set())
    elif reason in {"Completed", "Failed"}:
        assert template.get("restartPolicy", "Always") != "Always"
        uid, revision = world.workload["metadata"]["uid"], status["exit"]["revision"]
        assert (uid, revision) in world.finished or status["exit"]["reason"] == "Evicted"
    elif reason == "Ready":
        (hull,) = hulls
        assert hull["kind"] == ("VirtualMachine" if isolation == "VirtualMachine" else "Pod")
        assert hull["metadata"]["name"] == status["hull"]["name"]
        assert machines == kept
    else:
        lacks: dict[str, Any] = {
            "KubeVirtMissing": isolation == "VirtualMachine" and not world.server.all("KubeVirt"),
            "RuntimeClassMissing": isolation == "Sandbox" and not world.server.all("RuntimeClass"),
            "UnsupportedFields": isolation == "VirtualMachine" and template.get("hostNetwork"),
        }
        assert lacks[reason]
    wanted = spec.get("service", {}).get("enabled", True)
    assert list(world.server.objects["Service"]) == [KEY] * wanted


@settings(
    derandomize=True,
    deadline=None,
    max_examples=200,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(spec=SPECS, steps=STEPS)
def test_whatever_happens_it_ends_well(spec: Raw, steps: list[tuple[str, int]]) -> None:
    world = Simulation(spec)
    for step, choice in steps:
        take(world, step, choice)
        check(world)
    world.settle()
    check(world)
    check_settled(world)


@pytest.mark.parametrize("isolation", ISOLATIONS)
def test_same_world_twice_is_written_to_alike(isolation: str) -> None:
    first, second = (Simulation({"isolationPolicy": isolation}) for _ in range(2))
    first.settle()
    second.settle()
    assert first.cluster.writes == second.cluster.writes
