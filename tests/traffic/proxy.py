"""The proxy: a table of where each Service leads, kept as kube-proxy keeps it."""

from __future__ import annotations

import asyncio
import random
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

_SERVICE_LABEL = "kubernetes.io/service-name"


@dataclass(frozen=True, order=True)
class Endpoint:
    """An address, the Pod that has it, and whether that is ready."""

    address: str
    pod: str
    uid: str
    ready: bool


#: Where each Service leads.
Table = dict[str, list[Endpoint]]


class Proxy:
    """Endpoints by Service. What is published takes effect when `sync` is called, and not before.

    Those that are ready get the traffic. If there are none, those do that serve though their Pod is to end
    (https://kubernetes.io/docs/concepts/services-networking/service-traffic-policy/).
    """

    def __init__(self) -> None:
        self._published: dict[str, dict[str, list[Endpoint]]] = defaultdict(dict)
        self._table: Table = {}
        self._known: dict[str, asyncio.Event] = defaultdict(asyncio.Event)

    def take(self, change: str, endpoint_slice: dict[str, Any]) -> None:
        """An EndpointSlice was seen."""
        metadata = endpoint_slice["metadata"]
        slices = self._published[metadata["labels"][_SERVICE_LABEL]]
        if change == "DELETED":
            slices.pop(metadata["name"], None)
        else:
            slices[metadata["name"]] = list(_serving(endpoint_slice.get("endpoints") or ()))

    def published(self) -> Table:
        """What the table would be by what is published so far."""
        table: Table = {}
        for service, slices in self._published.items():
            found = [endpoint for endpoints in slices.values() for endpoint in endpoints]
            table[service] = [endpoint for endpoint in found if endpoint.ready] or found
        return table

    def sync(self, table: Table) -> None:
        """Make this the table."""
        self._table = table
        for service, found in table.items():
            if found:
                self._known[service].set()

    def choose(self, service: str) -> Endpoint | None:
        """Where the next connection goes, None if it is refused."""
        return random.choice(found) if (found := self._table.get(service)) else None  # noqa: S311

    async def leads_somewhere(self, service: str) -> None:
        """Wait for a Service's first endpoint."""
        await self._known[service].wait()


def _serving(endpoints: Iterable[dict[str, Any]]) -> Iterator[Endpoint]:
    """The endpoints that may get traffic; one that says nothing of its conditions is ready."""
    for endpoint in endpoints:
        conditions, pod = endpoint.get("conditions") or {}, endpoint["targetRef"]
        ready = conditions.get("ready") is not False
        if ready or (conditions.get("serving") and conditions.get("terminating")):
            for address in endpoint["addresses"]:
                yield Endpoint(address, pod["name"], pod["uid"], ready)
