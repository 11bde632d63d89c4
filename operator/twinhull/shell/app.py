"""The application: everything that runs, put together at start-up and taken apart at clean-up."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Coroutine
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial

import twinhull
from twinhull.core.defaults import OperatorDefaults
from twinhull.shell import health, kinds, memory
from twinhull.shell.cluster import Cluster
from twinhull.shell.connection import Connection
from twinhull.shell.errors import ApiError
from twinhull.shell.events import Events
from twinhull.shell.executor import Executor
from twinhull.shell.guests import Guests
from twinhull.shell.lease import Lease, Terms
from twinhull.shell.loopthread import LoopThread
from twinhull.shell.loopturns import LoopTurns
from twinhull.shell.metrics import Metrics, Page
from twinhull.shell.metrics.snapshot import Snapshot
from twinhull.shell.metrics.survey import Survey
from twinhull.shell.observe import Knowledge, capabilities
from twinhull.shell.policies import Policies
from twinhull.shell.policy_controller import PolicyController, PolicyStatusTimer
from twinhull.shell.process import runner
from twinhull.shell.process.credentials import login
from twinhull.shell.pulse import Pulse
from twinhull.shell.queue import Queue
from twinhull.shell.reconciler import Reconciler
from twinhull.shell.refusals import Refusals
from twinhull.shell.retry_delays import retry_delays
from twinhull.shell.rulings import Rulings
from twinhull.shell.scope import Scope
from twinhull.shell.server import Server
from twinhull.shell.status_writer import StatusWriter
from twinhull.shell.store import Store
from twinhull.shell.streams import Streams
from twinhull.shell.watches import Watches
from twinhull.shell.workload_controller import WorkloadController

logger = logging.getLogger(__name__)

#: How long guests may take at start-up to say how they are, in seconds.
_FIRST_ASKING = 3.0
#: Which share of the memory one namespace's objects may take, of all kinds together: a quarter.
_NAMESPACES_SHARE = 4
#: How long watches that start over may take to say all that there is, in seconds.
_SETTLING = 2.0


@dataclass(frozen=True, slots=True)
class Settings:
    """How the process runs. `relist_every` is how often, in seconds, everything is listed anew: a watch
    that broke for long doesn't say what was deleted meanwhile. Without `lease` it is the only operator, and
    without `metrics` none are served.
    """

    defaults: OperatorDefaults
    health_host: str = "127.0.0.1"
    health_port: int = 8081
    workers: int = 16
    relist_every: float = 600.0
    shutdown_timeout: float = 10.0
    lease: Terms | None = None
    scope: Scope = field(default_factory=Scope)
    metrics: tuple[str, int] | None = None


class Application:
    """One operator process, run by kopf: log-in, start-up, clean-up, signals.

    The Lease and the servers have threads of their own, and the Lease a connection: they go on while a pass,
    or an event, holds the work's event loop.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._connection, self._lease_connection = Connection(login), Connection(login)
        self._threads = self._lease_thread, self._server_thread = LoopThread("lease"), LoopThread("servers")
        metrics, self._pulse = Metrics(), Pulse()
        unfenced = Cluster(self._lease_connection, metrics=metrics.requests)
        stuck = partial(getattr, self._pulse, "is_stuck")
        self._lease = Lease(unfenced, settings.lease, stuck) if settings.lease else None
        self._cluster = Cluster(self._connection, self._may_write, settings.scope, metrics.requests)
        self._store = Store(memory.allowed() // _NAMESPACES_SHARE)
        self._queue = Queue(metrics.workqueue, settings.workers)
        self._events = Events(self._cluster)
        refusals, policies, rulings = Refusals(), Policies(self._store), Rulings(metrics.decisions)
        secret = settings.defaults.guest_secret
        self._guests = (
            Guests(self._store, self._queue, secret, self._cluster, self._may_write) if secret else None
        )
        asks = self._guests is not None
        reports = self._guests.reports if self._guests else {}
        known = Knowledge(
            self._store,
            policies,
            refusals,
            reports,
            settings.scope,
            asks,
            rulings.pending_since,
            rulings.remembered,
        )

        turns = LoopTurns()
        self._workloads = Reconciler(
            WorkloadController(known, settings.defaults, rulings, metrics.lifetimes),
            self._store,
            self._queue,
            Executor(
                self._cluster, self._store, refusals, self._queue.add, settings.workers, _now, rulings.made
            ),
            StatusWriter(kinds.WORKLOAD, self._cluster, self._store),
            self._events,
            metrics.passes,
            turns,
        )
        self._policy_queue = Queue(workers=1)
        self._policies = Reconciler(
            PolicyController(self._store, rulings, _now),
            self._store,
            self._policy_queue,
            Executor(self._cluster, self._store, Refusals(), self._policy_queue.add, 1),
            StatusWriter(kinds.ISOLATION_POLICY, self._cluster, self._store),
            self._events,
            turns=turns,
        )
        self._policy_timer = PolicyStatusTimer(self._store, rulings, self._policy_queue)
        self._watches = Watches(self._store, self._queue, policies, rulings, settings.scope)
        self._watching = Connection(login, pool_size=0)
        watching = Cluster(self._watching, scope=settings.scope, metrics=metrics.requests)
        self._streams = Streams(watching, self._watches, settings.scope, retry_delays)
        survey = Survey(self._store, rulings, self._watches.heard, self._lease, _now, settings.scope)
        self._snapshot = Snapshot(survey)
        metrics.registry.register(self._snapshot)
        metrics.passes.workers(settings.workers)
        probes = health.pages(lambda: self._listed, stuck)
        self._servers = [Server("health", settings.health_host, settings.health_port, probes)]
        if settings.metrics:
            page = Page(metrics.registry, self._survey)
            self._servers.append(Server("metrics", *settings.metrics, {"/metrics": page}))
        self._listed = False
        self._tasks: list[asyncio.Task[None]] = []
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ended = asyncio.Event()
        self._failure: BaseException | None = None

    def _may_write(self) -> bool:
        return self._lease is None or self._lease.is_held()

    async def _survey(self) -> None:
        """Have a survey taken in the work's loop, and wait for it in another."""
        assert self._loop is not None, "it runs"  # noqa: S101
        await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(self._snapshot.take(), self._loop))

    async def run(self) -> None:
        """Run until SIGTERM or SIGINT.

        Raises LoginError without credentials, CannotServe when health or metrics can't be served where
        they are to be, LeaseLost when another operator may have taken over, and whatever a part of it raised.
        """
        logger.info("twinhull %s starts", twinhull.__version__)
        await self._connection.open()
        self._loop = asyncio.get_running_loop()
        for thread in self._threads:
            thread.start()
        pulse = asyncio.gather(self._pulse.beat(), self._server_thread.run(self._pulse.watch()))
        try:
            for server in self._servers:
                where = await self._server_thread.run(server.start())
                logger.info("%s is served at %s", server.what, where)
            await runner.run(self._start, self._stop, self._ended, self._settings.shutdown_timeout)
        finally:
            pulse.cancel()
            await self._close()
        if self._failure is not None:
            raise self._failure

    async def _start(self) -> None:
        """Know everything before deciding anything: list first, then work. Watches go on from before that."""
        await self._streams.begin()
        await self._list_until_done()
        self._listed = True
        self._spawn(self._events.run())
        self._spawn(self._watches.referrers.run())
        self._spawn(self._relist())
        self._spawn(self._streams.run())
        if self._guests:
            self._spawn(self._guests.run())
            await self._guests.settle(_FIRST_ASKING)
        if self._lease is None:
            self._work()
        else:
            self._spawn(self._lead(self._lease))
        self._say_what_is_missing()

    async def _lead(self, lease: Lease) -> None:
        """Wait for the Lease, then work for as long as it is held."""
        loop, held = asyncio.get_running_loop(), asyncio.Event()
        self._spawn(self._lease_thread.run(lease.hold(partial(loop.call_soon_threadsafe, held.set))))
        await held.wait()
        self._work()

    def _work(self) -> None:
        self._queue.open()
        self._spawn(self._policy_timer.run())
        self._spawn(self._policies.work())
        for _worker in range(self._settings.workers):
            self._spawn(self._workloads.work())

    async def _stop(self) -> None:
        """Take no more work, post what was told, close. A pass cut short is done again at the next start."""
        self._listed = False
        self._ended.set()  # kopf waits for who waits for it
        self._queue.close()
        self._policy_queue.close()
        for task in self._tasks[1:]:
            task.cancel()
        await asyncio.gather(*self._tasks[1:], return_exceptions=True)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._events.drain(), self._settings.shutdown_timeout)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._lease:
            await self._lease_thread.run(self._lease.release())
        await self._close()
        logger.info("twinhull stopped")

    async def _close(self) -> None:
        """Close what is open, be it for the second time: kopf doesn't clean up what failed to start."""
        if self._server_thread.is_running:
            for server in self._servers:
                await self._server_thread.run(server.stop())
        if self._lease_thread.is_running:
            await self._lease_thread.run(self._lease_connection.close())
        for thread in self._threads:
            await thread.stop()
        await self._connection.close()
        await self._watching.close()

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        task.add_done_callback(self._look_after)
        self._tasks.append(task)

    def _look_after(self, task: asyncio.Task[None]) -> None:
        """The process ends with the first of its tasks that fails: whoever runs it starts it anew, whole."""
        failure = None if task.cancelled() else task.exception()
        if failure is not None and not self._ended.is_set():
            self._failure = failure
            self._ended.set()

    async def _list_until_done(self) -> None:
        """List everything, however often that fails: what was missed meanwhile is known after that only."""
        for delay in retry_delays():
            try:
                await self._list_all()
            except ApiError as error:
                logger.warning("the cluster can't be listed: %s; again in %.0f s", error, delay)
                await asyncio.sleep(delay)
            else:
                return

    async def _relist(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._watches.started_over.wait(), self._settings.relist_every)
                await asyncio.sleep(_SETTLING)
            self._watches.started_over.clear()
            await self._list_until_done()

    async def _list_all(self) -> None:
        await self._ask_version()
        for kind in kinds.WATCHED:
            present: set[str] = set()
            take = partial(self._watches.take_part, kind, present)
            self._watches.take_rest(kind, present, await self._cluster.read_all(kind, take))

    async def _ask_version(self) -> None:
        """Ask the API server for its version, which an upgrade changes. Without one all goes on."""
        try:
            self._watches.take_version(await self._cluster.version())
        except ApiError as error:
            logger.debug("the API server doesn't tell its version: %s", error)

    def _say_what_is_missing(self) -> None:
        able, scope = capabilities(self._store, self._settings.scope), self._settings.scope
        if scope.hidden:
            logger.info("only %s: IsolationPolicies are not seen", ", ".join(scope.namespaces))
        if not scope.machines:
            logger.info("without KubeVirt: Workloads of isolation VirtualMachine wait")
        elif able.kubevirt is None:
            logger.info("KubeVirt is not installed: Workloads of isolation VirtualMachine wait for it")
        if scope.sees(kinds.RUNTIME_CLASS) and not able.runtime_classes:
            logger.info("there are no RuntimeClasses: Workloads of isolation Sandbox wait for theirs")


def _now() -> datetime:
    return datetime.now(UTC)
