"""Metrics: what is counted is what happened, under labels that can't grow without end."""

from __future__ import annotations

import asyncio
import marshal
import re
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from prometheus_client import CollectorRegistry

from tests.unit.shell.simulation import KEY, Simulation
from twinhull.api.reading import unread
from twinhull.core import reasons
from twinhull.shell import kinds, store
from twinhull.shell.errors import Conflict
from twinhull.shell.lease import Lease
from twinhull.shell.lease_terms import Terms
from twinhull.shell.metrics import Metrics, RequestMetrics, WorkqueueMetrics
from twinhull.shell.metrics.catalogue import CATALOGUE
from twinhull.shell.metrics.state_collector import StateCollector
from twinhull.shell.queue import Queue

GOLDEN = Path(__file__).parents[3] / "golden"


def state(world: Simulation, lease: Lease | None = None, *refused: str) -> StateCollector:
    ages = world.watches.ages
    return StateCollector(world.store, world.decisions, ages, refused, lease, lambda: world.now)


def seen(world: Simulation, name: str, lease: Lease | None = None) -> dict[tuple[str, ...], float]:
    """The values of a gauge of the state, by their labels' values in order."""
    registry = CollectorRegistry()
    registry.register(state(world, lease))
    return {
        tuple(sample.labels.values()): sample.value
        for family in registry.collect()
        for sample in family.samples
        if sample.name == name
    }


def counted(world: Simulation, name: str, **labels: str) -> float | None:
    return world.metrics.registry.get_sample_value(name, labels)


def test_a_namespace_that_is_not_served_has_a_series() -> None:
    registry = CollectorRegistry()
    registry.register(state(Simulation({}), None, "bank"))
    name = "twinhull_unserved_namespaces"
    assert registry.get_sample_value(name, {"workload_namespace": "bank"}) == 1
    assert registry.get_sample_value(name, {"workload_namespace": "shop"}) is None


def test_objects_that_are_not_read_are_counted() -> None:
    world = Simulation({})
    world.settle()
    assert set(seen(world, "twinhull_unreadable_objects").values()) == {0}
    assert world.workload is not None
    metadata = {**world.workload["metadata"], "resourceVersion": "10000"}
    world.watches.take(kinds.WORKLOAD, "MODIFIED", unread({"metadata": metadata}, "it nests too deep"))
    counts = seen(world, "twinhull_unreadable_objects")
    assert counts["workloads",] == 1
    assert sum(counts.values()) == 1


def test_no_gauge_tells_twice_of_the_same() -> None:
    """Several kinds may be of one resource: Pods are, and launcher Pods."""
    world = Simulation({})
    world.settle()
    for family in world.metrics.registry.collect():
        series = [(sample.name, *sorted(sample.labels.items())) for sample in family.samples]
        assert len(series) == len(set(series))


def test_the_catalogue_names_all_that_there_is() -> None:
    world, lease = Simulation({}), Lease(Any, Terms("twinhull", "twinhull", "me"))  # type: ignore[arg-type]
    world.metrics.registry.register(state(world, lease))
    families = {
        family.name + ("_total" if family.type == "counter" else "")
        for family in world.metrics.registry.collect()
    }
    # What only the one that acts tells is described, even while another does.
    described = {family.name for family in state(world).describe()}
    assert families | described == {definition.name for definition in CATALOGUE}


def test_names_have_their_units_and_help() -> None:
    for definition in CATALOGUE:
        assert re.fullmatch(r"[a-z_]+", definition.name)
        assert definition.help.endswith(".")
        assert (definition.type == "counter") == definition.name.endswith("_total")
        assert (definition.type == "histogram") == bool(definition.buckets)
        if definition.type == "histogram":
            assert definition.name.endswith("_seconds")


def test_a_workload_is_counted_by_what_its_status_says() -> None:
    world = Simulation({})
    assert seen(world, "twinhull_workloads") == {
        ("shop", "None", "None", "Unknown", "Unknown", "None"): 1,
    }
    world.settle()
    assert seen(world, "twinhull_workloads") == {
        ("shop", "Container", "Pod", "True", "False", "Ready"): 1,
    }
    assert seen(world, "twinhull_workloads_longest_unready_seconds") == {}


