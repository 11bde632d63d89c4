"""What happened to objects in a namespace, in order, told by the API server afterwards.

A watch from an old resource version repeats everything since. Each write to etcd has a number of its own, so
these versions order the objects of all kinds of one cluster.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.controlplane import Cluster

Manifest = dict[str, Any]


@dataclass(frozen=True)
class Change:
    """ADDED, MODIFIED or DELETED, the object as it was then, and when that was."""

    what: str
    obj: Manifest

    @property
    def version(self) -> int:
        """When, as the number of the write."""
        return int(self.obj["metadata"]["resourceVersion"])


@dataclass(frozen=True)
class Life:
    """From when to when an object was there; `end` is None for one that still is."""

    name: str
    begin: int
    end: int | None

    def overlaps(self, later: Life) -> bool:
        """Whether both were there at some time; `later` began later."""
        return self.end is None or self.end > later.begin


@dataclass(frozen=True)
class History:
    """The changes in a namespace from now on."""

    cluster: Cluster
    namespace: str
    since: str

    @classmethod
    def begin(cls, cluster: Cluster, namespace: str) -> History:
        """From now on."""
        answer = cluster.api.request("GET", cluster.api.path("Pod", namespace))
        return cls(cluster, namespace, answer["metadata"]["resourceVersion"])

    def of(self, kind: str, labels: str = "") -> list[Change]:
        """The changes of a kind so far."""
        query = {
            "watch": "true",
            "resourceVersion": self.since,
            "timeoutSeconds": "1",
            "labelSelector": labels,
        }
        _, stream = self.cluster.api.raw("GET", self.cluster.api.path(kind, self.namespace), query=query)
        events = [json.loads(line) for line in stream.splitlines()]
        assert not any(event["type"] == "ERROR" for event in events), events
        return [Change(event["type"], event["object"]) for event in events]

    def lives(self, kind: str, labels: str = "") -> list[Life]:
        """The lives of a kind's objects that began since, in the order of their beginnings."""
        return sorted(_lives(self.of(kind, labels)), key=lambda life: life.begin)


def _lives(changes: list[Change]) -> Iterator[Life]:
    ends = {c.obj["metadata"]["uid"]: c.version for c in changes if c.what == "DELETED"}
    for change in changes:
        if change.what == "ADDED":
            metadata = change.obj["metadata"]
            yield Life(metadata["name"], change.version, ends.get(metadata["uid"]))
