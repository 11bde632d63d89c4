"""The control loop: puts together everything that observes the cluster and acts on it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from twinhull.core.access import AccessCase
from twinhull.shell import kinds, memory_limit
from twinhull.shell.access_controller import AccessController
from twinhull.shell.change_handler import ChangeHandler
from twinhull.shell.cluster import Cluster
from twinhull.shell.decisions import Decisions
from twinhull.shell.event_recorder import EventRecorder
from twinhull.shell.executor import Executor
from twinhull.shell.guest_poller import GuestPoller
from twinhull.shell.lease import Lease
from twinhull.shell.listing import Listing
from twinhull.shell.loopturns import LoopTurns
from twinhull.shell.metrics import Metrics
from twinhull.shell.metrics.state_collector import StateCollector
from twinhull.shell.observe import Knowledge
from twinhull.shell.policies import Policies
from twinhull.shell.policy_controller import (
    LONGEST_RETRY,
    ObservedPolicy,
    PolicyController,
    PolicyStatusTimer,
)
from twinhull.shell.prerequisites_log import log_missing_prerequisites
from twinhull.shell.queue import Queue
from twinhull.shell.reconciler import Reconciler
from twinhull.shell.reconnect_delays import reconnect_delays
from twinhull.shell.refusals import Refusals
from twinhull.shell.settings import Settings
from twinhull.shell.status_writer import StatusWriter
from twinhull.shell.store import Store
from twinhull.shell.tasks import Tasks
from twinhull.shell.watch_streams import WatchStreams
from twinhull.shell.workload_controller import Observed, WorkloadController
from twinhull.shell.workload_memory import WorkloadMemories

#: For how many seconds the start waits for the first reports of guests.
_FIRST_ASKING = 3.0
#: The objects of one namespace, of all kinds together, may use one in so many parts of the memory: a quarter.
_NAMESPACES_SHARE = 4


class ControlLoop:
    """Watches, store, queues and reconcilers. `cluster` is for reads and writes, `watching` for watches.

    `may_write` tells whether this process may act now.
    """

    def __init__(
        self,
        settings: Settings,
        cluster: Cluster,
        watching: Cluster,
        metrics: Metrics,
        may_write: Callable[[], bool],
    ) -> None:
        self._settings = settings
        self._cluster = cluster
        self._metrics = metrics
        self._store = Store(memory_limit.allowed() // _NAMESPACES_SHARE)
        self._queue = Queue(metrics.workqueue, settings.workers, is_open=False)
        self._policy_queue = Queue(workers=1, longest_retry=LONGEST_RETRY)
        self._decisions = Decisions(metrics.decisions)
        self._memories = WorkloadMemories()
        policies = Policies(self._store)
        secret = settings.defaults.guest_secret
        self._guests = GuestPoller(self._store, self._queue, secret, cluster, may_write) if secret else None
        self._access_queue = Queue(workers=1, is_open=False)
        reports = self._guests.reports if self._guests else {}
        self._access = AccessController(self._store, self._access_queue, reports, secret or b"", _now)
        self._turns = LoopTurns()
        #: Posts Events.
        self.events = EventRecorder(cluster, is_busy=lambda: bool(len(self._queue)))
        self._changes = ChangeHandler(
            self._store,
            self._queue,
            policies,
            self._decisions,
            self._memories,
            settings.scope,
            {kinds.ACCESS_REQUEST: self._access_queue.add},
        )
        self._workloads = self._reconciler_of_workloads(policies)
        self._policies = self._reconciler_of_policies()
        self._policy_timer = PolicyStatusTimer(self._store, self._decisions, self._policy_queue)
        self._streams = WatchStreams(watching, self._changes, settings.scope, reconnect_delays)
        self._listing = Listing(cluster, self._changes, self._queue, settings.relist_every)
        metrics.passes.workers(settings.workers)

    def state_collector(self, lease: Lease | None) -> StateCollector:
        """The collector of the metrics that tell of the cluster's state."""
        scope = self._settings.scope
        ages, refused = self._changes.ages, self._listing.refused
        return StateCollector(self._store, self._decisions, ages, refused, lease, _now, scope)

    async def know(self) -> None:
        """List everything, before anything is decided. The watches then go on from a version before these
        lists.
        """
        await self._streams.begin()
        await self._listing.list_until_done()

    async def follow(self, tasks: Tasks) -> None:
        """Follow changes, and ask the guests for their status. Nothing is written."""
        tasks.spawn(self._changes.walk.run())
        tasks.spawn(self._listing.run())
        tasks.spawn(self._streams.run())
        if self._guests:
            tasks.spawn(self._guests.run())
            await self._guests.settle(_FIRST_ASKING)

    async def catch_up(self) -> None:
        """List what the former leader has written, and what it decided by, however late the watches are.
        Anything else that is late costs only a refusal, or some time.
        """
        await self._listing.catch_up()

    def work(self, tasks: Tasks) -> None:
        """Start to reconcile all known objects, and then those that the queues are asked for."""
        left_disks = self._store.labelled_workloads(kinds.DATA_VOLUME)  # of Workloads that may be gone
        self._queue.open((*self._store.keys(kinds.WORKLOAD), *left_disks))
        self._access_queue.open(self._store.keys(kinds.ACCESS_REQUEST))
        tasks.spawn(self._policy_timer.run())
        tasks.spawn(self._policies.work())
        tasks.spawn(self._reconciler_of_access().work())
        for _worker in range(self._settings.workers):
            tasks.spawn(self._workloads.work())

    def close(self) -> None:
        """Cancel the timers that would ask for more work."""
        self._queue.close()
        self._policy_queue.close()
        self._access_queue.close()

    def log_missing_prerequisites(self) -> None:
        """Log which isolations wait for prerequisites that the cluster lacks."""
        log_missing_prerequisites(self._store, self._settings.scope)

    def _reconciler_of_workloads(self, policies: Policies) -> Reconciler[Observed]:
        refusals, settings = Refusals(), self._settings
        known = Knowledge(
            self._store,
            policies,
            refusals,
            self._guests.reports if self._guests else {},
            settings.scope,
            self._guests is not None,
            self._memories,
        )
        wake, hull_created = self._queue.add, self._memories.record_created_hull
        return Reconciler(
            WorkloadController(
                known, settings.defaults, self._decisions, self._metrics.lifetimes, _now, self._access.wake
            ),
            self._store,
            self._queue,
            Executor(
                self._cluster,
                self._store,
                refusals,
                wake,
                settings.workers,
                _now,
                hull_created,
                self._changes.ask_others,
            ),
            StatusWriter(kinds.WORKLOAD, self._cluster, self._store),
            self.events,
            self._metrics.passes,
            self._turns,
        )

    def _reconciler_of_access(self) -> Reconciler[AccessCase]:
        return Reconciler(
            self._access,
            self._store,
            self._access_queue,
            Executor(self._cluster, self._store, Refusals(), self._access_queue.add, 1),
            StatusWriter(kinds.ACCESS_REQUEST, self._cluster, self._store),
            self.events,
            turns=self._turns,
        )

    def _reconciler_of_policies(self) -> Reconciler[ObservedPolicy]:
        return Reconciler(
            PolicyController(self._store, self._decisions, _now),
            self._store,
            self._policy_queue,
            Executor(self._cluster, self._store, Refusals(), self._policy_queue.add, 1),
            StatusWriter(kinds.ISOLATION_POLICY, self._cluster, self._store),
            self.events,
            turns=self._turns,
        )


def _now() -> datetime:
    return datetime.now(UTC)
