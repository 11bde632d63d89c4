"""The events: what people are told, as Events on the Workload, posted beside the work, never in its way."""

from __future__ import annotations

import asyncio
import logging
import socket
import time
from datetime import UTC, datetime

from twinhull.api.base import API_VERSION, Raw
from twinhull.core.actions import Note
from twinhull.shell.cluster import Cluster
from twinhull.shell.errors import ApiError
from twinhull.shell.kinds import EVENT

logger = logging.getLogger(__name__)

_CONTROLLER = "twinhull.dev/operator"
#: An Event's note is refused beyond this many bytes.
_LONGEST_NOTE = 1000
_BACKLOG = 10_000


class Events:
    """Posts Events one after the other. They are told once, and lost if the API server won't have them."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._backlog: asyncio.Queue[Raw] = asyncio.Queue(_BACKLOG)
        self._instance = socket.gethostname()
        self._count = 0

    def post(self, workload: Raw, note: Note) -> None:
        """Tell something of a Workload, soon."""
        try:
            self._backlog.put_nowait(self._event(workload, note))
        except asyncio.QueueFull:
            logger.warning("too many events wait to be posted; lost one: %s", note.message)

    async def run(self) -> None:
        """Post what comes, until cancelled."""
        while True:
            event = await self._backlog.get()
            try:
                await self._cluster.create(EVENT, event["metadata"]["namespace"], event)
            except ApiError as error:
                logger.debug("an event was not posted: %s", error)
            finally:
                self._backlog.task_done()

    async def drain(self) -> None:
        """Wait until all that was told has been posted."""
        await self._backlog.join()

    def _event(self, workload: Raw, note: Note) -> Raw:
        metadata = workload["metadata"]
        self._count += 1
        return {
            "apiVersion": EVENT.api_version,
            "kind": EVENT.name,
            "metadata": {
                "name": f"{metadata['name']}.{time.time_ns():x}{self._count % 256:02x}",
                "namespace": metadata["namespace"],
            },
            "type": note.type,
            "reason": note.reason,
            "action": note.reason,
            "note": note.message.encode()[:_LONGEST_NOTE].decode(errors="ignore"),
            "eventTime": datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z"),
            "reportingController": _CONTROLLER,
            "reportingInstance": self._instance,
            "regarding": {
                "apiVersion": API_VERSION,
                "kind": "Workload",
                "name": metadata["name"],
                "namespace": metadata["namespace"],
                "uid": metadata["uid"],
                "resourceVersion": metadata["resourceVersion"],
            },
        }
