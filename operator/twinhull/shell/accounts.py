"""The accounts: the status of every policy, written beside the work, at most about once a second."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from datetime import datetime

from twinhull.api.base import Raw
from twinhull.api.policy import IsolationPolicyStatus
from twinhull.core.isolation import account
from twinhull.hulls.merge import difference
from twinhull.shell.cluster import Cluster
from twinhull.shell.errors import ApiError, Conflict, NotFound
from twinhull.shell.kinds import ISOLATION_POLICY, WORKLOAD
from twinhull.shell.policies import read
from twinhull.shell.rulings import Rulings
from twinhull.shell.store import Store

logger = logging.getLogger(__name__)

#: How long counts are let change before they are written, in seconds.
_DEBOUNCE = 0.7
#: How long after a start counts wait for every Workload to be decided on, in seconds.
_PATIENCE = 60.0
#: How long after a failed write it is tried again, in seconds.
_RETRY = 10.0


class Accounts:
    """Writes what policies do into their status, where it differs."""

    def __init__(
        self, cluster: Cluster, store: Store, rulings: Rulings, clock: Callable[[], datetime]
    ) -> None:
        self._cluster = cluster
        self._store = store
        self._rulings = rulings
        self._clock = clock

    async def run(self) -> None:
        """Write until cancelled. The first counts are told once they are whole, or after a while."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._all_decided(), _PATIENCE)
        self._rulings.changed.set()
        while True:
            await self._rulings.changed.wait()
            await asyncio.sleep(_DEBOUNCE)
            self._rulings.changed.clear()
            if not await self.write():
                await asyncio.sleep(_RETRY)
                self._rulings.changed.set()

    async def _all_decided(self) -> None:
        while self._rulings.decided < len(self._store.keys(WORKLOAD)):
            self._rulings.changed.clear()
            await self._rulings.changed.wait()

    async def write(self) -> bool:
        """Write what is new of every policy. False if that has failed, and is to be tried again."""
        written = [await self._write(policy) for policy in list(self._store.all(ISOLATION_POLICY))]
        return all(written)

    async def _write(self, obj: Raw) -> bool:
        metadata, policy = obj["metadata"], read(obj)
        seen = obj.get("status") or {}
        status = account(
            policy,
            metadata["generation"],
            IsolationPolicyStatus.model_validate(seen),
            self._rulings.counted(policy.name),
            self._clock(),
        ).raw()
        patch = difference(seen, status)
        if not patch:
            return True
        if policy.problem:
            logger.warning("IsolationPolicy %s can't be read: %s", policy.name, policy.problem)
        version = {"resourceVersion": metadata["resourceVersion"]}
        try:
            written = await self._cluster.patch(
                ISOLATION_POLICY, "", metadata["name"], {"metadata": version, "status": patch}, "/status"
            )
        except (Conflict, NotFound):  # another state of it is on its way, or its end, and asks again
            return True
        except ApiError as error:
            logger.warning("IsolationPolicy %s: its status can't be written: %s", metadata["name"], error)
            return False
        self._store.put(ISOLATION_POLICY, written)
        return True
