"""QEMU's control socket.

https://www.qemu.org/docs/master/interop/qmp-spec.html
"""

from __future__ import annotations

import json
import socket
import threading
from typing import TYPE_CHECKING, Any

from tests.controlplane.polling import PATIENCE

if TYPE_CHECKING:
    from pathlib import Path


class Qmp:
    """A connection that keeps the events that QEMU has sent. Several threads may use it."""

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()  # a thread that looks for events would take another's answer
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(PATIENCE)
        try:
            self._socket.connect(str(path))
        except OSError:
            self._socket.close()
            raise
        self._rest = b""
        self._events: list[dict[str, Any]] = []
        self._read()  # its greeting
        self.execute("qmp_capabilities")

    def execute(self, command: str, **arguments: Any) -> Any:
        """What a command gives. Arguments have _ for -."""
        named = {key.replace("_", "-"): value for key, value in arguments.items()}
        with self._lock:
            self._socket.sendall(json.dumps({"execute": command, "arguments": named}).encode() + b"\n")
            while True:
                answer = self._read()
                if "return" in answer:
                    return answer["return"]
                if "error" in answer:
                    raise OSError(f"{command}: {answer['error']['desc']}")

    def events(self) -> list[dict[str, Any]]:
        """All events that QEMU has sent so far: SHUTDOWN with its reason, GUEST_PANICKED, …"""
        with self._lock:
            self._socket.settimeout(0.01)
            try:
                while True:
                    self._read()
            except OSError:  # nothing more now, or for ever
                return list(self._events)
            finally:
                self._socket.settimeout(PATIENCE)

    def close(self) -> None:
        """Closes the connection."""
        self._socket.close()

    def _read(self) -> dict[str, Any]:
        while b"\n" not in self._rest:
            received = self._socket.recv(65536)
            if not received:
                raise ConnectionResetError("QEMU has closed its control socket")
            self._rest += received
        line, _, self._rest = self._rest.partition(b"\n")
        message: dict[str, Any] = json.loads(line)
        if "event" in message:
            self._events.append(message)
        return message
