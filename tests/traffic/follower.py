"""Following a kind of object: all there is, and from then on every change, in order."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from tests.controlplane import Api

Take = Callable[[str, dict[str, Any]], None]

#: How long one watch lasts, in seconds, and so how long it takes to stop.
_LASTS = 2


class Follower(threading.Thread):
    """A thread that tells `take` of each change (ADDED, MODIFIED, DELETED) of a kind, until it is stopped."""

    def __init__(self, api: Api, kind: str, namespace: str, labels: str, take: Take) -> None:
        super().__init__(name=f"follows {kind}", daemon=True)
        self._api = api
        self._kind = kind
        self._namespace = namespace
        self._labels = labels
        self._take = take
        self._stopping = threading.Event()
        self.failure: Exception | None = None

    def stop(self) -> None:
        """Stop, and raise what it failed of, if it did."""
        self._stopping.set()
        self.join()
        if self.failure:
            raise self.failure

    def run(self) -> None:
        try:
            self._follow()
        except Exception as failure:  # noqa: BLE001  raised where it is stopped
            self.failure = failure

    def _follow(self) -> None:
        path = self._api.path(self._kind, self._namespace)
        listed = self._api.request("GET", path, query={"labelSelector": self._labels})
        for obj in listed["items"]:
            self._take("ADDED", obj)
        version = listed["metadata"]["resourceVersion"]
        while not self._stopping.is_set():
            for event in self._api.watch(
                self._kind, self._namespace, version, labels=self._labels, seconds=_LASTS
            ):
                version = event["object"]["metadata"]["resourceVersion"]
                if event["type"] != "BOOKMARK":
                    self._take(event["type"], event["object"])
