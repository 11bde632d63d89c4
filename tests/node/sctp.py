"""An SCTP client that is told one message. It uses a raw socket, since this kernel may have no SCTP.

RFC 9260: the four-way handshake, one DATA chunk, and an ABORT.
"""

from __future__ import annotations

import secrets
import socket
import struct
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_PROTOCOL = 132
_DATA, _INIT, _INIT_ACK, _SACK, _ABORT, _COOKIE_ECHO = 0, 1, 2, 3, 6, 10
_IPV4_ADDRESS, _STATE_COOKIE = 5, 7
_WINDOW = 1 << 16
#: How long an answer may take: seconds, of an emulated machine beside others.
_PATIENCE = 180.0


@dataclass(frozen=True)
class _Chunk:
    """A chunk of a packet, without the padding behind it."""

    kind: int
    flags: int
    value: bytes


@dataclass(frozen=True)
class Server:
    """What a server says first, and the addresses that it names beside the one that was asked."""

    message: bytes
    addresses: tuple[str, ...] = ()


def ask(address: str, port: int) -> Server:
    """Begins an association, and ends it at the first message. Raises TimeoutError; needs CAP_NET_RAW."""
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, _PROTOCOL) as connection:
        connection.connect((address, 0))
        return _Association(connection, port).first_message()


@dataclass
class _Association:
    """One that is to be. The tags are what each side puts into its packets for the other."""

    connection: socket.socket
    port: int
    own_port: int = field(default_factory=lambda: 49152 + secrets.randbelow(16384))
    tag: int = 0
    own_tag: int = field(default_factory=lambda: 1 + secrets.randbelow((1 << 32) - 1))

    def first_message(self) -> Server:
        begin = struct.pack("!IIHHI", self.own_tag, _WINDOW, 1, 1, 0)
        answer = self._ask(_Chunk(_INIT, 0, begin), _INIT_ACK)
        (self.tag,) = struct.unpack_from("!I", answer.value)
        parameters = list(_parameters(answer.value[16:]))
        addresses = tuple(socket.inet_ntoa(value) for kind, value in parameters if kind == _IPV4_ADDRESS)
        cookie = next(value for kind, value in parameters if kind == _STATE_COOKIE)
        data = self._ask(_Chunk(_COOKIE_ECHO, 0, cookie), _DATA)
        (number,) = struct.unpack_from("!I", data.value)
        self._send(_Chunk(_SACK, 0, struct.pack("!IIHH", number, _WINDOW, 0, 0)))
        self._send(_Chunk(_ABORT, 0, b""))
        return Server(data.value[12:], addresses)

    def _ask(self, chunk: _Chunk, wanted: int) -> _Chunk:
        """The first answer of a kind; the question is sent again until then, as packets may be lost."""
        deadline = time.monotonic() + _PATIENCE
        while time.monotonic() < deadline:
            self._send(chunk)
            for answer in self._received(min(deadline, time.monotonic() + 2)):
                if answer.kind == wanted:
                    return answer
        raise TimeoutError(f"no chunk of type {wanted} has come in answer to one of type {chunk.kind}")

    def _send(self, chunk: _Chunk) -> None:
        text = struct.pack("!BBH", chunk.kind, chunk.flags, 4 + len(chunk.value)) + chunk.value
        text += bytes(-len(text) % 4)
        header = struct.pack("!HHI", self.own_port, self.port, self.tag)
        checksum = struct.pack("<I", crc32c(header + bytes(4) + text))
        self.connection.send(header + checksum + text)

    def _received(self, deadline: float) -> Iterator[_Chunk]:
        while (left := deadline - time.monotonic()) > 0:
            self.connection.settimeout(left)
            try:
                packet = self.connection.recv(_WINDOW)
            except TimeoutError:
                return
            packet = packet[4 * (packet[0] & 15) :]  # without the header of IPv4, whose length that is
            ports_and_tag = struct.unpack_from("!HHI", packet)
            if ports_and_tag == (self.port, self.own_port, self.own_tag):
                yield from _chunks(packet[12:])


def _chunks(text: bytes) -> Iterator[_Chunk]:
    while len(text) >= 4:
        kind, flags, length = struct.unpack_from("!BBH", text)
        yield _Chunk(kind, flags, text[4:length])
        text = text[max(4, length + -length % 4) :]


def _parameters(text: bytes) -> Iterator[tuple[int, bytes]]:
    while len(text) >= 4:
        kind, length = struct.unpack_from("!HH", text)
        yield kind, text[4:length]
        text = text[max(4, length + -length % 4) :]


def crc32c(text: bytes) -> int:
    """The checksum of RFC 9260, appendix A."""
    found = 0xFFFFFFFF
    for byte in text:
        found ^= byte
        for _ in range(8):
            found = found >> 1 ^ (0x82F63B78 if found & 1 else 0)
    return found ^ 0xFFFFFFFF
