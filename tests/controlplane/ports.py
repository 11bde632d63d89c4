"""Free ports on loopback."""

from __future__ import annotations

import fcntl
import os
import random
import socket
import tempfile
from functools import cache
from pathlib import Path
from typing import BinaryIO

LOOPBACK = "127.0.0.1"
_RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")
_LOWEST = 10000
#: Those that this process has been given.
_given: set[int] = set()


def free_ports(count: int) -> list[int]:
    """That many ports nobody listens on, below those that the kernel gives to outgoing connections: one of
    those can be gone to some client between this look and the server's start.

    Each is given once, as long as this process lives: control planes are started side by side, and look for
    ports before their servers listen.
    """
    highest = int(_RANGE.read_text(encoding="ascii").split()[0]) if _RANGE.exists() else 32768
    if highest <= _LOWEST + 1000:
        highest = 65536
    ports: list[int] = []
    for port in random.sample(range(_LOWEST, highest), highest - _LOWEST):
        if len(ports) == count:
            break
        if _is_free(port) and _is_reserved(port):
            ports.append(port)
    return ports


def _is_reserved(port: int) -> bool:
    """Reserves a port for this process; False if it was given to this one or another already."""
    if port in _given:
        return False
    try:
        fcntl.lockf(_reservations(), fcntl.LOCK_EX | fcntl.LOCK_NB, 1, port)
    except OSError:
        return False
    _given.add(port)
    return True


@cache
def _reservations() -> BinaryIO:
    """A file of which a process locks one byte for each of its ports. The kernel unlocks them at its end."""
    return (Path(tempfile.gettempdir()) / f"twinhull-ports-{os.getuid()}").open("ab")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True
