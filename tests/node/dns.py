"""The cluster's DNS, as far as a guest asks it: the addresses of Services.

RFC 1035 for the messages, https://github.com/kubernetes/dns/blob/master/docs/specification.md for the names.
"""

from __future__ import annotations

import ipaddress
import socketserver
import struct
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.controlplane import Api

PORT = 53
_SERVICES = ("svc", "cluster", "local")
_HEADER = struct.Struct(">6H")
_ADDRESS, _INTERNET = 1, 1  # type A, class IN
_NO_SUCH_NAME = 3
_RESPONSE = 0x8400  # this is an answer, by the one who has to know
_SECONDS = 5


class ClusterDns:
    """Answers at an address, in a thread of its own, until it is closed."""

    def __init__(self, address: str, api: Api) -> None:
        class Asked(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                data, socket = self.request
                socket.sendto(answer(data, lambda name: _cluster_ip(api, name)), self.client_address)

        self._server = socketserver.ThreadingUDPServer((address, PORT), Asked)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Ends it."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(10)


def answer(question: bytes, address: Callable[[tuple[str, ...]], str | None]) -> bytes:
    """The answer to a message with one question. `address` gives that of a host, by its name's parts, None
    for a host that isn't there.
    """
    number, flags, *_ = _HEADER.unpack_from(question)
    name, end = _name(question)
    kind, _ = struct.unpack_from(">2H", question, end)
    query = question[_HEADER.size : end + 4]
    host = address(name)
    recursion = flags & 0x0100
    if host is None:
        return _HEADER.pack(number, _RESPONSE | recursion | _NO_SUCH_NAME, 1, 0, 0, 0) + query
    if kind != _ADDRESS:
        return _HEADER.pack(number, _RESPONSE | recursion, 1, 0, 0, 0) + query
    # The name again, by where it begins in this message.
    record = struct.pack(">3HIH", 0xC000 | _HEADER.size, _ADDRESS, _INTERNET, _SECONDS, 4)
    packed = ipaddress.IPv4Address(host).packed
    return _HEADER.pack(number, _RESPONSE | recursion, 1, 1, 0, 0) + query + record + packed


def _name(message: bytes) -> tuple[tuple[str, ...], int]:
    """The parts of the name that is asked for, and where it ends."""
    parts, at = [], _HEADER.size
    while length := message[at]:
        parts.append(message[at + 1 : at + 1 + length].decode("ascii").lower())
        at += 1 + length
    return tuple(parts), at + 1


def _cluster_ip(api: Api, name: tuple[str, ...]) -> str | None:
    if len(name) != 2 + len(_SERVICES) or name[2:] != _SERVICES:
        return None
    service = api.get("Service", name[0], name[1])
    return service["spec"].get("clusterIP") if service else None
