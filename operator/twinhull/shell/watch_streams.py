"""The watches: one stream of events for each kind and namespace, for as long as the process lives.

A kind may not be served yet, or no more; the API server may be away, refuse, or have forgotten the version
from which events are asked for. None of that ends more than one watch, and each is begun again.
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

#: How often a kind is looked for that isn't served, in seconds.
_LOOKING = 5.0
#: How long a watch that has ended waits before it is begun again, in seconds.
_PAUSE = 0.1
#: A watch that ends sooner and brought nothing has failed, in seconds; so says client-go, too
#: (k8s.io/client-go/tools/cache, reflector.go, "very short watch").
_SHORTEST = 1.0


class WatchStreams:
    """Watches every kind that is seen. `backoffs` says how long to wait after each failure in a row, in s."""

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
        #: The kinds that aren't served. One of the places of each asks for it next, the others wait.
        self._unserved: set[Kind] = set()
        self._asking: defaultdict[Kind, asyncio.Lock] = defaultdict(asyncio.Lock)
        #: How long to wait after the next failure of those that have failed and heard nothing since.
        self._waits: dict[Place, Iterator[float]] = {}

    async def begin(self) -> None:
        """Find out from which version on each kind is to be watched: what is listed after that is whole. What
        can't be told now is found out later.
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
        """Wait for the time to ask for a kind that isn't served: a while after another place has asked, or
        as soon as one has found it served.
        """
        self._unserved.add(kind)
        async with self._asking[kind]:
            if kind in self._unserved:
                await asyncio.sleep(_LOOKING)

    def _note_failure(self, place: Place, error: ApiError) -> float:
        """Log why a kind can't be watched. For how long it isn't tried then, in seconds."""
        pause = next(self._waits.setdefault(place, self._backoffs()))
        logger.warning("%s can't be watched: %s; again in %.0f s", place[0].plural, error, pause)
        return pause

    async def _watch(self, place: Place) -> None:
        """Take in events for as long as they come. Raises Unreachable if it ends at once without any."""
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
            await asyncio.sleep(0)  # many may come at once, and taking them in takes as long as it takes
        if loop.time() - began >= _SHORTEST:
            self._ages.hear(place)
            self._waits.pop(place, None)
        elif is_silent:
            raise Unreachable("the watch ended at once and brought nothing")
