"""What happened to objects in a namespace, in order.

Watches record it from the beginning on. The API server could be asked afterwards, but it forgets what is a
minute old if others change many objects meanwhile. Each write to etcd has a number of its own, so the
resource versions order the objects of all kinds of one cluster.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from tests.controlplane import Api, Cluster
from tests.controlplane.polling import PATIENCE

#: The kinds whose changes are recorded.
_KINDS = ("Workload", "Pod", "Service", "ConfigMap", "VirtualMachine", "VirtualMachineInstance")
#: How long each watch goes on, in seconds: two seconds before its end the API server says how far it is.
_WATCH = 3

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


class _Record:
    """The changes of a kind, which a thread records for as long as anybody has the record."""

    def __init__(self, api: Api, kind: str, namespace: str, since: str) -> None:
        self.changes: list[Change] = []
        #: Up to which version all changes are known.
        self.version = since
        #: What ended the recording, None if nothing has.
        self.failure: Exception | None = None
        arguments = (weakref.ref(self), api, kind, namespace)
        threading.Thread(target=_record, args=arguments, daemon=True).start()


def _record(record: weakref.ref[_Record], api: Api, kind: str, namespace: str) -> None:
    while (known := record()) is not None:
        version = known.version
        del known
        try:
            for event in api.watch(kind, namespace, version, labels="", seconds=_WATCH):
                if (known := record()) is None:
                    return
                if event["type"] != "BOOKMARK":
                    known.changes.append(Change(event["type"], event["object"]))
                known.version = event["object"]["metadata"]["resourceVersion"]
                del known
        except Exception as error:  # noqa: BLE001  whoever asks raises it
            if (known := record()) is not None:
                known.failure = error
            return


@dataclass(frozen=True)
class History:
    """The changes in a namespace from now on."""

    cluster: Cluster
    namespace: str
    _records: dict[str, _Record] = field(default_factory=dict)

    @classmethod
    def begin(cls, cluster: Cluster, namespace: str) -> History:
        """From now on."""
        answer = cluster.api.request("GET", cluster.api.path("Pod", namespace))
        since = answer["metadata"]["resourceVersion"]
        records = {kind: _Record(cluster.api, kind, namespace, since) for kind in _KINDS}
        return cls(cluster, namespace, records)

    def of(self, kind: str, labels: str = "") -> list[Change]:
        """The changes of a kind so far, of objects with these labels: `a=b`, or `a` with any value."""
        path = self.cluster.api.path(kind, self.namespace)
        now = int(self.cluster.api.request("GET", path)["metadata"]["resourceVersion"])
        record = self._records[kind]

        def is_told() -> bool:
            if record.failure is not None:
                raise RuntimeError(f"the changes of {kind} aren't all known") from record.failure
            return int(record.version) >= now

        self.cluster.eventually(is_told, PATIENCE, f"all changes of {kind} are told")
        return [change for change in list(record.changes) if _has(change.obj, labels)]

    def lives(self, kind: str, labels: str = "") -> list[Life]:
        """The lives of a kind's objects that began since, in the order of their beginnings."""
        return sorted(_lives(self.of(kind, labels)), key=lambda life: life.begin)


def _lives(changes: list[Change]) -> Iterator[Life]:
    ends = {c.obj["metadata"]["uid"]: c.version for c in changes if c.what == "DELETED"}
    for change in changes:
        if change.what == "ADDED":
            metadata = change.obj["metadata"]
            yield Life(metadata["name"], change.version, ends.get(metadata["uid"]))


def _has(obj: Manifest, labels: str) -> bool:
    """Whether an object has labels."""
    own = obj["metadata"].get("labels") or {}
    pairs = (one.partition("=") for one in labels.split(",") if one)
    return all(key in own and (not equals or own[key] == value) for key, equals, value in pairs)
