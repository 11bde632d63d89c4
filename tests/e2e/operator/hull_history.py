"""Every state that the hulls of a namespace were in, in the order of the writes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from tests.controlplane import Api
from tests.e2e.operator.subject import WORKLOAD_LABEL, Manifest
from tests.traffic.follower import Follower

REVISION_LABEL = "twinhull.dev/revision"
_KINDS = ("Pod", "VirtualMachine")


@dataclass(frozen=True)
class Entry:
    """A hull as it was from one write on."""

    change: str
    hull: Manifest

    @property
    def version(self) -> int:
        """The number of the write: they order all kinds of one cluster."""
        return int(self.hull["metadata"]["resourceVersion"])

    @property
    def serves(self) -> bool:
        """Whether it was ready, and to stay."""
        conditions = self.hull.get("status", {}).get("conditions") or ()
        ready = any(found["type"] == "Ready" and found["status"] == "True" for found in conditions)
        return ready and "deletionTimestamp" not in self.hull["metadata"]


class HullHistory:
    """Records in the background, from its creation until it is closed."""

    def __init__(self, api: Api, namespace: str) -> None:
        self._entries: list[Entry] = []
        self._followers = [
            Follower(api, kind, namespace, "twinhull.dev/hull", partial(self._take, kind)) for kind in _KINDS
        ]
        for follower in self._followers:
            follower.start()

    def close(self) -> None:
        """Record no more."""
        for follower in self._followers:
            follower.stop()

    def given(self, since: int = 0) -> Iterator[Manifest]:
        """The hulls that were made or given another revision after a write, as they then were."""
        revisions: dict[str, str] = {}
        for found in self._sorted():
            metadata = found.hull["metadata"]
            revision = metadata["labels"].get(REVISION_LABEL, "")
            last, revisions[metadata["uid"]] = revisions.get(metadata["uid"]), revision
            if found.change != "DELETED" and revision != last and found.version > since:
                yield found.hull

    def hulls_after_each_write(self) -> Iterator[tuple[str, list[Entry]]]:
        """After each write to a hull: its Workload's name, and all the hulls that this then had."""
        hulls: dict[str, dict[str, Entry]] = defaultdict(dict)
        for entry in self._sorted():
            metadata = entry.hull["metadata"]
            name = metadata["labels"][WORKLOAD_LABEL]
            if entry.change == "DELETED":
                hulls[name].pop(metadata["uid"], None)
            else:
                hulls[name][metadata["uid"]] = entry
            yield name, list(hulls[name].values())

    def _sorted(self) -> list[Entry]:
        return sorted(self._entries, key=lambda entry: entry.version)

    def _take(self, kind: str, change: str, hull: Manifest) -> None:
        self._entries.append(Entry(change, {"kind": kind, **hull}))
