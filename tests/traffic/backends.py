"""The backends: what serves at a Pod's address for as long as the Pod is to live, and not a moment longer."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

PORT = 8080
#: How long the answer to a slow request takes, in seconds.
SLOW = 1.0

_BLANK = b"\r\n\r\n"


class Backends:
    """HTTP servers on loopback, by the uid of their Pod.

    The worst of programs: at the first sign that its Pod or machine is to end it is gone, in the middle of a
    request if need be.
    """

    def __init__(self) -> None:
        self._running: dict[str, _Backend] = {}
        self._ended: set[str] = set()

    async def take_pod(self, change: str, pod: dict[str, Any]) -> None:
        """A Pod was seen: of a Workload itself, or of its machine."""
        metadata, status = pod["metadata"], pod.get("status", {})
        if change == "DELETED" or "deletionTimestamp" in metadata:
            self._end(metadata["uid"])
        elif status.get("phase") == "Running":
            await self.start(status["podIP"], metadata["name"], metadata["uid"])

    def take_machine(self, change: str, instance: dict[str, Any]) -> None:
        """A VirtualMachineInstance was seen: its guest is told to end before its launcher Pod is."""
        if change == "DELETED" or "deletionTimestamp" in instance["metadata"]:
            addresses = {found["ipAddress"] for found in instance.get("status", {}).get("interfaces") or ()}
            for uid in [uid for uid, backend in self._running.items() if backend.address in addresses]:
                self._end(uid)

    async def start(self, address: str, pod: str, uid: str) -> None:
        """A Pod runs, and is listened for when this returns. Whoever hears so first says it: simulated Pods
        get ready in the moment they run.
        """
        if uid in self._ended:
            return
        if backend := self._running.get(uid):
            await backend.started.wait()
            return
        backend = self._running[uid] = _Backend(address, pod)
        await backend.start()

    def close(self) -> None:
        """End all of them."""
        for uid in list(self._running):
            self._end(uid)

    def _end(self, uid: str) -> None:
        self._ended.add(uid)
        if backend := self._running.pop(uid, None):
            backend.kill()


class _Backend:
    """One server, which says the name of its Pod."""

    def __init__(self, address: str, name: str) -> None:
        self.address = address
        self._name = name
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.StreamWriter] = set()
        self._killed = False
        self.started = asyncio.Event()

    async def start(self) -> None:
        try:
            self._server = await asyncio.start_server(self._serve, on_loopback(self.address), PORT)
        finally:
            self.started.set()
        if self._killed:
            self._stop_listening(self._server)

    def kill(self) -> None:
        """As the kernel does with a process that ends: it listens no more, and its connections are reset."""
        self._killed = True
        if self._server:
            self._stop_listening(self._server)
        for connection in self._connections:
            connection.transport.abort()

    def _stop_listening(self, server: asyncio.Server) -> None:
        """Accept nothing from now on. The server is closed a turn later: asyncio leaves open and forgets what
        it has accepted and not yet handed to a server that is closed (base_events.Server._attach, 3.11).
        """
        loop = asyncio.get_running_loop()
        for listening in server.sockets:
            loop.remove_reader(listening.fileno())
        loop.call_soon(server.close)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._killed:
            writer.transport.abort()
            return
        self._connections.add(writer)
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            request = await reader.readuntil(_BLANK)
            if request.startswith(b"GET /slow "):
                await asyncio.sleep(SLOW)
            body = self._name.encode()
            writer.write(
                b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close%s%s" % (len(body), _BLANK, body)
            )
            await writer.drain()
        self._connections.discard(writer)
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


def on_loopback(address: str) -> str:
    """Where a Pod's address is on this machine: 127.x.y.z for 10.x.y.z."""
    network, rest = address.split(".", 1)
    assert network == "10", f"{address} is no Pod's address here"
    return f"127.{rest}"
