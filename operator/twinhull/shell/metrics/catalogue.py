"""The catalogue: each metric's name, labels and help. docs/metrics.md is made from it.

A help says the unit, what is counted, and what isn't.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.metrics_core import GaugeMetricFamily


@dataclass(frozen=True, slots=True)
class Definition:
    """The definition of a metric."""

    #: The name as Prometheus stores it. A histogram's series have _bucket, _sum and _count appended.
    name: str
    type: Literal["counter", "gauge", "histogram"]
    labels: tuple[str, ...]
    #: A sentence for people: the unit, what is counted, and what isn't.
    help: str
    #: The upper bounds of a histogram's buckets, in seconds.
    buckets: tuple[float, ...] = ()

    def counter(self, registry: CollectorRegistry) -> Counter:
        """The metric as a counter in a registry."""
        return Counter(self.name, self.help, self.labels, registry=registry)

    def gauge(self, registry: CollectorRegistry) -> Gauge:
        """The metric as a gauge in a registry."""
        return Gauge(self.name, self.help, self.labels, registry=registry)

    def histogram(self, registry: CollectorRegistry) -> Histogram:
        """The metric as a histogram in a registry."""
        return Histogram(self.name, self.help, self.labels, registry=registry, buckets=self.buckets)

    def family(self) -> GaugeMetricFamily:
        """A gauge whose values are computed at each scrape."""
        return GaugeMetricFamily(self.name, self.help, labels=self.labels)


#: From 10 µs to 1,000 s by decades, as in client-go's workqueue, which has smaller ones as well.
_DECADES = (1e-5, 1e-4, 1e-3, 1e-2, 0.1, 1.0, 10.0, 100.0, 1000.0)
#: The buckets of controller-runtime (sigs.k8s.io/controller-runtime, pkg/internal/controller/metrics).
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
    "Passes over a Workload, by result: success, requeue_after (the next pass is scheduled), requeue "
    "(somebody else wrote the Workload during the pass, or a write has to wait for others of its kind) or "
    "error.",
)
RECONCILE_ERRORS = Definition(
    "controller_runtime_reconcile_errors_total",
    "counter",
    _CONTROLLER,
    "Passes that failed. They are retried.",
)
RECONCILE_SECONDS = Definition(
    "controller_runtime_reconcile_time_seconds",
    "histogram",
    _CONTROLLER,
    "Seconds that a pass took, including the time that the API server took to answer.",
    _RECONCILE,
)
ACTIVE_WORKERS = Definition(
    "controller_runtime_active_workers", "gauge", _CONTROLLER, "Workers that are working on a Workload now."
)
MAX_WORKERS = Definition(
    "controller_runtime_max_concurrent_reconciles",
    "gauge",
    _CONTROLLER,
    "Workers of this operator, as set by --workers.",
)

DEPTH = Definition("workqueue_depth", "gauge", _QUEUE, "Workloads that wait for a worker.")
ADDS = Definition(
    "workqueue_adds_total",
    "counter",
    _QUEUE,
    "Workloads put into the queue. A Workload that is in the queue already is not counted again.",
)
QUEUE_SECONDS = Definition(
    "workqueue_queue_duration_seconds",
    "histogram",
    _QUEUE,
    "Seconds that a Workload waited in the queue for a worker.",
    _DECADES,
)
WORK_SECONDS = Definition(
    "workqueue_work_duration_seconds",
    "histogram",
    _QUEUE,
    "Seconds that a worker worked on a Workload.",
    _DECADES,
)
RETRIES = Definition(
    "workqueue_retries_total",
    "counter",
    _QUEUE,
    "Workloads put into the queue again because a pass failed, or because somebody else wrote the Workload "
    "during the pass. Scheduled passes are not counted, unlike in client-go.",
)
UNFINISHED_SECONDS = Definition(
    "workqueue_unfinished_work_seconds",
    "gauge",
    _QUEUE,
    "Sum of the seconds that the workers have spent on their present Workloads. If it keeps growing, a "
    "worker is stuck.",
)
LONGEST_SECONDS = Definition(
    "workqueue_longest_running_processor_seconds",
    "gauge",
    _QUEUE,
    "The longest time, in seconds, that a worker has spent on its present Workload.",
)

REQUESTS = Definition(
    "rest_client_requests_total",
    "counter",
    ("code", "method", "host"),
    "Requests to the API server, by status code. The code is <error> if no answer came. A watch is counted "
    "when it begins.",
)
LEADER = Definition(
    "leader_election_master_status",
    "gauge",
    ("name",),
    "1 on the leader, 0 on a standby. Only with --leader-elect.",
)

WORKLOADS = Definition(
    "twinhull_workloads",
    "gauge",
    ("workload_namespace", "isolation", "hull", "ready", "stalled", "reason"),
    "Workloads, by what their status says. `reason` is the reason of the Ready condition if docs/metrics.md "
    "lists it, else Other. Only the leader exports it.",
)
UNREADY_SECONDS = Definition(
    "twinhull_workloads_longest_unready_seconds",
    "gauge",
    ("workload_namespace",),
    "Seconds since the longest-unready Workload of the namespace was last Ready. Completed and failed "
    "Workloads are not counted.",
)
READY_SECONDS = Definition(
    "twinhull_workload_ready_duration_seconds",
    "histogram",
    ("hull",),
    "Seconds from a Workload's creation until it was Ready for the first time. The creation time is known to "
    "the second.",
    _STARTS,
)
REPLACEMENT_SECONDS = Definition(
    "twinhull_replacement_duration_seconds",
    "histogram",
    ("strategy", "hull"),
    "Seconds from the first step of a replacement until the new hull was Ready and the old one was gone.",
    _STARTS,
)
REPLACEMENT_GAP = Definition(
    "twinhull_replacement_gap_seconds",
    "histogram",
    ("strategy", "hull"),
    "Seconds of a replacement during which no hull of the Workload was Ready.",
    _GAPS,
)
WRITES = Definition(
    "twinhull_writes_total",
    "counter",
    ("verb", "resource", "result"),
    "Writes to the API server, by verb (create, dry-run, patch, delete), resource and result: ok, or the "
    "reason of the failure.",
)
DECISIONS = Definition(
    "twinhull_isolation_decisions_total",
    "counter",
    ("isolation", "reason"),
    "Decisions about a Workload's isolation that differ from the last decision about it. After a start of "
    "the operator, the first decision about each Workload counts.",
)
POLICY_WORKLOADS = Definition(
    "twinhull_policy_workloads",
    "gauge",
    ("policy", "part"),
    "Workloads of an IsolationPolicy, by part: matched, raised, rejected or pending. A pending Workload runs "
    "below the policy's minimum; it is not counted as raised. Only the leader exports it.",
)
BELOW_FLOOR = Definition(
    "twinhull_workloads_below_floor",
    "gauge",
    ("workload_namespace", "policy"),
    "Workloads that run with a weaker isolation than an IsolationPolicy requires, for any cause. A namespace "
    "without such a Workload has no series. Only the leader exports it.",
)
WATCH_AGE = Definition(
    "twinhull_watch_age_seconds",
    "gauge",
    ("resource",),
    "Seconds for which the operator may have missed changes of the resource: since its quietest watch last "
    "brought an event or a bookmark, which the API server sends about every minute. A watch that has missed "
    "changes ages until the next list. Resources that aren't served, and namespaces that "
    "twinhull_unserved_namespaces names, are not counted.",
)
UNSERVED = Definition(
    "twinhull_unserved_namespaces",
    "gauge",
    ("workload_namespace",),
    "1 for a namespace of watchNamespaces that the operator may not list, so that it does nothing there. A "
    "namespace that is served has no series.",
)
UNREADABLE = Definition(
    "twinhull_unreadable_objects",
    "gauge",
    ("resource",),
    "Objects that the operator doesn't read because they nest too deep, have too many values, or exceed the "
    "memory of their namespace. The log names each of them. The status of the Workload concerned says so, "
    "too.",
)
OVER_ROOM = Definition(
    "twinhull_objects_over_room",
    "gauge",
    ("workload_namespace", "resource"),
    "Objects of which the operator keeps only the identity, because the objects of their namespace use all "
    "the memory that one namespace may use. twinhull_unreadable_objects counts them too. A namespace without "
    "such objects has no series.",
)
CAPABILITY = Definition(
    "twinhull_capability",
    "gauge",
    ("capability",),
    "1 if the cluster has the capability, else 0: kubevirt (deployed), machine_nodes, panic_devices, "
    "virtiofs_storage, live_updates.",
)
RUNTIME_CLASS = Definition(
    "twinhull_runtime_class_info", "gauge", ("runtime_class",), "1 for each RuntimeClass of the cluster."
)
BUILD = Definition(
    "twinhull_build_info",
    "gauge",
    ("version", "python_version"),
    "Always 1. The labels say which version of the operator runs, and on which Python.",
)

#: Metrics of the process, which the library exports (prometheus_client.ProcessCollector).
_PROCESS = (
    Definition("process_virtual_memory_bytes", "gauge", (), "Virtual memory of the process, in bytes."),
    Definition("process_resident_memory_bytes", "gauge", (), "Resident memory of the process, in bytes."),
    Definition("process_start_time_seconds", "gauge", (), "Start of the process, in Unix time."),
    Definition("process_cpu_seconds_total", "counter", (), "CPU time that the process used, in seconds."),
    Definition("process_open_fds", "gauge", (), "Open file descriptors, sockets included."),
    Definition("process_max_fds", "gauge", (), "The most file descriptors that the process may open."),
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
    UNSERVED,
    UNREADABLE,
    OVER_ROOM,
    CAPABILITY,
    RUNTIME_CLASS,
    BUILD,
    *_PROCESS,
)
