"""`twinhull top` of each hull, by a metrics server that asks their node's kubelet."""

from __future__ import annotations

import json
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from tests.controlplane.ports import free_ports
from tests.guest.scenario import NAMESPACE
from tests.node import metrics_server
from tests.node.machine import Machine
from tests.node.person import Person
from tests.node.workloads import REACHED

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator

    from tests.node.cluster import NodeCluster

pytestmark = pytest.mark.starts(*REACHED.values())

POD, SANDBOX, MACHINE = REACHED.values()
#: What the metrics server's quantities end in, in cores and bytes.
_UNITS = {
    "n": Decimal("1e-9"),
    "u": Decimal("1e-6"),
    "m": Decimal("1e-3"),
    "Ki": Decimal(1 << 10),
    "Mi": Decimal(1 << 20),
}
Use = dict[str, Any]


@dataclass(frozen=True)
class Figures:
    """What was measured of a Pod, in cores and bytes, and when."""

    time: str
    cpu: Decimal
    memory: Decimal

    @classmethod
    def read(cls, metrics: dict[str, Any]) -> Figures:
        """Of a PodMetrics, whose containers come in any order."""
        used = [one["usage"] for one in metrics["containers"]]
        cpu, memory = (sum((value(one[of]) for one in used), Decimal(0)) for of in ("cpu", "memory"))
        return cls(metrics["timestamp"], cpu, memory)


@pytest.fixture(scope="module")
def measured(started: NodeCluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[NodeCluster]:
    """A cluster whose metrics server has measured each Workload."""
    for name in REACHED.values():
        Machine(started.plane, NAMESPACE, name, started.operator.check).ready()
    with metrics_server.running(started.plane, tmp_path_factory.mktemp("metrics server")):
        started.plane.eventually(lambda: len(figures(started)) == len(REACHED), 120, "all are measured")
        yield started


def top(cluster: NodeCluster, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    return Person(cluster.plane.kubeconfig, NAMESPACE).run("top", *arguments)


def uses(cluster: NodeCluster, *arguments: str) -> list[Use]:
    ended = top(cluster, *arguments, "-o", "json")
    assert ended.returncode == 0, ended.stderr
    found: list[Use] = json.loads(ended.stdout)
    return found


def figures(cluster: NodeCluster) -> dict[str, Figures]:
    """What was measured of each Workload's Pod."""
    label = "twinhull.dev/workload"
    names = ",".join(REACHED.values())
    found = cluster.plane.api.list("PodMetrics", NAMESPACE, labels=f"{label} in ({names})")
    return {one["metadata"]["labels"][label]: Figures.read(one) for one in found}


def value(quantity: str) -> Decimal:
    number = quantity.rstrip("numKMi")
    return Decimal(number) * _UNITS.get(quantity.removeprefix(number), Decimal(1))


def test_it_says_what_was_measured(measured: NodeCluster) -> None:
    def seen_at_once() -> tuple[dict[str, Figures], dict[str, Use]]:
        by_server = figures(measured)
        assert len(by_server) == len(REACHED), "what a kubelet answers too late isn't measured"
        by_verb = {use["workload"]: use for use in uses(measured)}
        assert figures(measured) == by_server, "they were measured anew meanwhile"
        return by_server, by_verb

    by_server, by_verb = measured.plane.eventually(seen_at_once, 60, "they are of the same moment")
    for name in REACHED.values():
        assert abs(value(by_verb[name]["cpu"]) - by_server[name].cpu) <= Decimal("0.001")
        assert abs(value(by_verb[name]["memory"]) - by_server[name].memory) <= 1 << 20
        assert by_server[name].memory > 1 << 20, "a process takes more than that"
    assert not by_verb[POD]["launcher"]
    assert not by_verb[SANDBOX]["launcher"]
    assert by_verb[MACHINE]["launcher"]
    assert by_verb[MACHINE]["guest"].startswith("1 CPU, ")


def test_who_uses_most_comes_first(measured: NodeCluster) -> None:
    def ours_by_memory() -> list[str]:
        found = uses(measured, "--sort-by", "memory")
        ours = [use["workload"] for use in found if use["workload"] in REACHED.values() and "memory" in use]
        assert len(ours) == len(REACHED), "what a kubelet answers too late isn't measured"
        return ours

    assert measured.plane.eventually(ours_by_memory, 60, "all are measured") == [MACHINE, SANDBOX, POD]
    ended = top(measured)
    assert ended.returncode == 0
    assert ended.stdout.decode().splitlines()[0].split()[:3] == ["NAME", "POD", "CPU"]
    assert "note: a machine's figures are those of its launcher Pod" in ended.stderr.decode()


def test_each_container_has_its_own(measured: NodeCluster) -> None:
    def all_measured() -> dict[str, Decimal]:
        found = uses(measured, POD, "--containers")
        return {use["container"]: value(use["memory"]) for use in found}

    found = measured.plane.eventually(all_measured, 60, "all are measured")
    assert found.keys() == {"web", "twice", "typed"}
    assert all(memory > 0 for memory in found.values())


def test_a_metrics_server_that_does_not_answer(started: NodeCluster) -> None:
    (nobody,) = free_ports(1)
    with metrics_server.registered(started.plane, nobody):
        ended = started.plane.eventually(lambda: _unanswered(started), 60, "the API server asks it")
    assert ended.startswith("Error: the metrics server doesn't answer: ")
    assert "kubectl get apiservice v1beta1.metrics.k8s.io" in ended


def _unanswered(cluster: NodeCluster) -> str:
    ended = top(cluster)
    assert ended.returncode == 1
    errors = ended.stderr.decode()
    assert "the cluster has no metrics server" not in errors
    return errors
