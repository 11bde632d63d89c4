"""Listing everything: at the start, now and then, and whenever a watch had to start over."""

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

#: How long watches that start over may take to say all that there is, in seconds.
_SETTLING = 2.0
#: For how long a kind is missing until its objects are taken for gone, in seconds: at the second list of all.
_UNSERVED_FOR = 300.0


class Listing:
    """Lists all kinds that are watched, and gives the objects to `changes`.

    Where namespaces are served one by one, one of them may be gone, and the operator's rights with it. Such a
    namespace is `refused`, and held in the queue: what there is in it isn't known. The others are served.
    """

    def __init__(self, cluster: Cluster, changes: ChangeHandler, queue: Queue, every: float) -> None:
        """`every` is after how many seconds everything is listed anew though nothing asks for it."""
        self._cluster = cluster
        self._changes = changes
        self._queue = queue
        self._every = every
        #: The namespaces that can't be listed, each with the API server's reason.
        self.refused: dict[str, str] = {}
        #: Since when each kind isn't served, by the event loop's time.
        self._unserved_since: dict[Kind, float] = {}

    async def list_until_done(self, wanted: Iterable[Kind] = kinds.WATCHED) -> None:
        """List these kinds, and those that can't be listed again until all are: what was missed meanwhile is
        known after that only.
        """
        places = self._places(wanted)
        for delay in reconnect_delays():
            places = await self._list(places)
            if not places:
                return
            await asyncio.sleep(delay)

    async def catch_up(self) -> None:
        """List what the former leader has written, and the floors that it knew: each watch may be late.

        A Workload's status alone may tell how its run ended. A hull that isn't seen yet is taken for missing,
        and another one is made beside it if another one is asked for by now. Without its instance a machine
        is taken for one without a guest, and deleted at once where its guest has to be asked first. Without a
        floor a hull would be replaced by a weaker one.
        """
        floors = kinds.NAMESPACE, kinds.ISOLATION_POLICY
        await self.list_until_done([*kinds.hulls(), kinds.VIRTUAL_MACHINE_INSTANCE, *floors, kinds.WORKLOAD])

    async def run(self) -> None:
        """List everything now and then, and soon after a watch has started over, until cancelled. What was
        refused or failed is tried again meanwhile.
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
        """List the namespaces that were refused, and serve those that can be listed now."""
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
        """List all of these, whichever of them fail. Those that are to be tried again.

        Those of a refused namespace are not, unless all are refused: more is wrong then than a namespace.
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
        """Take in which kinds were removed from the cluster, with their objects. No list tells that, nor does
        a watch that was broken meanwhile.
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
            logger.warning("%s aren't served any more, and are taken for gone", kind.plural)
            self._changes.take_removal(kind)

    def _note_refused(
        self, refused: Mapping[str, Refused], unknown: Container[str | None], *, is_whole: bool
    ) -> None:
        """Hold the namespaces that are refused, and log what is new. What was refused by a list of some kinds
        may be served only after one of all, and not while it is `unknown` whether it is refused.
        """
        for namespace in [name for name in self.refused if is_whole and name not in refused]:
            if namespace not in unknown:
                self._serve_again(namespace)
        for namespace, error in refused.items():
            if namespace not in self.refused:
                logger.error(
                    "namespace %s isn't served, and nothing is done in it: %s. Give the operator its Role "
                    "there, or take the namespace out of those that it serves",
                    namespace,
                    error,
                )
            self.refused[namespace] = str(error)
        self._queue.hold(self.refused.keys())

    async def _ask_version(self) -> None:
        """Ask the API server for its version, which an upgrade changes. Without one all goes on."""
        try:
            self._changes.take_version(await self._cluster.version())
        except ApiError as error:
            logger.debug("the API server doesn't report its version: %s", error)
