"""What happened to objects in a namespace, in order, told by the API server afterwards.

A watch from an old resource version repeats everything since. Each write to etcd has a number of its own, so
these versions order the objects of all kinds of one cluster.
"""

from __future__ import annotations

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
        self.cluster.api.list(
            kind, self.namespace
        )  # from now on watches are served from what is as new as this
        return self.cluster.eventually(
            lambda: (self._so_far(kind, labels),), 30, f"all changes of {kind} are told"
        )[0]

    def _so_far(self, kind: str, labels: str) -> list[Change]:
        """What is told up to a bookmark. The API server sends one two seconds before a watch ends, behind all
        that has been; raises LookupError if it hasn't come to that.
        """
        changes: list[Change] = []
        for event in self.cluster.api.watch(kind, self.namespace, self.since, labels=labels, seconds=3):
            if event["type"] == "BOOKMARK":
                return changes
            changes.append(Change(event["type"], event["object"]))
        raise LookupError(f"the watch has ended after {len(changes)} changes")

    def lives(self, kind: str, labels: str = "") -> list[Life]:
        """The lives of a kind's objects that began since, in the order of their beginnings."""
        return sorted(_lives(self.of(kind, labels)), key=lambda life: life.begin)


def _lives(changes: list[Change]) -> Iterator[Life]:
    ends = {c.obj["metadata"]["uid"]: c.version for c in changes if c.what == "DELETED"}
    for change in changes:
        if change.what == "ADDED":
            metadata = change.obj["metadata"]
            yield Life(metadata["name"], change.version, ends.get(metadata["uid"]))
