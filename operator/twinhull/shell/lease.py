"""The Lease: it decides which of several operators acts. The others watch, and know everything that it knows.

It works like client-go's leader election: the holder renews the Lease. Another may take it after it has seen
it unchanged for its whole duration, by its own clock. Clocks of two machines are never compared.

It is renewed in a thread of its own, so that a long pass doesn't lose it. `is_held` is asked in the main
thread. That is safe, since it reads only a clock, one number and one flag, which only the thread of the Lease
writes.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import time
from collections.abc import Callable
from datetime import UTC, datetime

from twinhull.api.base import Raw
from twinhull.shell.cluster import Cluster
from twinhull.shell.errors import AlreadyExists, ApiError, Conflict, NotFound
from twinhull.shell.kinds import LEASE
from twinhull.shell.lease_terms import Terms

logger = logging.getLogger(__name__)

#: How often a standby looks at the Lease, in seconds: half of what a hand-over takes at worst.
_LOOK_EVERY = 0.8


class LeaseLost(Exception):
    """Another operator may act by now, so this process must end."""


class Lease:
    """Holds the Lease, or waits for it. It isn't renewed while `stuck` says that the main event loop is
    blocked.

    All but `is_held` and `name` must be used in the one event loop of the Lease.
    """

    def __init__(self, cluster: Cluster, terms: Terms, stuck: Callable[[], bool] = lambda: False) -> None:
        self._cluster = cluster
        self._terms = terms
        self._stuck = stuck
        self._seen: Raw | None = None
        self._seen_at = 0.0
        self._is_deleted = False
        self._held_until = 0.0
        self._given_up = False

    def is_held(self) -> bool:
        """Whether no other operator can hold the Lease now. It may be asked in any thread, and is asked right
        before each write: a process that was stopped for a while wouldn't notice otherwise.
        """
        return not self._given_up and _now() < self._held_until

    @property
    def name(self) -> str:
        """The Lease's name."""
        return self._terms.name

    @property
    def holder(self) -> str:
        """The last seen holder, empty if there was none."""
        spec = (self._seen or {}).get("spec") or {}
        return str(spec.get("holderIdentity") or "")

    async def hold(self, acquired: Callable[[], object]) -> None:
        """Wait for the Lease, call `acquired`, and renew the Lease until cancelled. Raises LeaseLost if
        renewals fail for too long.

        Nothing is awaited between `acquired` and the renewals: the main thread may take hours to notice the
        call.
        """
        await self._acquire()
        acquired()
        await self._keep()

    async def _acquire(self) -> None:
        logged = ""
        while not await self._try():
            if self.holder != logged:
                logged = self.holder
                logger.info("%s leads; this operator is a standby for Lease %s", logged, self._terms.name)
            await asyncio.sleep(_LOOK_EVERY * random.uniform(0.8, 1.2))  # noqa: S311
        logger.info("%s holds Lease %s and leads", self._terms.identity, self._terms.name)

    async def _keep(self) -> None:
        while True:
            await asyncio.sleep(self._terms.renew_every)
            if self.is_held() and not self._stuck():
                await self._try()
            if not self.is_held() or self.holder != self._terms.identity:
                self._given_up = True
                raise LeaseLost(f"Lease {self._terms.name} is lost: it was not renewed in time")

    async def release(self) -> None:
        """Let another operator take the Lease at once. Nothing may be written afterwards."""
        was_held, self._given_up = self.is_held(), True
        if not was_held or self._seen is None:
            return
        with contextlib.suppress(ApiError, TimeoutError):
            await asyncio.wait_for(self._give_back(), 5)

    async def _give_back(self) -> None:
        """Clear the holder. A renewal that was cancelled before its answer came may have changed the Lease
        unseen. Then the first attempt gets Conflict, and reads the present Lease.
        """
        spec = {"holderIdentity": "", "leaseDurationSeconds": 1, "renewTime": _stamp()}
        try:
            await self._write(spec)
        except Conflict:
            if self.holder == self._terms.identity:
                await self._write(spec)

    async def _try(self) -> bool:
        """Take or renew the Lease, if that is possible now. Returns whether it is held."""
        started = _now()
        try:
            await asyncio.wait_for(self._look_and_write(), self._terms.deadline / 2)
        except (ApiError, TimeoutError) as error:
            if not isinstance(error, AlreadyExists | Conflict):  # another was faster
                logger.warning("Lease %s: %s", self._terms.name, error or "no answer")
            return False
        if self.holder != self._terms.identity:
            return False
        self._held_until = started + self._terms.deadline
        return True

    async def _look_and_write(self) -> None:
        namespace, name, identity = self._terms.namespace, self._terms.name, self._terms.identity
        if self.holder != identity:
            self._look(await self._cluster.get(LEASE, namespace, name))
        duration = {"leaseDurationSeconds": max(1, round(self._terms.duration)), "renewTime": _stamp()}
        if self._seen is None:
            await self._create(duration)
        elif self.holder == identity:
            try:
                await self._write(duration)
            except NotFound:  # somebody deleted it: standbys wait for the duration
                if not self.is_held():
                    raise
                await self._create(duration)
        elif self._is_free():
            count = (self._seen.get("spec") or {}).get("leaseTransitions") or 0
            holder = {"holderIdentity": identity, "acquireTime": _stamp(), "leaseTransitions": count + 1}
            await self._write({**duration, **holder})

    async def _create(self, duration: Raw) -> None:
        """Create the Lease, held by this operator. Raises AlreadyExists if another operator was faster."""
        namespace, stamps = self._terms.namespace, {"acquireTime": _stamp(), "leaseTransitions": 0}
        lease = {
            "apiVersion": LEASE.api_version,
            "kind": LEASE.name,
            "metadata": {"name": self._terms.name, "namespace": namespace},
            "spec": {**duration, **stamps, "holderIdentity": self._terms.identity},
        }
        self._saw(await self._cluster.create(LEASE, namespace, lease))

    async def _write(self, spec: Raw) -> None:
        """Change the Lease, if it is still in the last seen version. Raises Conflict if not."""
        if self._seen is None:
            return
        version = {"resourceVersion": self._seen["metadata"]["resourceVersion"]}
        patch = {"metadata": version, "spec": spec}
        try:
            self._saw(await self._cluster.patch(LEASE, self._terms.namespace, self._terms.name, patch))
        except Conflict:
            self._saw(await self._cluster.get(LEASE, self._terms.namespace, self._terms.name))
            raise

    def _saw(self, lease: Raw | None) -> None:
        if lease is None or self._seen is None or _version(lease) != _version(self._seen):
            self._seen_at = _now()
        self._seen = lease

    def _look(self, lease: Raw | None) -> None:
        """Take in the Lease that another operator may hold. If it was deleted, its holder may not know yet:
        then a standby waits for the duration from that moment on.
        """
        was_deleted, self._is_deleted = self._is_deleted, lease is None and bool(self.holder)
        if self._is_deleted and not was_deleted:
            self._seen_at = _now()
        if not self._is_deleted or self._is_free():
            self._saw(lease)

    def _is_free(self) -> bool:
        """Whether nobody holds the Lease, or its holder hasn't renewed it for its duration."""
        if not self.holder:
            return True
        duration = ((self._seen or {}).get("spec") or {}).get("leaseDurationSeconds") or self._terms.duration
        return _now() >= self._seen_at + float(duration)


def _version(lease: Raw) -> str:
    return str(lease["metadata"]["resourceVersion"])


def _now() -> float:
    """Seconds on a clock that goes on while the process, or its whole machine, is stopped."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def _stamp() -> str:
    """The present time in the form that a Lease has (meta/v1, type MicroTime)."""
    return datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
