"""Free ports on loopback."""

from __future__ import annotations

import random
import socket
from pathlib import Path

LOOPBACK = "127.0.0.1"
_RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")
_LOWEST = 10000


def free_ports(count: int) -> list[int]:
    """That many ports nobody listens on, below those that the kernel gives to outgoing connections.

    One of those can be gone to some client between this look and the server's start.
    """
    highest = int(_RANGE.read_text(encoding="ascii").split()[0]) if _RANGE.exists() else 32768
    if highest <= _LOWEST + 1000:
        highest = 65536
    ports: list[int] = []
    for port in random.sample(range(_LOWEST, highest), highest - _LOWEST):
        if len(ports) == count:
            break
        if _is_free(port):
            ports.append(port)
    return ports


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True