def test_a_reason_that_nobody_knows_is_other() -> None:
    world = Simulation({})
    world.settle()
    status = world.server.get("Workload", KEY)["status"]
    ready = {**world.condition("Ready"), "status": "False", "reason": "SomethingTheGuestSays"}
    others = [found for found in status["conditions"] if found["type"] != "Ready"]
    world.server.patch("Workload", KEY, {"status": {"conditions": [ready, *others]}}, status=True)
    while any(world.server.events.values()):
        world.deliver(0)
    assert seen(world, "twinhull_workloads") == {
        ("shop", "Container", "Pod", "False", "False", "Other"): 1,
    }


def test_no_workload_is_unpacked_for_what_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever reaches the port may ask each second, and a Workload is as large as its tenant likes."""
    world = Simulation({})
    world.settle()

    def loads(state: bytes) -> Any:
        found = marshal.loads(state)  # noqa: S302  the store's own
        assert found["kind"] != "Workload"
        return found

    monkeypatch.setattr(store, "marshal", SimpleNamespace(dumps=marshal.dumps, loads=loads))
    counts = seen(world, "twinhull_workloads")
    assert counts == {("shop", "Container", "Pod", "True", "False", "Ready"): 1}
    world.server.remove("Workload", KEY)
    while any(world.server.events.values()):
        world.deliver(0)
    assert seen(world, "twinhull_workloads") == {}


@pytest.mark.parametrize("status", ["a", {"conditions": [1]}, {"isolation": [1]}, {"conditions": [{}]}])
def test_a_status_that_an_edited_definition_lets_in_says_nothing(status: object) -> None:
    world = Simulation({})
    assert world.workload is not None
    metadata = {**world.workload["metadata"], "resourceVersion": "10000"}
    world.store.put(kinds.WORKLOAD, {**world.workload, "metadata": metadata, "status": status})
    assert seen(world, "twinhull_workloads") == {("shop", "None", "None", "Unknown", "Unknown", "None"): 1}


@pytest.mark.parametrize("time", ["x", "2026-01-01T00:00:00", "", 5])
def test_a_time_that_an_edited_definition_lets_in_breaks_nothing(time: object) -> None:
    world = Simulation({})
    assert world.workload is not None
    metadata = {**world.workload["metadata"], "resourceVersion": "10000"}
    status = {"conditions": [{"type": "Ready", "status": "False", "lastTransitionTime": time}]}
    world.store.put(kinds.WORKLOAD, {**world.workload, "metadata": metadata, "status": status})
    assert list(seen(world, "twinhull_workloads_longest_unready_seconds")) == [("shop",)]


@pytest.mark.slow
def test_every_reason_of_the_golden_files_is_known() -> None:
    ready_reasons = set()
    for path in GOLDEN.glob("*.output.yaml"):
        status = yaml.load(path.read_text(encoding="utf-8"), yaml.CSafeLoader).get("status") or {}
        ready_reasons |= {
            found["reason"] for found in status.get("conditions", ()) if found["type"] == "Ready"
        }
    assert len(ready_reasons) > 10
    assert ready_reasons <= reasons.KNOWN


def test_how_long_the_one_that_waits_longest_has_waited() -> None:
    world = Simulation({"isolationPolicy": "VirtualMachine"})
    world.switch("KubeVirt")
    while any(world.server.events.values()):
        world.deliver(0)
    world.reconcile()
    world.wait(90)
    assert world.condition("Ready")["reason"] == "KubeVirtMissing"
    assert seen(world, "twinhull_workloads_longest_unready_seconds")[("shop",)] == pytest.approx(90, abs=2)


def test_who_waits_for_the_lease_tells_of_no_workloads() -> None:
    world, lease = Simulation({}), Lease(Any, Terms("twinhull", "twinhull", "me"))  # type: ignore[arg-type]
    assert seen(world, "twinhull_workloads", lease) == {}
    assert seen(world, "leader_election_master_status", lease) == {("twinhull",): 0}
    assert seen(world, "leader_election_master_status") == {}


def test_what_the_cluster_can_do() -> None:
    world = Simulation({})
    able = {"kubevirt": 1, "machine_nodes": 1, "panic_devices": 1, "virtiofs_storage": 0, "live_updates": 0}
    assert seen(world, "twinhull_capability") == {(name,): value for name, value in able.items()}
    assert seen(world, "twinhull_runtime_class_info") == {("gvisor",): 1}


def test_each_watched_resource_has_an_age() -> None:
    world = Simulation({})
    for kind in (kinds.POD, kinds.LAUNCHER, kinds.WORKLOAD):
        world.watches.ages.begin((kind, None))
    ages = seen(world, "twinhull_watch_age_seconds")
    assert set(ages) == {("pods",), ("workloads",)}
    assert all(0 <= age < 60 for age in ages.values())


def test_policies_are_counted_with_what_they_do() -> None:
    world = Simulation({})
    spec = {"minimum": "Sandbox", "onViolation": "Raise"}
    world.server.create({"kind": "IsolationPolicy", "metadata": {"name": "floor"}, "spec": spec})
    world.settle()
    assert seen(world, "twinhull_policy_workloads") == {
        ("floor", "matched"): 1,
        ("floor", "raised"): 1,
        ("floor", "pending"): 0,
        ("floor", "rejected"): 0,
    }
    assert seen(world, "twinhull_workloads_below_floor") == {}


def test_what_runs_below_a_floor_is_counted_for_as_long_as_it_does() -> None:
    world = Simulation({"isolationPolicy": "Container"})
    world.settle()
    world.server.remove("KubeVirt", ("kubevirt", "kubevirt"))
    spec = {"minimum": "VirtualMachine", "onViolation": "Raise"}
    world.server.create({"kind": "IsolationPolicy", "metadata": {"name": "floor"}, "spec": spec})
    world.settle()
    assert seen(world, "twinhull_policy_workloads") == {
        ("floor", "matched"): 1,
        ("floor", "raised"): 0,
        ("floor", "pending"): 1,
        ("floor", "rejected"): 0,
    }
    assert seen(world, "twinhull_workloads_below_floor") == {("shop", "floor"): 1}
    world.server.patch("Workload", ("shop", "web"), {"spec": {"state": "Stopped"}})
    world.settle()
    assert seen(world, "twinhull_workloads_below_floor") == {}


def test_the_time_to_ready_is_counted_once() -> None:
    world = Simulation({})
    world.reconcile()
    world.wait(3)
    world.settle()
    assert counted(world, "twinhull_workload_ready_duration_seconds_count", hull="Pod") == 1
    assert 3 <= (counted(world, "twinhull_workload_ready_duration_seconds_sum", hull="Pod") or 0) < 10
    pod = world.hulls()[0]["metadata"]["name"]
    world.server.delete("Pod", ("shop", pod))
    world.settle()
    assert world.condition("Ready")["status"] == "True"
    assert counted(world, "twinhull_workload_ready_duration_seconds_count", hull="Pod") == 1


def test_a_replacement_by_recreate_has_a_gap() -> None:
    world = Simulation({})
    world.settle()
    world.edit({"isolationPolicy": "VirtualMachine"})
    while any(world.server.events.values()):
        world.deliver(0)
    world.reconcile()
    world.wait(7)
    world.settle()
    labels = {"strategy": "Recreate", "hull": "VirtualMachine"}
    assert counted(world, "twinhull_replacement_duration_seconds_count", **labels) == 1
    gap = counted(world, "twinhull_replacement_gap_seconds_sum", **labels) or 0
    assert gap >= 7
    assert (counted(world, "twinhull_replacement_duration_seconds_sum", **labels) or 0) >= gap


def test_it_begins_when_the_guest_of_a_machine_is_asked_to_end_its_pod() -> None:
    world = Simulation({"isolationPolicy": "VirtualMachine"}, guests=True)
    world.settle()
    world.edit({"isolationPolicy": "Container"})
    while any(world.server.events.values()):
        world.deliver(0)
    world.reconcile()
    world.wait(7)
    world.settle()
    labels = {"strategy": "Recreate", "hull": "Pod"}
    assert counted(world, "twinhull_replacement_duration_seconds_count", **labels) == 1
    assert (counted(world, "twinhull_replacement_gap_seconds_sum", **labels) or 0) >= 7


def test_a_replacement_by_start_first_has_none() -> None:
    world = Simulation({"replacement": {"strategy": "StartFirst"}})
    world.settle()
    world.edit({"isolationPolicy": "Sandbox"})
    world.settle()
    labels = {"strategy": "StartFirst", "hull": "Pod"}
    assert counted(world, "twinhull_replacement_duration_seconds_count", **labels) == 1
    assert counted(world, "twinhull_replacement_gap_seconds_sum", **labels) == 0
    assert counted(world, "twinhull_replacement_gap_seconds_bucket", le="0.0", **labels) == 1


def test_a_replacement_that_is_refused_beforehand_is_none() -> None:
    world = Simulation({})
    world.settle()
    world.switch("KubeVirt")
    world.edit({"isolationPolicy": "VirtualMachine"})
    world.wait(1000)
    world.settle()
    assert world.condition("Ready")["reason"] == "KubeVirtMissing"
    world.edit({"isolationPolicy": "Container"})
    world.settle()
    labels = {"strategy": "Recreate", "hull": "Pod"}
    assert counted(world, "twinhull_replacement_duration_seconds_count", **labels) == 0


def test_a_stop_is_no_replacement() -> None:
    world = Simulation({})
    world.settle()
    world.edit({"state": "Stopped"})
    world.settle()
    world.edit({"state": "Running"})
    world.settle()
    labels = {"strategy": "Recreate", "hull": "Pod"}
    assert counted(world, "twinhull_replacement_duration_seconds_count", **labels) == 0


def test_a_decision_is_counted_when_it_changes() -> None:
    world = Simulation({})
    world.settle()
    world.make_pass()
    decisions = world.decisions.counter
    assert decisions.labels("Container", "Requested")._value.get() == 1  # noqa: SLF001  it has no getter
    world.edit({"isolationPolicy": "Sandbox"})
    world.settle()
    assert decisions.labels("Sandbox", "Requested")._value.get() == 1  # noqa: SLF001


async def _queued() -> CollectorRegistry:
    registry = CollectorRegistry()
    queue = Queue(WorkqueueMetrics(registry))
    queue.add(KEY)
    queue.add(KEY)
    assert registry.get_sample_value("workqueue_depth", _OF_QUEUE) == 1
    await queue.get()
    queue.add(KEY)
    await asyncio.sleep(0)
    assert (registry.get_sample_value("workqueue_longest_running_processor_seconds", _OF_QUEUE) or 0) > 0
    queue.retry(KEY)
    queue.done(KEY)
    await queue.get()
    queue.done(KEY)
    queue.later(KEY, timedelta(hours=1))
    queue.close()
    return registry


_OF_QUEUE = {"name": "workload", "controller": "workload"}


def test_the_queue_is_counted_as_client_go_does() -> None:
    registry = asyncio.run(_queued())
    expected = {
        "workqueue_adds_total": 2,
        "workqueue_depth": 0,
        "workqueue_retries_total": 1,
        "workqueue_queue_duration_seconds_count": 2,
        "workqueue_work_duration_seconds_count": 2,
        "workqueue_unfinished_work_seconds": 0,
        "workqueue_longest_running_processor_seconds": 0,
    }
    assert {name: registry.get_sample_value(name, _OF_QUEUE) for name in expected} == expected


def test_the_time_before_there_are_workers_is_not_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """An operator that takes the Lease after a day doesn't tell that all Workloads waited for a day."""
    registry, now = CollectorRegistry(), 0.0
    monkeypatch.setattr("twinhull.shell.metrics.workqueue_metrics.time.monotonic", lambda: now)
    queue = Queue(WorkqueueMetrics(registry))
    queue.add(KEY)
    now = 86_400.0
    queue.open()
    now += 2
    asyncio.run(queue.get())
    assert registry.get_sample_value("workqueue_queue_duration_seconds_sum", _OF_QUEUE) == 2


