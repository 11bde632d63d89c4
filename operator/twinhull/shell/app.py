"""The application: puts everything together at start-up, and takes it apart at shutdown."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from functools import partial

import twinhull
from twinhull.shell import health
from twinhull.shell.cluster import Cluster
from twinhull.shell.connection import Connection
from twinhull.shell.control_loop import ControlLoop
from twinhull.shell.kopf_process import runner
from twinhull.shell.kopf_process.credentials import login
from twinhull.shell.lease import Lease
from twinhull.shell.loop_watchdog import LoopWatchdog
from twinhull.shell.loopthread import LoopThread
from twinhull.shell.metrics import Metrics, Page
from twinhull.shell.metrics.cached_state import CachedState
from twinhull.shell.server import Server
from twinhull.shell.settings import Settings
from twinhull.shell.tasks import Tasks

logger = logging.getLogger(__name__)


class Application:
    """One operator process, run by kopf: log-in, start-up, clean-up, signals.

    The Lease and the servers have threads of their own, and the Lease a connection of its own. So they go on
    while a pass, or taking in an event, blocks the main event loop.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        metrics, self._watchdog = Metrics(), LoopWatchdog()
        self._threads = self._lease_thread, self._server_thread = LoopThread("lease"), LoopThread("servers")
        self._connection, self._lease_connection = Connection(login), Connection(login)
        self._watching = Connection(login, pool_size=0)
        cluster = Cluster(self._connection, self._may_write, settings.scope, metrics.requests)
        watching = Cluster(self._watching, scope=settings.scope, metrics=metrics.requests)
        unfenced = Cluster(self._lease_connection, metrics=metrics.requests)
        stuck = partial(getattr, self._watchdog, "is_stuck")
        self._lease = Lease(unfenced, settings.lease, stuck) if settings.lease else None
        self._control_loop = ControlLoop(settings, cluster, watching, metrics, self._may_write)
        self._cached_state = CachedState(self._control_loop.state_collector(self._lease))
        metrics.registry.register(self._cached_state)
        probes = health.pages(lambda: self._listed, stuck)
        self._servers = [Server("health", settings.health_host, settings.health_port, probes)]
        if settings.metrics:
            page = Page(metrics.registry, self._refresh_metrics)
            self._servers.append(Server("metrics", *settings.metrics, {"/metrics": page}))
        self._listed = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ended = asyncio.Event()
        #: The tasks that work, that post Events, and that hold the Lease; they end in this order. So the
        #: Events of the others are posted, and the Lease is renewed until then: it is released only while it
        #: is held.
        self._tasks, self._posting, self._holding = (Tasks(self._ended) for _ in range(3))

    def _may_write(self) -> bool:
        return self._lease is None or self._lease.is_held()

    async def _refresh_metrics(self) -> None:
        """Have the gauges collected in the main event loop, and wait for that in the servers' loop."""
        assert self._loop is not None, "it runs"  # noqa: S101
        await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(self._cached_state.refresh(), self._loop))

    async def run(self) -> None:
        """Run until SIGTERM or SIGINT.

        Raises LoginError without credentials, CannotServe if the probes or metrics can't be served at their
        address, LeaseLost if another operator may have taken over, and the exception of a part that failed.
        """
        logger.info("twinhull %s starts", twinhull.__version__)
        await self._connection.open()
        self._loop = asyncio.get_running_loop()
        for thread in self._threads:
            thread.start()
        runner.end_on_signals(self._ended)  # from here on the probes are served
        watching = asyncio.gather(self._watchdog.beat(), self._server_thread.run(self._watchdog.watch()))
        try:
            for server in self._servers:
                where = await self._server_thread.run(server.start())
                logger.info("%s is served at %s", server.what, where)
            await runner.run(self._start, self._stop, self._ended, self._settings.shutdown_timeout)
        finally:
            watching.cancel()
            await self._close()
        if failure := self._tasks.failure or self._holding.failure or self._posting.failure:
            raise failure

    async def _start(self) -> None:
        try:
            await self._start_work()
        except asyncio.CancelledError:  # the end has come before the start was over: tasks are cancelled, too
            self._ended.set()
            raise

    async def _start_work(self) -> None:
        await self._control_loop.know()
        self._listed = True
        self._posting.spawn(self._control_loop.events.run())
        await self._control_loop.follow(self._tasks)
        if self._lease is None:
            self._control_loop.work(self._tasks)
        else:
            self._tasks.spawn(self._lead(self._lease))
        self._control_loop.log_missing_prerequisites()

    async def _lead(self, lease: Lease) -> None:
        """Wait for the Lease, list what its former holder wrote, and then work for as long as the Lease is
        held.
        """
        loop, held = asyncio.get_running_loop(), asyncio.Event()
        self._holding.spawn(self._lease_thread.run(lease.hold(partial(loop.call_soon_threadsafe, held.set))))
        await held.wait()
        await self._control_loop.catch_up()
        self._control_loop.work(self._tasks)

    async def _stop(self) -> None:
        """Take no more work, post the Events, and close everything. A pass that is cut short is done again at
        the next start.
        """
        self._listed = False
        self._ended.set()  # kopf waits for its own task that waits for this
        self._control_loop.close()
        await self._tasks.cancel()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._control_loop.events.drain(), self._settings.shutdown_timeout)
        await self._posting.cancel()
        await self._holding.cancel()
        if self._lease:
            await self._lease_thread.run(self._lease.release())
        await self._close()
        logger.info("twinhull stopped")

    async def _close(self) -> None:
        """Close everything that is open, perhaps for the second time: kopf doesn't clean up after a start
        that failed.
        """
        if self._server_thread.is_running:
            for server in self._servers:
                await self._server_thread.run(server.stop())
        if self._lease_thread.is_running:
            await self._lease_thread.run(self._lease_connection.close())
        for thread in self._threads:
            await thread.stop()
        await self._connection.close()
        await self._watching.close()
