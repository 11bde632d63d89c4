"""Traffic to the Services of a namespace, in the background of a test."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Iterable
from functools import partial
from types import TracebackType
from typing import Any, Self

from tests.controlplane import Api
from tests.traffic.backends import Backends
from tests.traffic.client import Record, ask
from tests.traffic.follower import Follower
from tests.traffic.proxy import Proxy

#: kube-proxy's default iptables.minSyncPeriod, in seconds: how long a change may wait to take effect.
_SYNC = 1.0

_OF_WORKLOADS = "twinhull.dev/workload"


class Traffic:
    """Clients of some Services, from `with` on until its end. `records` are their requests, by Service."""

    def __init__(self, api: Api, namespace: str, services: Iterable[str]) -> None:
        self.records = {service: Record() for service in services}
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="traffic", daemon=True)
        self._backends, self._proxy = Backends(), Proxy()
        self._news: asyncio.Queue[tuple[str, str, dict[str, Any]]] = asyncio.Queue()
        self._tasks: list[asyncio.Task[None]] = []
        self._failures: list[Exception] = []
        self._followers = [
            Follower(api, kind, namespace, _OF_WORKLOADS, partial(self._tell, kind))
            for kind in ("Pod", "VirtualMachineInstance", "EndpointSlice")
        ]

    def __enter__(self) -> Self:
        self._thread.start()
        for follower in self._followers:
            follower.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._cancel)
        self._thread.join()
        for follower in self._followers:
            follower.stop()
        if self._failures:
            raise self._failures[0]

    def flows(self) -> bool:
        """Whether every Service has answered."""
        return all(record.requests for record in self.records.values())

    def now(self) -> float:
        """The time that records are kept in."""
        return time.monotonic()

    def _tell(self, kind: str, change: str, obj: dict[str, Any]) -> None:
        """A follower's news, in its thread."""
        with contextlib.suppress(RuntimeError):  # the loop has ended
            self._loop.call_soon_threadsafe(self._news.put_nowait, (kind, change, obj))

    def _run(self) -> None:
        with contextlib.suppress(asyncio.CancelledError):
            self._loop.run_until_complete(self._serve())
        self._loop.close()

    def _cancel(self) -> None:
        for task in self._tasks:
            task.cancel()

    async def _serve(self) -> None:
        asking = [ask(self._proxy, service, record) for service, record in self.records.items()]
        self._tasks = [asyncio.create_task(work) for work in (self._take(), self._sync(), *asking)]
        ends = await asyncio.gather(*self._tasks, return_exceptions=True)
        self._failures += [end for end in ends if isinstance(end, Exception)]
        self._backends.close()
        await asyncio.sleep(0)  # servers are closed a turn later
        while left := asyncio.all_tasks() - {asyncio.current_task()}:  # connections that are just ending
            await asyncio.gather(*left, return_exceptions=True)

    async def _take(self) -> None:
        while True:
            kind, change, obj = await self._news.get()
            if kind == "EndpointSlice":
                self._proxy.take(change, obj)
            elif kind == "Pod":
                await self._backends.take_pod(change, obj)
            else:
                self._backends.take_machine(change, obj)

    async def _sync(self) -> None:
        while True:
            table = self._proxy.published()
            for endpoint in (one for found in table.values() for one in found if one.ready):
                await self._backends.start(endpoint.address, endpoint.pod, endpoint.uid)
            self._proxy.sync(table)
            await asyncio.sleep(_SYNC)
