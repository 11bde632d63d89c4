"""The watches: one stream of events for each kind and namespace, as long as the process lives.

A kind may not be served yet, or no longer. The API server may be unreachable, may refuse, or may have
forgotten the version from which on events are asked for. Each of these ends one watch only, which is then
started again.
"""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Callable, Iterator

from twinhull.shell import kinds
from twinhull.shell.change_handler import ChangeHandler
from twinhull.shell.cluster import Cluster
from twinhull.shell.errors import ApiError, Gone, NotFound, Unreachable
from twinhull.shell.kinds import Kind, Place
from twinhull.shell.scope import Scope

logger = logging.getLogger(__name__)

#: Every how many seconds the operator asks for a kind that isn't served.
_LOOKING = 5.0
#: How many seconds pass before a watch that has ended is started again.
_PAUSE = 0.1
#: A watch that ends within so many seconds and brought nothing has failed. client-go does the same
#: (k8s.io/client-go/tools/cache, reflector.go, "very short watch").
_SHORTEST = 1.0


class WatchStreams:
    """Watches all kinds in the scope. `backoffs` gives the seconds to wait after each failure in a row."""

    def __init__(
        self, cluster: Cluster, changes: ChangeHandler, scope: Scope, backoffs: Callable[[], Iterator[float]]
    ) -> None:
        self._cluster = cluster
        self._changes, self._ages = changes, changes.ages
        self._backoffs = backoffs
        self._places = [
            (kind, namespace)
            for kind in kinds.WATCHED
            if scope.sees(kind)
            for namespace in cluster.places(kind)
        ]
        self._versions: dict[Place, str] = {}
        #: The kinds that aren't served. One place of each asks for the kind next, and the others wait for it.
        self._unserved: set[Kind] = set()
        self._asking: defaultdict[Kind, asyncio.Lock] = defaultdict(asyncio.Lock)
        #: The waits after further failures, of the watches that have failed and brought nothing since.
        self._waits: dict[Place, Iterator[float]] = {}

    async def begin(self) -> None:
        """Find out from which version on each kind is watched. A list that follows is then complete. A
        version that can't be read now is read later.
        """
        await asyncio.gather(*map(self._begin, self._places))

    async def run(self) -> None:
        """Watch until cancelled."""
        await asyncio.gather(*map(self._follow, self._places))

    async def _begin(self, place: Place) -> None:
        try:
            self._versions[place] = await self._cluster.latest(*place)
        except NotFound:
            return
        except ApiError as error:
            logger.debug("%s can't be watched yet: %s", place[0].plural, error)
        self._ages.begin(place)

    async def _follow(self, place: Place) -> None:
        """Watch one kind, in a namespace or everywhere, until cancelled."""
        while True:
            pause, is_new = _PAUSE, place not in self._versions
            try:
                await self._watch(place)
            except Gone as error:
                self._versions.pop(place, None)
                if is_new:
                    pause = self._note_failure(place, error)
            except NotFound:
                self._versions.pop(place, None)
                self._ages.forget(place)
                await self._wait_to_ask(place[0])
            except ApiError as error:
                self._ages.begin(place)
                pause = self._note_failure(place, error)
            await asyncio.sleep(pause)

    async def _wait_to_ask(self, kind: Kind) -> None:
        """Wait until a kind that isn't served may be asked for: some seconds after another place asked for
        it, or as soon as one has found it served.
        """
        self._unserved.add(kind)
        async with self._asking[kind]:
            if kind in self._unserved:
                await asyncio.sleep(_LOOKING)

    def _note_failure(self, place: Place, error: ApiError) -> float:
        """Log why a watch has failed. Returns after how many seconds it is tried again."""
        pause = next(self._waits.setdefault(place, self._backoffs()))
        logger.warning("%s can't be watched: %s; again in %.0f s", place[0].plural, error, pause)
        return pause

    async def _watch(self, place: Place) -> None:
        """Take in the events of one watch until it ends. Raises Unreachable if it ends at once without any
        event.
        """
        kind, namespace = place
        if place not in self._versions:
            self._versions[place] = await self._cluster.latest(kind, namespace)
            self._unserved.discard(kind)
            self._ages.miss(place, self._versions[place])
            self._changes.started_over.set()
        loop = asyncio.get_running_loop()
        began, is_silent = loop.time(), True
        async for change, obj in self._cluster.watch(kind, self._versions[place], namespace):
            is_silent = False
            self._ages.hear(place)
            if change != "BOOKMARK":
                self._changes.take(kind, change, obj)
            self._versions[place] = obj["metadata"]["resourceVersion"]
            self._waits.pop(place, None)
            await asyncio.sleep(0)  # others run between two of many events
        if loop.time() - began >= _SHORTEST:
            self._ages.hear(place)
            self._waits.pop(place, None)
        elif is_silent:
            raise Unreachable("the watch ended at once and brought nothing")
