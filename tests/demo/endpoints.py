"""What is behind a Service, as its EndpointSlices publish it: now, and through a change."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.controlplane import Api


@dataclass(frozen=True, order=True)
class Endpoint:
    """An address that traffic is sent to, and the Pod that has it."""

    address: str
    pod: str


Endpoints = frozenset[Endpoint]

_SERVICE = "kubernetes.io/service-name"


@dataclass(frozen=True)
class PublishedEndpoints:
    """What a Service's slices said, and the resource version that they said it at."""

    slices: dict[str, Endpoints]
    version: str

    @property
    def endpoints(self) -> Endpoints:
        """Those of all slices."""
        return frozenset[Endpoint]().union(*self.slices.values())


def now(api: Api, namespace: str, service: str) -> PublishedEndpoints:
    """What is published now."""
    query = {"labelSelector": f"{_SERVICE}={service}"}
    answer = api.request("GET", api.path("EndpointSlice", namespace), query=query)
    slices = {found["metadata"]["name"]: _ready(found) for found in answer["items"]}
    return PublishedEndpoints(slices, answer["metadata"]["resourceVersion"])


def since(api: Api, namespace: str, service: str, known: PublishedEndpoints) -> list[Endpoints]:
    """Everything that was published from `known` until now, in order, beginning with that.

    A watch from a past resource version gives every change since, so none is missed by looking too late.
    """
    query = {
        "labelSelector": f"{_SERVICE}={service}",
        "resourceVersion": known.version,
        "timeoutSeconds": "1",
        "watch": "true",
    }
    _, lines = api.raw("GET", api.path("EndpointSlice", namespace), query=query)
    slices, seen = dict(known.slices), [known]
    for event in map(json.loads, lines.splitlines()):
        found = event["object"]
        if event["type"] == "DELETED":
            slices.pop(found["metadata"]["name"], None)
        else:
            slices[found["metadata"]["name"]] = _ready(found)
        seen.append(PublishedEndpoints(dict(slices), found["metadata"]["resourceVersion"]))
    return _without_repeats(published.endpoints for published in seen)


def _ready(endpoint_slice: dict[str, Any]) -> Endpoints:
    """The endpoints of a slice that get traffic; one that says nothing of it does."""
    return frozenset(
        Endpoint(address, endpoint["targetRef"]["name"])
        for endpoint in endpoint_slice.get("endpoints") or ()
        if endpoint.get("conditions", {}).get("ready") is not False
        for address in endpoint["addresses"]
    )


def _without_repeats(seen: Iterable[Endpoints]) -> list[Endpoints]:
    kept: list[Endpoints] = []
    for endpoints in seen:
        if not kept or kept[-1] != endpoints:
            kept.append(endpoints)
    return kept
