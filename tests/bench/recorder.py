"""The stopwatch: one watch, which notes when each object was first seen, and first seen ready."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import urllib3
from kubernetes import client, config

from tests.controlplane import eventually

_LONGEST = 900  # seconds


class Recorder(threading.Thread):
    """Watches from now on until `goal` objects have been seen ready. Times are of the monotonic clock."""

    def __init__(
        self, kubeconfig: Path, collection: str, ready: Callable[[dict[str, Any]], bool], goal: int
    ) -> None:
        super().__init__(name=f"watch of {collection}", daemon=True)
        self.created: dict[str, float] = {}
        self.ready: dict[str, float] = {}
        self._ready = ready
        self._goal = goal
        self._problem: Exception | None = None
        self._pool, server = _connection(kubeconfig)
        self._url = f"{server}{collection}"
        listed = self._pool.request("GET", f"{self._url}?limit=1").json()
        self._version = listed["metadata"]["resourceVersion"]
        self.start()

    def run(self) -> None:
        """Watch until the goal is reached; the API server ends a watch now and then."""
        try:
            while len(self.ready) < self._goal:
                self._watch()
        except Exception as problem:  # noqa: BLE001  told to the main thread
            self._problem = problem

    def wait(self, alive: Callable[[], None]) -> None:
        """Wait until the goal is reached. Raises NeverHappened, or what `alive` does."""
        what = f"{self._goal} are seen by the {self.name}"
        eventually(self._done, _LONGEST, what, alive=alive, interval=0.05)

    def _done(self) -> bool:
        if self._problem is not None:
            raise RuntimeError(f"the {self.name} broke") from self._problem
        if len(self.ready) < self._goal:
            raise AssertionError(f"{len(self.created)} there, {len(self.ready)} ready")
        return True

    def _watch(self) -> None:
        """One watch, from where the last one ended."""
        query = f"watch=true&resourceVersion={self._version}&timeoutSeconds={_LONGEST}"
        with self._pool.request("GET", f"{self._url}?{query}", preload_content=False) as lines:
            for line in lines:
                now = time.monotonic()
                event = json.loads(line)
                if event["type"] == "ERROR":
                    raise RuntimeError(event["object"]["message"])
                name = event["object"]["metadata"]["name"]
                self._version = event["object"]["metadata"]["resourceVersion"]
                self.created.setdefault(name, now)
                if self._ready(event["object"]):
                    self.ready.setdefault(name, now)
                if len(self.ready) >= self._goal:
                    return


def _connection(kubeconfig: Path) -> tuple[urllib3.PoolManager, str]:
    settings = client.Configuration()
    config.load_kube_config(str(kubeconfig), client_configuration=settings, persist_config=False)  # type: ignore[no-untyped-call]
    pool = urllib3.PoolManager(
        ca_certs=settings.ssl_ca_cert,
        cert_file=settings.cert_file,
        key_file=settings.key_file,
        timeout=urllib3.Timeout(connect=5, read=120),
        retries=False,
    )
    return pool, settings.host
