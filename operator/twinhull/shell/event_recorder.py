"""The event recorder: posts Events on Workloads and other objects, beside the work, and never holds it up.

Namespaces take turns, and each has a backlog of its own, so that many Events of one don't delay the others'.
Events that repeat are counted, and now and then posted as a series.
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
#: The API server refuses an Event whose note has more bytes.
_LONGEST_NOTE = 1000
#: How many Events of one namespace may wait to be posted.
_BACKLOG = 1_000
#: How many Events may wait to be posted in all. If there are more, the last one of the longest backlog is
#: lost.
_BACKLOG_IN_ALL = 10_000
#: How many seconds Events wait while passes wait for workers: a late Event hurts people less than a late Pod.
_PATIENCE = 10.0
#: If more Events wait, they no longer wait for passes.
_PATIENT = _BACKLOG // 2
#: How often the recorder looks whether passes still wait, in seconds.
_LOOKS = 0.05


class EventRecorder:
    """Posts Events one after the other, each once. An Event that the API server refuses is lost.

    While passes wait for workers (`is_busy`), Events wait, too, for some seconds.
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
        """Post an Event about an object soon. If the object has no namespace, the Event is in the namespace
        `default`.
        """
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
        """Post Events until cancelled."""
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
        """Wait while passes wait for workers, but not for long, and not if many Events wait."""
        until = self._clock() + _PATIENCE
        while self._is_busy() and self._clock() < until and len(self._backlog) < _PATIENT:
            if self._is_draining:
                return
            await asyncio.sleep(_LOOKS)

    async def drain(self) -> None:
        """Wait until all Events have been posted. From now on they no longer wait for passes."""
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
