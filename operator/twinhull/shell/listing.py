"""Listing everything: at the start, now and then, and whenever a watch had to start over."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Iterable
from functools import partial

from twinhull.shell import kinds
from twinhull.shell.change_handler import ChangeHandler
from twinhull.shell.cluster import Cluster
from twinhull.shell.errors import ApiError
from twinhull.shell.kinds import Kind
from twinhull.shell.reconnect_delays import reconnect_delays

logger = logging.getLogger(__name__)

#: How long watches that start over may take to say all that there is, in seconds.
_SETTLING = 2.0


class Listing:
    """Lists all kinds that are watched, and gives the objects to `watches`.

    `every` is after how many seconds everything is listed anew though nothing asks for it.
    """

    def __init__(self, cluster: Cluster, watches: ChangeHandler, every: float) -> None:
        self._cluster = cluster
        self._watches = watches
        self._every = every

    async def list_until_done(self, wanted: Iterable[Kind] = kinds.WATCHED) -> None:
        """List these kinds, however often that fails: what was missed meanwhile is known after that only."""
        for delay in reconnect_delays():
            try:
                await self._list(wanted)
            except ApiError as error:
                logger.warning("the cluster can't be listed: %s; again in %.0f s", error, delay)
                await asyncio.sleep(delay)
            else:
                return

    async def run(self) -> None:
        """List everything now and then, and soon after a watch has started over, until cancelled."""
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._watches.started_over.wait(), self._every)
                await asyncio.sleep(_SETTLING)
            self._watches.started_over.clear()
            await self.list_until_done()

    async def _list(self, wanted: Iterable[Kind]) -> None:
        await self._ask_version()
        for kind in wanted:
            present: set[str] = set()
            take = partial(self._watches.take_part, kind, present)
            self._watches.take_rest(kind, present, await self._cluster.read_all(kind, take))

    async def _ask_version(self) -> None:
        """Ask the API server for its version, which an upgrade changes. Without one all goes on."""
        try:
            self._watches.take_version(await self._cluster.version())
        except ApiError as error:
            logger.debug("the API server doesn't report its version: %s", error)
