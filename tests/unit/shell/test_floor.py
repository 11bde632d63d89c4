"""A floor is not evaded by what changes after admission, whether an operator sees it or comes later."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.unit.core.policies import namespace, policy
from twinhull.api.base import Raw

from .simulation import KEY, Simulation

BOXED = {"minimum": "Sandbox", "sandbox": {"runtimeClassName": "gvisor"}}
UNTRUSTED = {"images": ["ghcr.io/community/**"]}
COMMUNITY = "ghcr.io/community/app:1"
CONTAINER = {"name": "web", "image": "nginx:1"}

Change = Callable[[Simulation], Any]


def labels(**changes: str | None) -> Change:
    return lambda world: world.server.patch("Workload", KEY, {"metadata": {"labels": changes}})


def place(**changes: str | None) -> Change:
    return lambda world: world.server.patch("Namespace", ("", KEY[0]), {"metadata": {"labels": changes}})


def template(**pod: Any) -> Change:
    return lambda world: world.edit({"template": {"spec": pod}})


def making(name: str, **spec: Any) -> Change:
    return lambda world: world.server.create(policy(name, **spec))


def debugged(image: str) -> Change:
    def debug(world: Simulation) -> None:
        (pod,) = world.server.all("Pod")
        patch = {"spec": {"ephemeralContainers": [{"name": "debugger", "image": image}]}}
        world.server.patch("Pod", (KEY[0], pod["metadata"]["name"]), patch)

    return debug


def ready(*policies: Raw, **spec: Any) -> Simulation:
    """A Workload that has become Ready under these policies."""
    world = Simulation({"isolationPolicy": "Container", **spec})
    world.cluster.before_write = lambda *_: None  # what looks at writes there knows other policies only
    if ("", KEY[0]) not in world.server.objects["Namespace"]:
        world.server.create(namespace())
    for obj in policies:
        world.server.create(obj)
    world.settle()
    assert world.condition("Ready")["status"] == "True"
    return world


def hull(world: Simulation) -> tuple[str, str | None]:
    """The kind of the one hull, and its RuntimeClass."""
    (found,) = world.hulls()
    return found["kind"], found["spec"].get("runtimeClassName")


TIER = {"workloadSelector": {"matchLabels": {"tier": "untrusted"}}}
TRUST = {"namespaceSelector": {"matchLabels": {"trust": "none"}}}
#: What an administrator says beforehand, and what changes after a Workload was admitted as a Container.
CHANGES: dict[str, tuple[list[Raw], Change]] = {
    "its label": ([policy("boxed", **BOXED, match=TIER)], labels(tier="untrusted")),
    "the namespace's label": ([policy("boxed", **BOXED, match=TRUST)], place(trust="none")),
    "its image": (
        [policy("boxed", **BOXED, match=UNTRUSTED)],
        template(containers=[{**CONTAINER, "image": COMMUNITY}]),
    ),
    "an init container's image": (
        [policy("boxed", **BOXED, match=UNTRUSTED)],
        template(initContainers=[{"name": "init", "image": COMMUNITY}]),
    ),
    "a sidecar's image": (
        [policy("boxed", **BOXED, match=UNTRUSTED)],
        template(initContainers=[{"name": "side", "image": COMMUNITY, "restartPolicy": "Always"}]),
    ),
    "its ServiceAccount": (
        [policy("boxed", **BOXED, match={"serviceAccounts": ["builder"]})],
        template(serviceAccountName="builder"),
    ),
    "a policy that appears": ([], making("boxed", **BOXED)),
    "a policy that becomes stricter": (
        [policy("boxed", minimum="Container")],
        lambda world: world.server.patch("IsolationPolicy", ("", "boxed"), {"spec": BOXED}),
    ),
}


@pytest.mark.parametrize("what", CHANGES)
@pytest.mark.parametrize("down", [False, True], ids=["seen", "while the operator is down"])
def test_what_changes_is_taken_up(what: str, down: bool) -> None:  # noqa: FBT001
    policies, change = CHANGES[what]
    world = ready(*policies)
    assert hull(world) == ("Pod", None)
    change(world)
    if down:
        world.restart()
    world.settle()
    assert hull(world) == ("Pod", "gvisor")
    assert world.condition("Ready")["status"] == "True"
    assert world.make_pass() == []


@pytest.mark.parametrize("down", [False, True], ids=["seen", "while the operator is down"])
def test_ephemeral_container_goes_with_its_pod(down: bool) -> None:  # noqa: FBT001
    world = ready(policy("boxed", **BOXED, match=UNTRUSTED))
    (before,) = world.hulls()
    debugged(COMMUNITY)(world)
    if down:
        world.restart()
    world.settle()
    (after,) = world.hulls()
    assert after["metadata"]["uid"] != before["metadata"]["uid"]
    assert "ephemeralContainers" not in after["spec"]
    assert hull(world) == ("Pod", None)
    assert world.make_pass() == []


@pytest.mark.parametrize(
    "change",
    [
        template(hostPID=True),
        template(volumes=[{"name": "root", "hostPath": {"path": "/"}}]),
        template(containers=[{**CONTAINER, "securityContext": {"privileged": True}}]),
        lambda world: world.edit({"template": {"metadata": {"annotations": {"dev.gvisor.flag.debug": "x"}}}}),
    ],
    ids=["hostPID", "hostPath", "privileged", "annotation"],
)
def test_template_that_reaches_past_the_floor_changes_nothing(change: Change) -> None:
    world = ready(policy("boxed", **BOXED))
    (old,) = world.hulls()
    change(world)
    world.settle()
    assert world.condition("Stalled")["reason"] == "EvadesFloor"
    assert [found["metadata"]["uid"] for found in world.hulls()] == [old["metadata"]["uid"]]
    world.server.remove("IsolationPolicy", ("", "boxed"))
    world.settle()
    assert world.condition("Ready")["status"] == "True"


def test_overrides_that_reach_past_the_floor_change_nothing() -> None:
    world = ready(policy("machines", minimum="VirtualMachine"))
    (old,) = world.hulls()
    world.edit({"virtualMachine": {"overrides": {"domain": {"devices": {"hostDevices": [{"name": "d"}]}}}}})
    world.settle()
    assert world.condition("Stalled")["reason"] == "EvadesFloor"
    assert [found["metadata"]["uid"] for found in world.hulls()] == [old["metadata"]["uid"]]


STRICT = policy("strict", minimum="Sandbox", onViolation="Reject")


@pytest.mark.parametrize("down", [False, True], ids=["seen", "while the operator is down"])
def test_rejected_workload_gets_nothing_anew(down: bool) -> None:  # noqa: FBT001
    world = ready()
    (old,) = world.hulls()
    world.server.create(STRICT)
    world.edit({"template": {"spec": {"containers": [{**CONTAINER, "image": "nginx:2"}]}}})
    if down:
        world.restart()
    world.settle()
    assert world.condition("Stalled")["reason"] == "RejectedByPolicy"
    assert [found["metadata"]["uid"] for found in world.hulls()] == [old["metadata"]["uid"]]
    assert world.hulls()[0]["spec"]["containers"][0]["image"] == "nginx:1"

    world.server.remove("Pod", (KEY[0], old["metadata"]["name"]))
    world.settle()
    assert world.hulls() == []
    assert world.make_pass() == []

    world.server.remove("IsolationPolicy", ("", "strict"))
    world.settle()
    assert world.hulls()[0]["spec"]["containers"][0]["image"] == "nginx:2"


def test_workload_and_namespace_that_come_together_meet_the_floor_in_either_order() -> None:
    world = Simulation({"isolationPolicy": "Container"})
    world.server.objects["Namespace"].clear()
    world.server.create(policy("strict", **STRICT["spec"], match=TRUST))
    world.restart()
    while len(world.queue):
        world.reconcile()
    assert world.hulls() == [], "nobody knows the namespace's labels yet"
    world.server.create(namespace(trust="none"))
    world.settle()
    assert world.hulls() == []
    assert world.condition("Stalled")["reason"] == "RejectedByPolicy"


def test_raise_that_can_not_be_had_makes_nothing_weaker() -> None:
    world = ready()
    world.switch("KubeVirt")
    world.server.create(policy("machines", minimum="VirtualMachine"))
    world.settle()
    assert hull(world) == ("Pod", None), "it stays where it is"
    assert world.condition("Stalled")["reason"] == "KubeVirtMissing"
    (pod,) = world.hulls()
    world.server.remove("Pod", (KEY[0], pod["metadata"]["name"]))
    world.settle()
    assert world.hulls() == []
    world.switch("KubeVirt")
    world.settle()
    assert hull(world) == ("VirtualMachine", None)
