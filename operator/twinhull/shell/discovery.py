"""Kinds that kopf has missed: it looks for them again."""

from __future__ import annotations

import asyncio
import logging

import kopf
from kopf._cogs.structs.bodies import RawBody, RawEvent
from kopf._cogs.structs.references import Insights
from kopf._core.reactor.observation import process_discovered_resource_event

from twinhull.shell import kinds
from twinhull.shell.cluster import Cluster
from twinhull.shell.errors import ApiError
from twinhull.shell.kinds import Kind
from twinhull.shell.scope import Scope

logger = logging.getLogger(__name__)


class Discovery:
    """Sees to it that every kind that is served is watched.

    kopf looks for the kinds of a group when one of its CustomResourceDefinitions changes, and the API server
    may be about to serve the last one just then: it is in no list yet, nothing changes any more, and kopf
    never watches it.
    """

    def __init__(self, cluster: Cluster, scope: Scope, every: float) -> None:
        self._cluster = cluster
        self._scope = scope
        self._every = every
        #: What kopf watches.
        self.insights = Insights()

    async def run(self, registry: kopf.OperatorRegistry, settings: kopf.OperatorSettings) -> None:
        """Look every so many seconds, until cancelled. kopf's log-in is that of the task that calls this."""
        while True:
            await asyncio.sleep(self._every)
            try:
                groups = {
                    kind.group for kind in self._unwatched() if await self._cluster.list(kind) is not None
                }
            except ApiError as error:
                logger.debug("kinds can't be looked for: %s", error)
                continue
            for group in sorted(groups):
                logger.info("looking again for the kinds of %s", group)
                event = RawEvent(type="MODIFIED", object=RawBody(spec={"group": group}))
                await process_discovered_resource_event(
                    raw_event=event, settings=settings, registry=registry, insights=self.insights
                )

    def _unwatched(self) -> list[Kind]:
        watched = {(resource.group, resource.plural) for resource in self.insights.watched_resources}
        return [
            kind
            for kind in filter(self._scope.sees, kinds.WATCHED)
            if self.insights.ready_resources.is_set() and (kind.group, kind.plural) not in watched
        ]
