"""The catalogue: every metric by its name, its labels and what it says. docs/metrics.md is made from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.metrics_core import GaugeMetricFamily


@dataclass(frozen=True, slots=True)
class Definition:
    """A metric. `name` is as Prometheus stores it; a histogram's has _bucket, _sum and _count behind it."""

    name: str
    type: Literal["counter", "gauge", "histogram"]
    labels: tuple[str, ...]
    help: str
    buckets: tuple[float, ...] = ()

    def counter(self, registry: CollectorRegistry) -> Counter:
        return Counter(self.name, self.help, self.labels, registry=registry)

    def gauge(self, registry: CollectorRegistry) -> Gauge:
        return Gauge(self.name, self.help, self.labels, registry=registry)

    def histogram(self, registry: CollectorRegistry) -> Histogram:
        return Histogram(self.name, self.help, self.labels, registry=registry, buckets=self.buckets)

    def family(self) -> GaugeMetricFamily:
        """A gauge that is put together when somebody asks."""
        return GaugeMetricFamily(self.name, self.help, labels=self.labels)


#: From 10 µs to 1,000 s by decades, as client-go's workqueue has them, less those that Python never sees.
_DECADES = (1e-5, 1e-4, 1e-3, 1e-2, 0.1, 1.0, 10.0, 100.0, 1000.0)
#: controller-runtime's (sigs.k8s.io/controller-runtime, pkg/internal/controller/metrics).
_RECONCILE = (
    *(0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0),
    *(1.25, 1.5, 1.75, 2.0, 2.5, 3.0, 3.5, 4.0, 4.5, 5, 6, 7, 8, 9, 10, 15, 20, 25, 30, 40, 50, 60),
)
#: From a Pod that starts at once to a machine that boots slowly.
_STARTS = (1.0, 2.0, 3.0, 5.0, 8.0, 13.0, 20.0, 30.0, 45.0, 60.0, 90.0, 120.0, 180.0, 300.0, 600.0, 1800.0)
_GAPS = (0.0, 0.1, 0.5, *_STARTS)

_CONTROLLER = ("controller",)
_QUEUE = ("name", "controller")

RECONCILES = Definition(
    "controller_runtime_reconcile_total",
    "counter",
    ("controller", "result"),
    "Passes over a Workload, by how they ended: success, requeue_after (it is looked at again without being "
    "asked for), requeue (somebody else wrote the Workload meanwhile) or error.",
)
RECONCILE_ERRORS = Definition(
    "controller_runtime_reconcile_errors_total",
    "counter",
    _CONTROLLER,
    "Passes that failed; they are retried.",
)
RECONCILE_SECONDS = Definition(
    "controller_runtime_reconcile_time_seconds",
    "histogram",
    _CONTROLLER,
    "How long a pass took, the API server's answers included.",
    _RECONCILE,
)
ACTIVE_WORKERS = Definition(
    "controller_runtime_active_workers", "gauge", _CONTROLLER, "Workers with a Workload at hand."
)
MAX_WORKERS = Definition(
    "controller_runtime_max_concurrent_reconciles",
    "gauge",
    _CONTROLLER,
    "Workers that there are (--workers).",
)

DEPTH = Definition("workqueue_depth", "gauge", _QUEUE, "Workloads that wait for a worker.")
ADDS = Definition(
    "workqueue_adds_total", "counter", _QUEUE, "Workloads asked for, each once until a worker takes it."
)
QUEUE_SECONDS = Definition(
    "workqueue_queue_duration_seconds",
    "histogram",
    _QUEUE,
    "How long a Workload waited for a worker.",
    _DECADES,
)
WORK_SECONDS = Definition(
    "workqueue_work_duration_seconds", "histogram", _QUEUE, "How long a worker had a Workload.", _DECADES
)
RETRIES = Definition(
    "workqueue_retries_total",
    "counter",
    _QUEUE,
    "Workloads asked for again after a pass that failed or came too late. What is looked at again by plan "
    "isn't counted, unlike in client-go.",
)
UNFINISHED_SECONDS = Definition(
    "workqueue_unfinished_work_seconds",
    "gauge",
    _QUEUE,
    "How long the workers have had what they are at, all together. What grows and grows is stuck.",
)
LONGEST_SECONDS = Definition(
    "workqueue_longest_running_processor_seconds",
    "gauge",
    _QUEUE,
    "How long the worker that has been at it longest has had its Workload.",
)

REQUESTS = Definition(
    "rest_client_requests_total",
    "counter",
    ("code", "method", "host"),
    "Requests to the API server by status code, or <error> where none came. A watch counts when it begins.",
)
LEADER = Definition(
    "leader_election_master_status",
    "gauge",
    ("name",),
    "1 for the operator that acts, 0 for one that waits; only with --leader-elect.",
)

