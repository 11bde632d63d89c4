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
        self._told: set[str] = set()
        #: What kopf watches.
        self.insights = Insights()

    async def run(self, registry: kopf.OperatorRegistry, settings: kopf.OperatorSettings) -> None:
        """Look every so many seconds, until cancelled. kopf's log-in is that of the task that calls this."""
        while True:
            await asyncio.sleep(self._every)
            try:
                await self._look(registry, settings)
            except ApiError as error:
                logger.warning("kinds can't be looked for: %s", error)
            except Exception:  # kopf's scan has its own errors, and passes on those of its client
                logger.exception("kinds can't be looked for")

    async def _look(self, registry: kopf.OperatorRegistry, settings: kopf.OperatorSettings) -> None:
        unwatched = self._unwatched()
        served = await self._cluster.served(unwatched) if unwatched else set()
        for group in sorted({kind.group for kind in served}):
            level = logging.DEBUG if group in self._told else logging.INFO
            logger.log(level, "looking again for the kinds of %s", group)
            self._told.add(group)
            event = RawEvent(type="MODIFIED", object=RawBody(spec={"group": group}))
            await process_discovered_resource_event(
                raw_event=event, settings=settings, registry=registry, insights=self.insights
            )

    def _unwatched(self) -> list[Kind]:
        """The kinds of CustomResourceDefinitions that kopf doesn't watch, once it watches anything."""
        if not self.insights.ready_resources.is_set():
            return []
        watched = {(resource.group, resource.plural) for resource in self.insights.watched_resources}
        seen = (kind for kind in kinds.WATCHED if kind.group and self._scope.sees(kind))
        return [kind for kind in seen if (kind.group, kind.plural) not in watched]
