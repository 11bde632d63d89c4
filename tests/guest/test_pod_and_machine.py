"""One Workload in both hulls, under the same kubelet: Pod and machine show the same."""

from __future__ import annotations

import pytest

from tests.guest.reference.comparedscenarios import COMPARED, REPORTS_PORT
from tests.guest.reference.comparison import differences, unexplained
from tests.guest.reference.endscenarios import ENDS, RESTARTS
from tests.guest.reference.knowndifferences import KNOWN_DIFFERENCES
from tests.guest.reference.node import LABEL, NAME, ReferenceNode
from tests.guest.reference.pairs import Pairs
from tests.guest.scenario import Scenario, config_map, container, secret
from twinhull.hulls.parity.differences import DIFFERENCES

_SMALL = Scenario(
    "small",
    {
        "spec": {
            "terminationGracePeriodSeconds": 1,
            "containers": [
                container(
                    "main",
                    port=REPORTS_PORT,
                    readinessProbe={
                        "httpGet": {"port": REPORTS_PORT, "path": "/health"},
                        "timeoutSeconds": 5,
                    },
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


def test_the_reference_is_a_real_node(node: ReferenceNode) -> None:
    """The API server has it from its kubelet, with the machine's own runtime and kernel."""
    found = node.plane.api.get("Node", NAME)
    assert found is not None
    assert found["metadata"]["labels"][LABEL] == "true"
    info = found["status"]["nodeInfo"]
    assert info["kubeletVersion"] == "v1.37.2"
    assert info["containerRuntimeVersion"].startswith("containerd://2.")
    assert info["osImage"].startswith("Twinhull guest")


def test_the_reference_runs_pods(pairs: Pairs) -> None:
    """With what the cluster has for them: ConfigMap, Secret, the ServiceAccount's token, an address."""
    account = "/var/run/secrets/kubernetes.io/serviceaccount"
    with pairs.pod(_SMALL) as pod:
        pod.ready(900)
        files = pod.report(REPORTS_PORT, "/config", "/hidden", account)["files"]
    assert files["/config/a"]["text"] == "from the ConfigMap"
    assert files["/hidden/b"]["text"] == "from the Secret"
    assert files[f"{account}/token"]["text"].count(".") == 2
    assert files[f"{account}/namespace"]["text"] == pod.namespace


@pytest.mark.parametrize("scenario", [pytest.param(one, id=one.name) for one in COMPARED])
def test_containers_see_the_same(pairs: Pairs, scenario: Scenario) -> None:
    """All that a process can find out is equal, but for what is listed, with its reason."""
    pod, machine = pairs.views(scenario)
    found = differences(pod, machine)
    assert len(pod) > 100
    wrong = unexplained(found, KNOWN_DIFFERENCES)
    assert not wrong, "\n".join(["these differ for no reason that is known:", *map(str, wrong)])
    print(f"{scenario.name}: {len(pod)} places, {len(found)} differ, each for a reason that is listed")


@pytest.mark.parametrize("scenario", [pytest.param(one, id=one.name) for one in (ENDS, RESTARTS)])
def test_containers_come_to_the_same(pairs: Pairs, scenario: Scenario) -> None:
    """How containers end, fail, wait and restart is told in the same words."""
    pod, machine = pairs.outcomes(scenario)
    assert pod.statuses == machine.statuses
    assert pod.phase == machine.phase
    for kind in ("Initialized", "Ready", "ContainersReady", "PodScheduled"):
        assert pod.conditions.get(kind) == machine.conditions.get(kind), kind


@pytest.mark.guest_quick
def test_what_differs_is_told() -> None:
    """docs/parity.md says all that a user can meet; the rest is a matter of how this is run here."""
    known = {difference.what for difference in DIFFERENCES}
    assert {one.of for one in KNOWN_DIFFERENCES} <= known | {""}
    assert all(one.why for one in KNOWN_DIFFERENCES)
