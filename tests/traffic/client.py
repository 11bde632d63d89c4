"""The client: one request after the other, whatever becomes of them, and a record of all."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from itertools import count, pairwise

from tests.traffic.backends import PORT, on_loopback
from tests.traffic.proxy import Proxy

#: The time from one request to the next, in seconds.
_PAUSE = 0.05
#: Which of them is slow: one in so many.
_SLOW_ONE = 10
#: How long an answer may take, in seconds.
_PATIENCE = 180.0


@dataclass(frozen=True)
class Request:
    """When it was made, the Pod that answered, and why none did."""

    began: float
    pod: str = ""
    error: str = ""


@dataclass
class Record:
    """Every request to one Service."""

    requests: list[Request] = field(default_factory=list)

    @property
    def lost(self) -> list[Request]:
        """Those without an answer."""
        return [request for request in self.requests if request.error]

    def answered(self, hull: str, since: float) -> bool:
        """Whether a hull has answered since a moment: a Pod, or the launcher Pod of a machine."""
        pods = {request.pod for request in self.requests if request.began >= since}
        return any(pod == hull or pod.startswith(f"virt-launcher-{hull}-") for pod in pods)

    def gap(self, since: float) -> float:
        """The longest time from one request that was answered to the next one, in seconds."""
        answered = [found.began for found in self.requests if found.pod and found.began >= since]
        return max((after - before for before, after in pairwise(sorted(answered))), default=0.0)


async def ask(proxy: Proxy, service: str, record: Record) -> None:
    """Ask a Service, from when it leads somewhere until cancelled; what is under way then is waited for."""
    await proxy.leads_somewhere(service)
    under_way: set[asyncio.Task[None]] = set()
    try:
        for number in count():
            path = "/slow" if number % _SLOW_ONE == 0 else "/"
            task = asyncio.create_task(_request(proxy, service, path, record))
            under_way.add(task)
            task.add_done_callback(under_way.discard)
            await asyncio.sleep(_PAUSE)
    finally:
        await asyncio.gather(*under_way)


async def _request(proxy: Proxy, service: str, path: str, record: Record) -> None:
    began = time.monotonic()
    endpoint = proxy.choose(service)
    if endpoint is None:
        record.requests.append(Request(began, error="the Service has no endpoint"))
        return
    try:
        async with asyncio.timeout(_PATIENCE):
            pod = await _get(on_loopback(endpoint.address), path)
    except (OSError, TimeoutError, asyncio.IncompleteReadError) as error:
        record.requests.append(Request(began, error=f"{endpoint.pod}: {type(error).__name__}"))
    else:
        record.requests.append(Request(began, pod))


async def _get(address: str, path: str) -> str:
    """The body of the answer: the name of the Pod that gave it."""
    reader, writer = await asyncio.open_connection(address, PORT)
    try:
        writer.write(f"GET {path} HTTP/1.1\r\nHost: {address}\r\n\r\n".encode())
        await writer.drain()
        head = await reader.readuntil(b"\r\n\r\n")
        length = head.partition(b"Content-Length: ")[2].partition(b"\r\n")[0]
        return (await reader.readexactly(int(length))).decode()
    finally:
        writer.close()
