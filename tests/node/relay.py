"""A relay between a command and the API server, whose connections can be cut as a broken network does it."""

from __future__ import annotations

import socket
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Self

from tests.controlplane.ports import LOOPBACK

if TYPE_CHECKING:
    from collections.abc import Iterator

_PIECE = 1 << 16


class Relay:
    """Takes connections at a port of its own, and hands on what comes by them."""

    def __init__(self, target: int) -> None:
        """To a port of loopback."""
        self._target = target
        self._listener = socket.create_server((LOOPBACK, 0))
        self.port: int = self._listener.getsockname()[1]
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()

    @classmethod
    @contextmanager
    def to(cls, target: int) -> Iterator[Self]:
        """One to a port of loopback, until the end of the context."""
        relay = cls(target)
        threading.Thread(target=relay._listen, daemon=True).start()
        try:
            yield relay
        finally:
            relay._listener.close()
            relay.cut()

    def cut(self) -> int:
        """Cut all connections. How many there were."""
        with self._lock:
            cut, self._open = self._open, set()
        for one in cut:
            with suppress(OSError):  # the other end has closed it
                one.shutdown(socket.SHUT_RDWR)
        return len(cut) // 2

    def _listen(self) -> None:
        with suppress(OSError):  # it is closed
            while True:
                taken, _ = self._listener.accept()
                threading.Thread(target=self._join, args=(taken,), daemon=True).start()

    def _join(self, taken: socket.socket) -> None:
        """Hand on what comes by a connection, in both directions, until both have ended. One that can't be
        handed on is closed.
        """
        with suppress(OSError), taken, socket.create_connection((LOOPBACK, self._target)) as handed:
            with self._lock:
                self._open |= {taken, handed}
            back = threading.Thread(target=_hand_on, args=(handed, taken), daemon=True)
            back.start()
            _hand_on(taken, handed)
            back.join()
            with self._lock:
                self._open -= {taken, handed}


def _hand_on(source: socket.socket, destination: socket.socket) -> None:
    with suppress(OSError):  # it was cut
        while piece := source.recv(_PIECE):
            destination.sendall(piece)
    with suppress(OSError):
        destination.shutdown(socket.SHUT_WR)
