"""The contests: what each contestant is given to do, and where its clock starts and ends."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

from tests.bench import objects
from tests.bench.bench_cluster import BenchCluster
from tests.bench.outcome import Outcome, rate
from tests.bench.recorder import Recorder

#: The requests that only the operator makes in its contests, by the kind of hull. Events are counted apart.
_OPERATORS = {
    "Pod": ("POST pods", "PATCH workloads/status"),
    "VirtualMachine": ("POST configmaps", "POST virtualmachines", "PATCH workloads/status"),
}


def twinhull_backlog(cluster: BenchCluster, count: int) -> Outcome:
    """The operator is started when all Workloads are there."""
    with cluster.namespace() as namespace:
        cluster.create([objects.workload(namespace, number, "Container") for number in range(count)])
        pods = cluster.record("Pod", namespace, objects.exists, count)
        workloads = cluster.record("Workload", namespace, objects.is_ready, count)
        operator = cluster.operator()
        _wait(cluster, pods, workloads)
        cpu = cluster.at_rest(operator.process)
        operator.stop()
    start = min(pods.created.values())
    return Outcome(
        rate(count, pods.created.values(), start), rate(count, workloads.ready.values(), start), cpu
    )


def replica_set_backlog(cluster: BenchCluster, count: int) -> Outcome:
    """One ReplicaSet is scaled from none to all."""
    with cluster.namespace() as namespace:
        cluster.create([objects.replica_set(namespace, 0, 0)])
        pods = cluster.record("Pod", namespace, objects.is_ready, count)
        controller = cluster.component("kube-controller-manager")
        idle = cluster.at_rest(controller)
        cluster.plane.api.patch("ReplicaSet", "bench-00000", namespace, {"spec": {"replicas": count}})
        _wait(cluster, pods)
        cpu = cluster.at_rest(controller) - idle
    start = min(pods.created.values())
    return Outcome(rate(count, pods.created.values(), start), rate(count, pods.ready.values(), start), cpu)


def agent_sandbox_backlog(cluster: BenchCluster, count: int, *options: str) -> Outcome:
    """agent-sandbox's controller is started when all Sandboxes are there."""
    with cluster.namespace() as namespace:
        cluster.create([objects.sandbox(namespace, number) for number in range(count)])
        pods = cluster.record("Pod", namespace, objects.exists, count)
        sandboxes = cluster.record("Sandbox", namespace, objects.is_ready, count)
        controller = cluster.agent_sandbox(*options)
        _wait(cluster, pods, sandboxes)
        cpu = cluster.at_rest(controller.process)
        controller.stop()
    start = min(pods.created.values())
    return Outcome(
        rate(count, pods.created.values(), start), rate(count, sandboxes.ready.values(), start), cpu
    )


def bare_loop_backlog(cluster: BenchCluster, count: int) -> Outcome:
    """The bare loop is started when all Workloads are there."""
    with cluster.namespace() as namespace:
        cluster.create([objects.workload(namespace, number, "Container") for number in range(count)])
        pods = cluster.record("Pod", namespace, objects.exists, count)
        workloads = cluster.record("Workload", namespace, objects.is_ready, count)
        cpu = _bare_loop(cluster, namespace, count, "backlog")
        _wait(cluster, pods, workloads)
    start = min(pods.created.values())
    return Outcome(
        rate(count, pods.created.values(), start), rate(count, workloads.ready.values(), start), cpu
    )


