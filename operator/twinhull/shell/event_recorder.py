"""The events: what people are told, as Events on the Workload, posted beside the work, never in its way.

Namespaces take turns, and each has a backlog of its own: much that is told of one makes no others' late. What
is the same again and again is counted, and told in a series now and then.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import time
from collections.abc import Callable
from datetime import UTC, datetime

from twinhull.api.base import Raw
from twinhull.api.brevity import shortened, word
from twinhull.core.actions import Event
from twinhull.shell.cluster import Cluster
from twinhull.shell.errors import ApiError
from twinhull.shell.event_series import EventSeries
from twinhull.shell.kinds import EVENT, Kind
from twinhull.shell.roundrobin import RoundRobin

logger = logging.getLogger(__name__)

_CONTROLLER = "twinhull.dev/operator"
#: An Event's note is refused beyond this many bytes.
_LONGEST_NOTE = 1000
#: How many Events of one namespace may wait to be posted.
_BACKLOG = 1_000
#: How many Events may wait to be posted in all. Beyond that the last one of the longest backlog is lost.
_BACKLOG_IN_ALL = 10_000
#: How long Events may wait for passes that wait, in seconds: people can do with a late Event sooner than with
#: a late Pod.
_PATIENCE = 10.0
#: How many Events, at most, wait for such passes.
_PATIENT = _BACKLOG // 2
#: How often it is looked whether passes still wait, in seconds.
_LOOKS = 0.05


class EventRecorder:
    """Posts Events one after the other. They are told once, and lost if the API server won't have them.

    While passes wait (`is_busy`) Events do, too, for some seconds.
    """

    def __init__(
        self,
        cluster: Cluster,
        clock: Callable[[], float] = time.monotonic,
        is_busy: Callable[[], bool] = lambda: False,
    ) -> None:
        self._cluster, self._clock, self._is_busy = cluster, clock, is_busy
        self._repeats = EventSeries(clock)
        self._backlog = RoundRobin[Raw]()
        self._filled, self._drained = asyncio.Event(), asyncio.Event()
        self._drained.set()
        self._instance = socket.gethostname()
        self._count = 0
        self._is_draining = False

    def post(self, kind: Kind, obj: Raw, event: Event) -> None:
        """Tell something of an object, soon. Events of one without a namespace are in `default`."""
        namespace = obj["metadata"].get("namespace") or "default"
        is_full = len(self._backlog) >= _BACKLOG_IN_ALL
        if self._backlog.waiting(namespace) >= _BACKLOG or (is_full and self._is_longest(namespace)):
            _log_loss(namespace, event.message)
            return
        times = self._repeats.count(namespace, (obj["metadata"]["uid"], event))
        if not times:
            return
        if is_full:
            flooded = self._backlog.longest()
            _log_loss(flooded, self._backlog.drop_last(flooded)["note"])
        self._backlog.add(namespace, self._event(kind, obj, event, times))
        self._drained.clear()
        self._filled.set()

    def _is_longest(self, namespace: str) -> bool:
        return self._backlog.waiting(namespace) >= self._backlog.waiting(self._backlog.longest())

    async def run(self) -> None:
        """Post what comes, until cancelled."""
        while True:
            await self._filled.wait()
            await self._give_way()
            while (event := self._backlog.take()) is not None:
                try:
                    await self._cluster.create(EVENT, event["metadata"]["namespace"], event)
                except ApiError as error:
                    logger.debug("an event was not posted: %s", error)
            self._drained.set()
            self._filled.clear()

    async def _give_way(self) -> None:
        """Let passes that wait go first, but not for long, and not if much is to be told."""
        until = self._clock() + _PATIENCE
        while self._is_busy() and self._clock() < until and len(self._backlog) < _PATIENT:
            if self._is_draining:
                return
            await asyncio.sleep(_LOOKS)

    async def drain(self) -> None:
        """Wait until all that was told has been posted, which gives way to nothing from now on."""
        self._is_draining = True
        await self._drained.wait()

    def _event(self, kind: Kind, obj: Raw, event: Event, times: int) -> Raw:
        metadata = obj["metadata"]
        self._count += 1
        now = datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
        return {
            "apiVersion": EVENT.api_version,
            "kind": EVENT.name,
            "metadata": {
                "name": f"{metadata['name']}.{time.time_ns():x}{self._count % 256:02x}",
                "namespace": metadata.get("namespace") or "default",
            },
            "type": event.type,
            "reason": word(event.reason),
            "action": word(event.reason),
            "note": shortened(event.message, _LONGEST_NOTE),
            "eventTime": now,
            **({"series": {"count": times, "lastObservedTime": now}} if times > 1 else {}),
            "reportingController": _CONTROLLER,
            "reportingInstance": self._instance,
            "regarding": {
                "apiVersion": kind.api_version,
                "kind": kind.name,
                "name": metadata["name"],
                **({"namespace": metadata["namespace"]} if metadata.get("namespace") else {}),
                "uid": metadata["uid"],
                "resourceVersion": metadata["resourceVersion"],
            },
        }


def _log_loss(namespace: str, message: str) -> None:
    logger.warning("too many events of %s wait to be posted; lost one: %s", namespace, message)