WORKLOADS = Definition(
    "twinhull_workloads",
    "gauge",
    ("workload_namespace", "isolation", "hull", "ready", "stalled", "reason"),
    "Workloads, by what their status says; told by the operator that acts. `reason` is the Ready condition's "
    "if it is a well-known one, else Other.",
)
UNREADY_SECONDS = Definition(
    "twinhull_workloads_longest_unready_seconds",
    "gauge",
    ("workload_namespace",),
    "How long the one of a namespace's Workloads has been unready that has been so longest. What ran to its "
    "end, well or not, is neither.",
)
READY_SECONDS = Definition(
    "twinhull_workload_ready_duration_seconds",
    "histogram",
    ("hull",),
    "From a Workload's creation, which is known to the second, to its being Ready for the first time.",
    _STARTS,
)
REPLACEMENT_SECONDS = Definition(
    "twinhull_replacement_duration_seconds",
    "histogram",
    ("strategy", "hull"),
    "From the first step of replacing a hull to the new one being ready and the old one gone.",
    _STARTS,
)
REPLACEMENT_GAP = Definition(
    "twinhull_replacement_gap_seconds",
    "histogram",
    ("strategy", "hull"),
    "How much of a replacement there was no ready hull.",
    _GAPS,
)
WRITES = Definition(
    "twinhull_writes_total",
    "counter",
    ("verb", "resource", "result"),
    "Writes by verb (create, dry-run, patch, delete), resource and what came of them: ok, or why not.",
)
DECISIONS = Definition(
    "twinhull_isolation_decisions_total",
    "counter",
    ("isolation", "reason"),
    "Decisions on where a Workload runs, other than the one before. After a start each is.",
)
POLICY_WORKLOADS = Definition(
    "twinhull_policy_workloads",
    "gauge",
    ("policy", "part"),
    "Workloads that an IsolationPolicy has matched, raised or rejected, and those that are pending: they run "
    "below its minimum, and aren't counted as raised. Told by the operator that acts.",
)
BELOW_FLOOR = Definition(
    "twinhull_workloads_below_floor",
    "gauge",
    ("workload_namespace", "policy"),
    "Workloads that run isolated less than an IsolationPolicy requires, whatever keeps them there; a "
    "namespace without any has no series. Told by the operator that acts.",
)
WATCH_AGE = Definition(
    "twinhull_watch_age_seconds",
    "gauge",
    ("resource",),
    "How long ago the last event, bookmark or list of a kind was taken in. The API server sends a bookmark "
    "every minute.",
)
UNREADABLE = Definition(
    "twinhull_unreadable_objects",
    "gauge",
    ("resource",),
    "Objects that the operator doesn't read, since they nest too deep, have too many values, or take more "
    "memory than is theirs. The log names each, and the Workload that it is or belongs to says so.",
)
OVER_ROOM = Definition(
    "twinhull_objects_over_room",
    "gauge",
    ("namespace", "resource"),
    "Objects of which only the identity is held, since their namespace's objects take all the memory that "
    "one namespace may take. They are counted as unreadable, too. Namespaces without such aren't listed.",
)
CAPABILITY = Definition(
    "twinhull_capability",
    "gauge",
    ("capability",),
    "1 for what the cluster can do: kubevirt (deployed), machine_nodes, panic_devices, virtiofs_storage, "
    "live_updates.",
)
RUNTIME_CLASS = Definition(
    "twinhull_runtime_class_info", "gauge", ("runtime_class",), "1 for each RuntimeClass that there is."
)
BUILD = Definition("twinhull_build_info", "gauge", ("version", "python_version"), "Always 1: what runs.")

#: Of the process, by the library (prometheus_client.ProcessCollector).
_PROCESS = (
    Definition("process_virtual_memory_bytes", "gauge", (), "Virtual memory."),
    Definition("process_resident_memory_bytes", "gauge", (), "Memory in use."),
    Definition("process_start_time_seconds", "gauge", (), "When it was started, in Unix time."),
    Definition("process_cpu_seconds_total", "counter", (), "Processor time used."),
    Definition("process_open_fds", "gauge", (), "Open files and sockets."),
    Definition("process_max_fds", "gauge", (), "How many of those there may be."),
)

CATALOGUE: tuple[Definition, ...] = (
    RECONCILES,
    RECONCILE_ERRORS,
    RECONCILE_SECONDS,
    ACTIVE_WORKERS,
    MAX_WORKERS,
    DEPTH,
    ADDS,
    QUEUE_SECONDS,
    WORK_SECONDS,
    RETRIES,
    UNFINISHED_SECONDS,
    LONGEST_SECONDS,
    REQUESTS,
    LEADER,
    WORKLOADS,
    UNREADY_SECONDS,
    READY_SECONDS,
    REPLACEMENT_SECONDS,
    REPLACEMENT_GAP,
    WRITES,
    DECISIONS,
    POLICY_WORKLOADS,
    BELOW_FLOOR,
    WATCH_AGE,
    UNREADABLE,
    OVER_ROOM,
    CAPABILITY,
    RUNTIME_CLASS,
    BUILD,
    *_PROCESS,
)