def twinhull_live(cluster: BenchCluster, count: int, isolation: str = "Container") -> Outcome:
    """Workloads are created while the operator runs."""
    hull = "VirtualMachine" if isolation == "VirtualMachine" else "Pod"
    operator = cluster.operator()
    with cluster.namespace() as namespace:
        hulls = cluster.record(hull, namespace, objects.exists, count)
        workloads = cluster.record("Workload", namespace, objects.is_ready, count)
        cpu, counts = cluster.at_rest(operator.process), cluster.requests()
        cluster.create([objects.workload(namespace, number, isolation) for number in range(count)])
        _wait(cluster, hulls, workloads)
        cpu = cluster.at_rest(operator.process) - cpu
        counts = cluster.requests() - counts
        requests = {what: counts[what] / count for what in _OPERATORS[hull]}
        requests["POST events"] = _told(cluster, namespace) / count
        memory = operator.process.peak_memory()
        operator.stop()
        operator = cluster.operator()
        cluster.at_rest(operator.process)
        restarted = operator.process.peak_memory()
        operator.stop()
    outcome = _live(count, hulls, workloads, cpu)
    return replace(outcome, requests=requests, memory=memory, restarted=restarted)


def replica_set_live(cluster: BenchCluster, count: int) -> Outcome:
    """ReplicaSets of one Pod each are created while the controller runs."""
    with cluster.namespace() as namespace:
        pods = cluster.record("Pod", namespace, objects.exists, count)
        sets = cluster.record("ReplicaSet", namespace, objects.is_ready, count)
        controller = cluster.component("kube-controller-manager")
        idle = cluster.at_rest(controller)
        cluster.create([objects.replica_set(namespace, number, 1) for number in range(count)])
        _wait(cluster, pods, sets)
        cpu = cluster.at_rest(controller) - idle
    return _live(count, pods, sets, cpu)


def agent_sandbox_live(cluster: BenchCluster, count: int, *options: str) -> Outcome:
    """Sandboxes are created while agent-sandbox's controller runs."""
    controller = cluster.agent_sandbox(*options)
    with cluster.namespace() as namespace:
        pods = cluster.record("Pod", namespace, objects.exists, count)
        sandboxes = cluster.record("Sandbox", namespace, objects.is_ready, count)
        cpu, counts = cluster.at_rest(controller.process), cluster.requests()
        cluster.create([objects.sandbox(namespace, number) for number in range(count)])
        _wait(cluster, pods, sandboxes)
        cpu = cluster.at_rest(controller.process) - cpu
        counts = cluster.requests() - counts
        memory = controller.process.peak_memory()
        controller.stop()
    status = sum(counts[f"{verb} sandboxes/status"] for verb in ("PATCH", "PUT"))
    requests = {"POST pods": counts["POST pods"] / count, "writes of sandboxes/status": status / count}
    return replace(_live(count, pods, sandboxes, cpu), requests=requests, memory=memory)


def bare_loop_live(cluster: BenchCluster, count: int) -> Outcome:
    """The bare loop creates the Workloads too."""
    with cluster.namespace() as namespace:
        pods = cluster.record("Pod", namespace, objects.exists, count)
        workloads = cluster.record("Workload", namespace, objects.is_ready, count)
        cpu = _bare_loop(cluster, namespace, count, "live")
        _wait(cluster, pods, workloads)
    return _live(count, pods, workloads, cpu)


def _live(count: int, hulls: Recorder, owners: Recorder, cpu: float) -> Outcome:
    start = min(owners.created.values())
    waits = tuple(owners.ready[name] - created for name, created in owners.created.items())
    return Outcome(
        rate(count, hulls.created.values(), start),
        rate(count, owners.ready.values(), start),
        cpu,
        waits,
    )


def _wait(cluster: BenchCluster, *recorders: Recorder) -> None:
    for recorder in recorders:
        recorder.wait(cluster.plane.check)


def _bare_loop(cluster: BenchCluster, namespace: str, count: int, arrangement: str) -> float:
    command = [sys.executable, "-m", "tests.bench.bareloop", str(cluster.plane.kubeconfig), namespace]
    done = subprocess.run([*command, str(count), arrangement], stdout=subprocess.PIPE, check=True, text=True)
    return float(done.stdout)


def _told(cluster: BenchCluster, namespace: str) -> int:
    """How many Events the operator has posted."""
    events = cluster.plane.api.list("Event.events.k8s.io", namespace)
    return sum(event.get("reportingController") == "twinhull.dev/operator" for event in events)
