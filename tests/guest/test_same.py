"""The machine and the Pod are the same: one Workload in both hulls, under the same kubelet, side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.controlplane import ControlPlane
from tests.guest.guestfiles import guest_files, tools
from tests.guest.images import all_images
from tests.guest.launcher import Launcher
from tests.guest.reference.comparison import differences, unexplained
from tests.guest.reference.explained import EXPLAINED
from tests.guest.reference.node import LABEL, NAME, ReferenceNode
from tests.guest.reference.pod import ReferencePod
from tests.guest.reference.sight import look
from tests.guest.reference.statuses import Chronicle, conditions, met
from tests.guest.reference.templates import ALIKE, DESK, ENDS, MOMENTS, RESTARTS
from tests.guest.reference.twins import Nursery
from tests.guest.registry import Registry
from tests.guest.scenario import REGISTRY, Scenario, config_map, container, secret
from twinhull.hulls.parity.differences import DIFFERENCES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.guest.machine import Machine

_MOMENTS = 420.0  # seconds for all containers to have come to theirs
_SMALL = Scenario(
    "small",
    {
        "spec": {
            "terminationGracePeriodSeconds": 1,
            "containers": [
                container(
                    "main",
                    port=DESK,
                    readinessProbe={"httpGet": {"port": DESK, "path": "/health"}, "timeoutSeconds": 5},
                    volumeMounts=[
                        {"name": "config", "mountPath": "/config"},
                        {"name": "hidden", "mountPath": "/hidden"},
                    ],
                )
            ],
            "volumes": [
                {"name": "config", "configMap": {"name": "small"}},
                {"name": "hidden", "secret": {"secretName": "small"}},
            ],
        }
    },
    objects=(config_map("small", {"a": "from the ConfigMap"}), secret("small", {"b": "from the Secret"})),
)


@pytest.fixture(scope="module")
def nursery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nursery]:
    """A control plane with the reference node, and what machines are launched by."""
    folder = tmp_path_factory.mktemp("same")
    registry = Registry.start(tools(), folder / "registry")
    for name, image in all_images().items():
        registry.push(name, image)
    mirrors = {REGISTRY: registry.mirror}
    plane = ControlPlane.start(folder / "plane", kubevirt=False, nodes=0)
    try:
        node = ReferenceNode.start(plane, tools(), guest_files(), folder / "node", mirrors)
        try:
            yield Nursery(node, Launcher(tools(), guest_files(), folder / "machines"), mirrors)
        finally:
            node.stop()
    finally:
        plane.stop()
        registry.stop()


def test_the_reference_is_a_real_node(nursery: Nursery) -> None:
    """The API server has it from its kubelet, with the machine's own runtime and kernel."""
    found = nursery.node.plane.api.get("Node", NAME)
    assert found is not None
    assert found["metadata"]["labels"][LABEL] == "true"
    info = found["status"]["nodeInfo"]
    assert info["kubeletVersion"] == "v1.37.2"
    assert info["containerRuntimeVersion"].startswith("containerd://2.")
    assert info["osImage"].startswith("Twinhull guest")


def test_the_reference_runs_pods(nursery: Nursery) -> None:
    """With what the cluster has for them: ConfigMap, Secret, the ServiceAccount's token, an address."""
    pod = ReferencePod.create(nursery.node, _SMALL)
    pod.ready(180)
    account = "/var/run/secrets/kubernetes.io/serviceaccount"
    files = pod.report(DESK, "/config", "/hidden", account)["files"]
    assert files["/config/a"]["text"] == "from the ConfigMap"
    assert files["/hidden/b"]["text"] == "from the Secret"
    assert files[f"{account}/token"]["text"].count(".") == 2
    assert files[f"{account}/namespace"]["text"] == pod.namespace
    pod.delete()


@pytest.mark.parametrize("scenario", [pytest.param(one, id=one.name) for one in ALIKE])
def test_containers_see_the_same(nursery: Nursery, scenario: Scenario) -> None:
    """All that a process can find out is equal, but for what is listed, with its reason."""
    with nursery.twins(scenario) as twins:
        twins.ready()
        pod = look(twins.pod, scenario, twins.pod_names)
        machine = look(twins.machine, scenario, twins.machine_names)
    found = differences(pod, machine)
    assert len(pod) > 100
    wrong = unexplained(found, EXPLAINED)
    assert not wrong, "\n".join(["these differ for no reason that is known:", *map(str, wrong)])
    print(f"{scenario.name}: {len(pod)} places, {len(found)} differ, each for a reason that is listed")


@pytest.mark.parametrize("scenario", [pytest.param(one, id=one.name) for one in (ENDS, RESTARTS)])
def test_containers_come_to_the_same(nursery: Nursery, scenario: Scenario) -> None:
    """How containers end, fail, wait and restart is told in the same words."""
    moments = MOMENTS[scenario.name]
    with nursery.twins(scenario) as twins:
        hulls: list[tuple[ReferencePod | Machine, Chronicle]] = [
            (twins.pod, Chronicle(twins.pod_names)),
            (twins.machine, Chronicle(twins.machine_names)),
        ]

        def told() -> list[dict[str, dict[str, Any]]]:
            for hull, chronicle in hulls:
                chronicle.note(hull.status())
            return met(moments, *(chronicle for _, chronicle in hulls))

        pod, machine = nursery.node.eventually(
            told, _MOMENTS, f"all containers of {scenario.name} come there"
        )
        held = [conditions(hull.status()) for hull, _ in hulls]
        phases = [hull.status()["phase"] for hull, _ in hulls]
    assert pod == machine
    assert phases[0] == phases[1]
    for kind in ("Initialized", "Ready", "ContainersReady", "PodScheduled"):
        assert held[0].get(kind) == held[1].get(kind), kind


@pytest.mark.guest_quick
def test_what_differs_is_told() -> None:
    """docs/parity.md says all that a user can meet; the rest is a matter of how this is run here."""
    known = {difference.what for difference in DIFFERENCES}
    assert {one.of for one in EXPLAINED} <= known | {""}
    assert all(one.why for one in EXPLAINED)
