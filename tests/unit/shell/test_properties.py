"""The operator in a world where everything happens in any order, and goes wrong in between."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.sequences import CHANGES, SICK, Change, content, demand, strength
from twinhull.api.base import Raw

from .nodes import is_ready
from .simulation import KEY, Simulation
from .steps import GENTLE_SPECS, GENTLE_STEPS, ISOLATIONS, ROUGH_STEPS, SPECS, Step, take

#: The same sequences on every machine.
PROFILE = settings(
    max_examples=60,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def check_truth(world: Simulation) -> None:
    """A status that says Ready speaks of a spec that there was."""
    ready = world.condition("Ready") if world.workload else {}
    if world.workload and ready.get("status") == "True":
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
    conditions = {condition["type"]: condition["status"] for condition in status["conditions"]}
    reason = world.condition("Ready")["reason"]
    assert conditions["Reconciling"] == "False"
    assert (conditions["Ready"] == "True") != (conditions["Stalled"] == "True")
    assert len(hulls) <= 1, f"two hulls stay: {reason}"
    service = next(iter(world.server.all("Service")), None)
    if reason in {"Ready", "Stopped"}:  # what goes on beside a hull that can't be made keeps its Service
        assert (service is not None) == spec.get("service", {}).get("enabled", True)
    pinned = service is not None and len(service["spec"]["selector"]) > 1
    assert not pinned or len(hulls) > 1, (
        f"the Service is told which hull: {service}, {reason}, {spec['replacement']}"
    )

    if spec["state"] == "Stopped":
        assert (reason, hulls, world.server.all("ConfigMap")) == ("Stopped", [], [])
    elif reason in {"Completed", "Failed"}:
        uid, revision = world.workload["metadata"]["uid"], status["exit"]["revision"]
        # A Pod that was given other labels just when it ended is of that revision, and was of its first.
        revisions = {revision, status["hull"]["name"].rpartition("-")[2] if "hull" in status else ""}
        finished = {(uid, found) for found in revisions} & world.nodes.finished
        assert finished or status["exit"]["reason"] == "Evicted"
    elif reason == "Ready":
        (hull,) = hulls
        assert is_ready(hull)
        assert strength(hull) == demanded(world).strength, "it is as isolated as the policies demand"
        assert hull["metadata"]["name"] == status["hull"]["name"]
        alike = hull["kind"] != "Pod" or content(hull) == content(spec["template"])
        assert alike, "a hull has what its template says"
        kept = [obj["metadata"]["name"] for obj in world.server.all("ConfigMap")]
        assert kept == [hull["metadata"]["name"]] * (hull["kind"] == "VirtualMachine")
    else:
        assert holds(world, reason), world.condition("Ready")


def demanded(world: Simulation) -> Any:
    assert world.workload
    labels = world.server.get("Namespace", ("", KEY[0]))["metadata"].get("labels", {})
    return demand(world.workload, world.server.all("IsolationPolicy"), labels)


def holds(world: Simulation, reason: str) -> bool:
    """Whether what keeps a settled Workload from being Ready is so."""
    assert world.workload
    spec, wanted = world.workload["spec"], demanded(world)
    pod = spec["template"]["spec"]
    starts_first = spec["replacement"]["strategy"] == "StartFirst"
    given_up = "failedAt" in world.workload["status"].get("replacement", {})
    stalls = {
        "RejectedByPolicy": wanted.rejected,
        "EvadesFloor": wanted.floor and wanted.isolation == "Sandbox" and pod.get("hostNetwork"),
        "KubeVirtMissing": wanted.isolation == "VirtualMachine" and not world.server.all("KubeVirt"),
        "RuntimeClassMissing": wanted.isolation == "Sandbox" and not world.server.all("RuntimeClass"),
        "UnsupportedFields": wanted.isolation == "VirtualMachine" and pod.get("hostNetwork"),
        "CannotStartFirst": starts_first and pod.get("hostNetwork"),
        "ProgressDeadlineExceeded": given_up or pod["containers"][0].get("command") == [SICK],
    }
    return bool(stalls[reason])


def end(world: Simulation) -> Raw:
    """What there is in the end, without what tells of the way there."""
    conditions = {kind: world.condition(kind) for kind in ("Ready", "Stalled", "IsolationResolved")}
    return {
        "hulls": sorted((hull["metadata"]["name"], is_ready(hull)) for hull in world.hulls()),
        "manifests": [obj["metadata"]["name"] for obj in world.server.all("ConfigMap")],
        "services": [obj["spec"] for obj in world.server.all("Service")],
        "conditions": {
            kind: [found.get(part) for part in ("status", "reason", "message")]
            for kind, found in conditions.items()
        },
    }


@pytest.mark.slow
@PROFILE
@given(spec=SPECS, steps=ROUGH_STEPS, guests=st.booleans())
def test_whatever_happens_it_ends_well(spec: Raw, steps: list[Step], guests: bool) -> None:  # noqa: FBT001
    world = Simulation(spec, guests=guests)
    for step, choice in steps:
        take(world, step, choice)
        check_truth(world)
    world.settle()
    check_settled(world)


@pytest.mark.slow
@PROFILE
@given(spec=GENTLE_SPECS, steps=GENTLE_STEPS, guests=st.booleans())
def test_start_first_never_leaves_a_gap(spec: Raw, steps: list[Step], guests: bool) -> None:  # noqa: FBT001
    world = Simulation(spec, gentle=True, guests=guests)
    world.settle()
    assert world.condition("Ready")["status"] == "True"
    for step, choice in steps:
        take(world, step, choice)
    world.settle()
    check_settled(world)


@pytest.mark.slow
@PROFILE
@given(
    spec=SPECS,
    changes=st.lists(st.sampled_from(CHANGES), min_size=1, max_size=5),
    kills=st.dictionaries(st.integers(0, 40), st.booleans(), min_size=1, max_size=12),
    guests=st.booleans(),
)
def test_operator_killed_at_any_write_comes_to_the_same_end(
    spec: Raw,
    changes: list[Change],
    kills: dict[int, bool],
    guests: bool,  # noqa: FBT001
) -> None:
    undisturbed, killed = Simulation(spec, guests=guests), Simulation(spec, guests=guests)
    killed.cluster.killed_at = kills
    for world in (undisturbed, killed):
        world.settle()
    assert end(killed) == end(undisturbed)
    for change in changes:
        for world in (undisturbed, killed):
            world.change(change)
            world.settle()
        assert end(killed) == end(undisturbed)
    check_settled(killed)


@pytest.mark.parametrize("isolation", ISOLATIONS)
def test_same_world_twice_is_written_to_alike(isolation: str) -> None:
    first, second = (Simulation({"isolationPolicy": isolation}) for _ in range(2))
    first.settle()
    second.settle()
    assert first.cluster.writes == second.cluster.writes
