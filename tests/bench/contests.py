"""The contests: what each contestant is given to do, and where its clock starts and ends."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

from tests.bench import objects
from tests.bench.arena import Arena
from tests.bench.outcome import Outcome, rate
from tests.bench.recorder import Recorder

#: The requests that only the operator makes in its contests, by the kind of hull. Events are counted apart.
_OPERATORS = {
    "Pod": ("POST pods", "PATCH workloads/status"),
    "VirtualMachine": ("POST configmaps", "POST virtualmachines", "PATCH workloads/status"),
}


def twinhull_backlog(arena: Arena, count: int) -> Outcome:
    """The operator is started when all Workloads are there."""
    with arena.namespace() as namespace:
        arena.create([objects.workload(namespace, number, "Container") for number in range(count)])
        pods = arena.record("Pod", namespace, objects.exists, count)
        workloads = arena.record("Workload", namespace, objects.is_ready, count)
        operator = arena.operator()
        _wait(arena, pods, workloads)
        cpu = arena.at_rest(operator.process)
        operator.stop()
    start = min(pods.created.values())
    return Outcome(
        rate(count, pods.created.values(), start), rate(count, workloads.ready.values(), start), cpu
    )


def replica_set_backlog(arena: Arena, count: int) -> Outcome:
    """One ReplicaSet is scaled from none to all."""
    with arena.namespace() as namespace:
        arena.create([objects.replica_set(namespace, 0, 0)])
        pods = arena.record("Pod", namespace, objects.is_ready, count)
        controller = arena.component("kube-controller-manager")
        before = arena.at_rest(controller)
        arena.plane.api.patch("ReplicaSet", "bench-00000", namespace, {"spec": {"replicas": count}})
        _wait(arena, pods)
        cpu = arena.at_rest(controller) - before
    start = min(pods.created.values())
    return Outcome(rate(count, pods.created.values(), start), rate(count, pods.ready.values(), start), cpu)


def agent_sandbox_backlog(arena: Arena, count: int, *options: str) -> Outcome:
    """agent-sandbox's controller is started when all Sandboxes are there."""
    with arena.namespace() as namespace:
        arena.create([objects.sandbox(namespace, number) for number in range(count)])
        pods = arena.record("Pod", namespace, objects.exists, count)
        sandboxes = arena.record("Sandbox", namespace, objects.is_ready, count)
        controller = arena.agent_sandbox(*options)
        _wait(arena, pods, sandboxes)
        cpu = arena.at_rest(controller.process)
        controller.stop()
    start = min(pods.created.values())
    return Outcome(
        rate(count, pods.created.values(), start), rate(count, sandboxes.ready.values(), start), cpu
    )


def bare_loop_backlog(arena: Arena, count: int) -> Outcome:
    """The bare loop is started when all Workloads are there."""
    with arena.namespace() as namespace:
        arena.create([objects.workload(namespace, number, "Container") for number in range(count)])
        pods = arena.record("Pod", namespace, objects.exists, count)
        workloads = arena.record("Workload", namespace, objects.is_ready, count)
        cpu = _bare_loop(arena, namespace, count, "backlog")
        _wait(arena, pods, workloads)
    start = min(pods.created.values())
    return Outcome(
        rate(count, pods.created.values(), start), rate(count, workloads.ready.values(), start), cpu
    )


def twinhull_live(arena: Arena, count: int, isolation: str = "Container") -> Outcome:
    """Workloads are created while the operator runs."""
    hull = "VirtualMachine" if isolation == "VirtualMachine" else "Pod"
    operator = arena.operator()
    with arena.namespace() as namespace:
        hulls = arena.record(hull, namespace, objects.exists, count)
        workloads = arena.record("Workload", namespace, objects.is_ready, count)
        cpu, asked = arena.at_rest(operator.process), arena.requests()
        arena.create([objects.workload(namespace, number, isolation) for number in range(count)])
        _wait(arena, hulls, workloads)
        cpu = arena.at_rest(operator.process) - cpu
        asked = arena.requests() - asked
        requests = {what: asked[what] / count for what in _OPERATORS[hull]}
        requests["POST events"] = _told(arena, namespace) / count
        memory = operator.process.peak_memory()
        operator.stop()
        operator = arena.operator()
        arena.at_rest(operator.process)
        restarted = operator.process.peak_memory()
        operator.stop()
    outcome = _live(count, hulls, workloads, cpu)
    return replace(outcome, requests=requests, memory=memory, restarted=restarted)


def replica_set_live(arena: Arena, count: int) -> Outcome:
    """ReplicaSets of one Pod each are created while the controller runs."""
    with arena.namespace() as namespace:
        pods = arena.record("Pod", namespace, objects.exists, count)
        sets = arena.record("ReplicaSet", namespace, objects.is_ready, count)
        controller = arena.component("kube-controller-manager")
        before = arena.at_rest(controller)
        arena.create([objects.replica_set(namespace, number, 1) for number in range(count)])
        _wait(arena, pods, sets)
        cpu = arena.at_rest(controller) - before
    return _live(count, pods, sets, cpu)


def agent_sandbox_live(arena: Arena, count: int, *options: str) -> Outcome:
    """Sandboxes are created while agent-sandbox's controller runs."""
    controller = arena.agent_sandbox(*options)
    with arena.namespace() as namespace:
        pods = arena.record("Pod", namespace, objects.exists, count)
        sandboxes = arena.record("Sandbox", namespace, objects.is_ready, count)
        cpu, asked = arena.at_rest(controller.process), arena.requests()
        arena.create([objects.sandbox(namespace, number) for number in range(count)])
        _wait(arena, pods, sandboxes)
        cpu = arena.at_rest(controller.process) - cpu
        asked = arena.requests() - asked
        memory = controller.process.peak_memory()
        controller.stop()
    status = sum(asked[f"{verb} sandboxes/status"] for verb in ("PATCH", "PUT"))
    requests = {"POST pods": asked["POST pods"] / count, "writes of sandboxes/status": status / count}
    return replace(_live(count, pods, sandboxes, cpu), requests=requests, memory=memory)


def bare_loop_live(arena: Arena, count: int) -> Outcome:
    """The bare loop creates the Workloads too."""
    with arena.namespace() as namespace:
        pods = arena.record("Pod", namespace, objects.exists, count)
        workloads = arena.record("Workload", namespace, objects.is_ready, count)
        cpu = _bare_loop(arena, namespace, count, "live")
        _wait(arena, pods, workloads)
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


def _wait(arena: Arena, *recorders: Recorder) -> None:
    for recorder in recorders:
        recorder.wait(arena.plane.check)


def _bare_loop(arena: Arena, namespace: str, count: int, arrangement: str) -> float:
    command = [sys.executable, "-m", "tests.bench.bareloop", str(arena.plane.kubeconfig), namespace]
    done = subprocess.run([*command, str(count), arrangement], stdout=subprocess.PIPE, check=True, text=True)
    return float(done.stdout)


def _told(arena: Arena, namespace: str) -> int:
    """How many Events the operator has posted."""
    events = arena.plane.api.list("Event.events.k8s.io", namespace)
    return sum(event.get("reportingController") == "twinhull.dev/operator" for event in events)
