"""Listing everything: at the start, every few minutes, and whenever a watch had to start over."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Container, Iterable, Mapping
from functools import partial

from twinhull.api.brevity import listed
from twinhull.shell import kinds
from twinhull.shell.change_handler import ChangeHandler
from twinhull.shell.cluster import Cluster
from twinhull.shell.errors import ApiError, Refused
from twinhull.shell.kinds import Kind, Place
from twinhull.shell.queue import Queue
from twinhull.shell.reconnect_delays import reconnect_delays

logger = logging.getLogger(__name__)

#: How many seconds watches that start over get to bring the present objects, before everything is listed.
_SETTLING = 2.0
#: For how many seconds a kind isn't served before its objects count as gone: at the second list of
#: everything.
_UNSERVED_FOR = 300.0


class Listing:
    """Lists all watched kinds, and gives the objects to `changes`.

    If the operator serves single namespaces, one of them may be deleted, and the operator's rights with it.
    Such a namespace is in `refused`, and its keys wait in the queue, since its objects aren't known. The
    others are served.
    """

    def __init__(self, cluster: Cluster, changes: ChangeHandler, queue: Queue, every: float) -> None:
        """`every` is after how many seconds everything is listed anew even if nothing asks for it."""
        self._cluster = cluster
        self._changes = changes
        self._queue = queue
        self._every = every
        #: The namespaces that can't be listed, each with the API server's message.
        self.refused: dict[str, str] = {}
        #: Since when each kind isn't served, by the event loop's time.
        self._unserved_since: dict[Kind, float] = {}

    async def list_until_done(self, wanted: Iterable[Kind] = kinds.WATCHED) -> None:
        """List these kinds. Lists that fail are repeated until all have succeeded."""
        places = self._places(wanted)
        for delay in reconnect_delays():
            places = await self._list(places)
            if not places:
                return
            await asyncio.sleep(delay)

    async def catch_up(self) -> None:
        """List the objects that the former leader wrote, and the policies that it knew, since each watch may
        be late.

        Only a Workload's status may tell how its run ended. An operator that doesn't see a hull yet takes it
        for missing, and may make another revision beside it. Without its instance a machine counts as one
        without a guest, and is deleted at once where its guest must be asked first. An operator that doesn't
        see a floor would replace a hull by a weaker one.
        """
        floors = kinds.NAMESPACE, kinds.ISOLATION_POLICY
        await self.list_until_done([*kinds.hulls(), kinds.VIRTUAL_MACHINE_INSTANCE, *floors, kinds.WORKLOAD])

    async def run(self) -> None:
        """List everything every few minutes, and soon after a watch has started over, until cancelled. Lists
        that were refused or have failed are tried again in between.
        """
        loop, delays = asyncio.get_running_loop(), reconnect_delays()
        due_at, failed = loop.time() + self._every, list[Place]()
        while True:
            pause = due_at - loop.time()
            if self.refused or failed:
                pause = min(pause, next(delays))
            else:
                delays = reconnect_delays()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._changes.started_over.wait(), max(0.0, pause))
                await asyncio.sleep(_SETTLING)
            if loop.time() < due_at and not self._changes.started_over.is_set():
                await self._list_refused()
                failed = await self._list([place for place in failed if place[1] not in self.refused])
                continue
            self._changes.started_over.clear()
            failed = await self._list(self._places(kinds.WATCHED))
            await self._forget_unserved()
            due_at, delays = loop.time() + self._every, reconnect_delays()

    async def _list_refused(self) -> None:
        """List the refused namespaces, and serve those that can be listed now."""
        for namespace in list(self.refused):
            try:
                for kind in kinds.WATCHED:
                    if namespace in self._cluster.places(kind):
                        await self._list_place(kind, namespace)
            except ApiError as error:
                logger.debug("namespace %s still isn't served: %s", namespace, error)
            else:
                self._serve_again(namespace)
                self._queue.hold(self.refused.keys())

    def _serve_again(self, namespace: str) -> None:
        del self.refused[namespace]
        logger.info("namespace %s is served again", namespace)

    def _places(self, wanted: Iterable[Kind]) -> list[Place]:
        return [(kind, namespace) for kind in wanted for namespace in self._cluster.places(kind)]

    async def _list(self, places: list[Place]) -> list[Place]:
        """List all these places, even if some of them fail. Returns those that must be listed again.

        The places of refused namespaces aren't among them, unless all namespaces are refused: the cause isn't
        one namespace then.
        """
        failed: dict[Place, ApiError] = {}
        refused: dict[str, Refused] = {}
        if places:
            await self._ask_version()
        for kind, namespace in places:
            try:
                await self._list_place(kind, namespace)
            except ApiError as error:
                if isinstance(error, Refused) and namespace is not None:
                    refused.setdefault(namespace, error)
                else:
                    failed[kind, namespace] = error
        unknown = {namespace for _, namespace in failed}
        self._note_refused(refused, unknown, is_whole=places == self._places(kinds.WATCHED))
        if failed:
            errors = dict.fromkeys(f"{kind.plural}: {error}" for (kind, _), error in failed.items())
            logger.warning("not everything can be listed yet: %s", listed(tuple(errors)))
        all_refused = bool(refused) and refused.keys() == set(self._cluster.places(kinds.WORKLOAD))
        return places if all_refused else list(failed)

    async def _list_place(self, kind: Kind, place: str | None) -> None:
        present: set[str] = set()
        take = partial(self._changes.take_part, kind, present)
        version = await self._cluster.read_place(kind, place, take)
        self._changes.take_rest(kind, present, version, place)
        if version is None:
            self._unserved_since.setdefault(kind, asyncio.get_running_loop().time())
        else:
            self._unserved_since.pop(kind, None)

    async def _forget_unserved(self) -> None:
        """Take in that kinds, with their objects, were removed from the cluster. No list tells that, and
        neither does a watch that was broken at that time.
        """
        latest = asyncio.get_running_loop().time() - _UNSERVED_FOR
        lasting = [kind for kind in kinds.REMOVABLE if self._unserved_since.get(kind, latest + 1) <= latest]
        held = set(filter(self._changes.holds, lasting))
        try:
            removed = held - await self._cluster.served(held) if held else held
        except ApiError as error:
            logger.debug("the API server doesn't say what it serves: %s", error)
            return
        for kind in removed:
            logger.warning("%s are no longer served: their objects count as deleted", kind.plural)
            self._changes.take_removal(kind)

    def _note_refused(
        self, refused: Mapping[str, Refused], unknown: Container[str | None], *, is_whole: bool
    ) -> None:
        """Hold the refused namespaces in the queue, and log new ones. A refused namespace is served again
        only after a list of all kinds (`is_whole`) that wasn't refused there, and not if it is among the
        `unknown`, whose lists have failed.
        """
        for namespace in [name for name in self.refused if is_whole and name not in refused]:
            if namespace not in unknown:
                self._serve_again(namespace)
        for namespace, error in refused.items():
            if namespace not in self.refused:
                logger.error(
                    "namespace %s isn't served, and nothing is done in it: %s. Give the operator its Role "
                    "there, or remove the namespace from those that it serves",
                    namespace,
                    error,
                )
            self.refused[namespace] = str(error)
        self._queue.hold(self.refused.keys())

    async def _ask_version(self) -> None:
        """Ask the API server for its version, which an upgrade changes. If it gives none, all goes on."""
        try:
            self._changes.take_version(await self._cluster.version())
        except ApiError as error:
            logger.debug("the API server doesn't report its version: %s", error)