def test_a_write_is_counted_with_what_came_of_it() -> None:
    registry = CollectorRegistry()
    requests = RequestMetrics(registry)
    with requests.writing("create", "pods"):
        pass
    with pytest.raises(Conflict), requests.writing("delete", "pods"):
        raise Conflict("its uid is another")
    labels = {"verb": "delete", "resource": "pods", "result": "Conflict"}
    assert registry.get_sample_value("twinhull_writes_total", labels) == 1
    labels = {"verb": "create", "resource": "pods", "result": "ok"}
    assert registry.get_sample_value("twinhull_writes_total", labels) == 1


def test_passes_are_counted_by_their_result_from_the_start_on() -> None:
    metrics = Metrics()
    name = "controller_runtime_reconcile_total"
    results = ("success", "requeue_after", "requeue", "error")
    metrics.passes.ended("error", 0.2)
    values = {
        result: metrics.registry.get_sample_value(name, {"controller": "workload", "result": result})
        for result in results
    }
    assert values == {"success": 0, "requeue_after": 0, "requeue": 0, "error": 1}


def test_no_label_is_one_that_prometheus_sets_to_what_it_scrapes() -> None:
    """It would keep its own, and ours would be called exported_namespace (prometheus.io, honor_labels)."""
    own = {"job", "instance", "namespace", "pod", "container", "endpoint", "service", "node"}
    assert {metric.name: set(metric.labels) & own for metric in CATALOGUE if set(metric.labels) & own} == {}
