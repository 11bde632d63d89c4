"""Hulls that are lost as fast as they are made, and objects in the way that don't go: nothing spins or waits
for ever.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.controlplane import Cluster, ControlPlane
from tests.e2e.operator.subject import Manifest, Subject, template
from tests.operator_process import OperatorProcess

pytestmark = pytest.mark.simulated

DEADLINE = {"progressDeadlineSeconds": 8}


@pytest.fixture
def tainted(simulation: ControlPlane) -> Iterator[str]:
    """A node that lets no Pod stay."""
    name = "tainted"
    simulation.add_node(name)
    taints = [{"key": "culprit", "value": "yes", "effect": "NoExecute"}]
    simulation.api.patch("Node", name, None, {"spec": {"taints": taints}})
    yield name
    simulation.remove_node(name)


def back_off(web: Subject) -> Manifest:
    found: Manifest = web.get()["status"]["backOff"]
    return found


def most(seconds: float) -> int:
    """How many hulls are made in so many seconds at most: the second one at once, the third one 10 s after
    the second is lost, and each further one after twice as long.
    """
    hulls, wait = 2, 10
    while seconds >= wait:
        hulls, seconds, wait = hulls + 1, seconds - wait, wait * 2
    return hulls


def is_stalled(web: Subject, why: str) -> bool:
    """Whether it says that it isn't ready in time, and this of the hull that was lost last: it can be late
    before any was.
    """
    status, reason, message = web.condition("Stalled")
    assert (status, reason) == ("True", "ProgressDeadlineExceeded")
    assert why in message, message
    return True


def test_a_pod_that_its_node_throws_out_at_once_is_made_ever_less_often(
    tainted: str, cluster: Cluster, account: Path, namespace: str, tmp_path: Path
) -> None:
    operator = OperatorProcess.start(account, tmp_path / "operator.log")
    web = Subject(cluster, namespace, alive=operator.check)
    pod = template(nodeName=tainted, terminationGracePeriodSeconds=0)
    began = time.monotonic()
    web.apply("Container", pod, replacement=DEADLINE)
    web.eventually(lambda: is_stalled(web, "NoExecute"), "it is Stalled")
    web.eventually(lambda: back_off(web)["losses"] >= 2, "it is made again")
    count = len(web.events())
    losses = back_off(web)["losses"]
    assert losses <= most(time.monotonic() - began)
    assert count <= 3 * losses + 2

    operator.kill()
    operator = OperatorProcess.start(account, tmp_path / "operator.log")
    web = web.served_by(operator)
    last, began = back_off(web)["losses"], time.monotonic()
    web.eventually(lambda: back_off(web)["losses"] > last, "it is tried again")
    # It goes on to count, and waits for at least 10 s each time.
    assert back_off(web)["losses"] <= last + 1 + (time.monotonic() - began) // 10
    operator.stop()


def test_a_pod_that_no_node_admits_is_made_ever_less_often(web: Subject) -> None:
    web.apply("Container", template(nodeName="nowhere"), replacement=DEADLINE)
    refusal = {"phase": "Failed", "reason": "OutOfcpu", "message": "Node didn't have enough resource: cpu"}
    refused: set[str] = set()
    began = time.monotonic()

    def refuse() -> bool:
        for pod in web.cluster.api.list("Pod", web.namespace):
            if pod["metadata"]["uid"] not in refused:
                refused.add(pod["metadata"]["uid"])
                name = pod["metadata"]["name"]
                web.cluster.api.patch("Pod", name, web.namespace, {"status": refusal}, subresource="status")
        return is_stalled(web, "OutOfcpu: Node didn't have enough resource: cpu")

    web.eventually(refuse, "it is Stalled")
    assert len(refused) <= most(time.monotonic() - began)


def test_a_machine_that_somebody_deletes_each_time_is_made_ever_less_often(web: Subject) -> None:
    web.apply("VirtualMachine", replacement=DEADLINE)
    deleted: set[str] = set()
    began = time.monotonic()

    def delete() -> bool:
        for machine in web.cluster.api.list("VirtualMachine", web.namespace):
            deleted.add(machine["metadata"]["uid"])
            web.cluster.api.delete("VirtualMachine", machine["metadata"]["name"], web.namespace)
        return web.condition("Stalled")[:2] == ("True", "ProgressDeadlineExceeded")

    web.eventually(delete, "it is Stalled")
    assert len(deleted) <= most(time.monotonic() - began)
    web.becomes("Ready")


def test_an_object_in_the_way_that_does_not_go_is_told_with_its_finalizers(web: Subject) -> None:
    labels = {"twinhull.dev/workload": "web", "twinhull.dev/hull": "Pod"}
    stranger = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": "stranger",
            "namespace": web.namespace,
            "labels": labels,
            "finalizers": ["example.com/keep"],
        },
        "spec": {"containers": [{"name": "web", "image": "nginx:1"}], "terminationGracePeriodSeconds": 0},
    }
    web.cluster.api.create(stranger)
    web.cluster.api.delete("Pod", "stranger", web.namespace)
    web.apply("Container", replacement={"progressDeadlineSeconds": 2})
    web.becomes("TerminationDeadlineExceeded")
    assert "its finalizers are example.com/keep" in web.condition("Stalled")[2]
    gone: Manifest = {"metadata": {"finalizers": None}}
    web.cluster.api.patch("Pod", "stranger", web.namespace, gone)
    web.becomes("Ready")
