"""The nodes' network: a bridge in this process's own network namespace, and the way to Services and Pods.

`python -m tests.node` gives the tests a network namespace of their own: nothing here touches the machine's.
"""

from __future__ import annotations

import asyncio
import subprocess
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests.controlplane.components import SERVICES
from tests.controlplane.polling import PATIENCE

#: The bridge's own address, by which nodes and Pods reach what runs beside the nodes.
GATEWAY = "10.99.0.1"
#: Where the API server is reached there; its own address is loopback's.
API_PORT = 6443
#: The addresses of all nodes' Pods.
POD_NETWORKS = "10.244.0.0/16"
_BRIDGE = "nodes"


def node_address(number: int) -> str:
    """The address of a node."""
    return f"10.99.0.{10 + number}"


def pod_network(number: int) -> str:
    """The addresses of a node's Pods."""
    return f"10.244.{number}.0/24"


@dataclass
class Network:
    """The bridge; it goes with the namespace."""

    _forwards: list[_Forward] = field(default_factory=list)

    @classmethod
    def create(cls) -> Network:
        """Makes it."""
        ip("link", "set", "lo", "up")
        ip("link", "add", _BRIDGE, "type", "bridge")
        ip("address", "add", f"{GATEWAY}/24", "dev", _BRIDGE)
        ip("link", "set", _BRIDGE, "up")
        # Pods of one node reach those of another this way.
        Path("/proc/sys/net/ipv4/ip_forward").write_text("1", encoding="ascii")
        return cls()

    def attach(self, number: int, pid: int) -> None:
        """Gives a node, by its first process, its network card, and leads to its Pods; the first node's
        kube-proxy leads to Services, too.
        """
        card = f"node{number}"
        ip("link", "add", card, "type", "veth", "peer", "name", "eth0", "netns", str(pid))
        ip("link", "set", card, "master", _BRIDGE, "up")
        ip("route", "add", pod_network(number), "via", node_address(number))
        if number == 1:
            ip("route", "add", SERVICES, "via", node_address(number))

    def serve_api(self, port: int) -> None:
        """Hands connections to the bridge's address on to the API server's port of loopback."""
        forward = _Forward(GATEWAY, API_PORT, port)
        forward.start()
        self._forwards.append(forward)

    def close(self) -> None:
        """Ends the forwarding."""
        for forward in self._forwards:
            forward.stop()


def ip(*arguments: str) -> None:
    """Runs the program ip. Raises CalledProcessError, with what it complained of as a note."""
    done = subprocess.run(["ip", *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        error = subprocess.CalledProcessError(done.returncode, ["ip", *arguments])
        error.add_note(done.stderr.strip())
        raise error


class _Forward:
    """One forwarded port, served by a thread of its own."""

    def __init__(self, address: str, port: int, local: int) -> None:
        self._where, self._local = (address, port), local
        self._loop = asyncio.new_event_loop()
        self._listening = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        self._thread.start()
        if not self._listening.wait(PATIENCE):
            raise TimeoutError(f"{self._where} isn't listened on")

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    def _run(self) -> None:
        server = self._loop.run_until_complete(asyncio.start_server(self._serve, *self._where))
        self._listening.set()
        self._loop.run_forever()
        server.close()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_complete(asyncio.sleep(0))
        self._loop.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            local_reader, local_writer = await asyncio.open_connection("127.0.0.1", self._local)
        except OSError:
            writer.close()
            return
        await asyncio.gather(_copy(reader, local_writer), _copy(local_reader, writer))


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError, OSError):
        while data := await reader.read(1 << 16):
            writer.write(data)
            await writer.drain()
    with suppress(ConnectionError, OSError):
        writer.close()
