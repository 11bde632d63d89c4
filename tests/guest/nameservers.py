"""KubeVirt's DHCP server tells a machine all name servers of its launcher Pod. QEMU's knows but one: what it
says passes through here, where the others are added.

https://www.qemu.org/docs/master/system/qemu-manpage.html, filter-redirector; the answers are of RFC 2131.
"""

from __future__ import annotations

import socket
import struct
import threading
from dataclasses import dataclass
from ipaddress import IPv4Address
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_ETHERNET, _UDP, _BOOTP = 14, 8, 240
_SERVER_PORT, _PROTOCOL = 67, 17
_PAD, _NAME_SERVERS, _END = 0, 6, 255


@dataclass(frozen=True)
class NameServers:
    """The way of frames to the machine, from QEMU's network (`source`) and on (`target`)."""

    source: socket.socket
    target: socket.socket
    addresses: tuple[str, ...]

    @classmethod
    def start(cls, source: Path, target: Path, addresses: Sequence[str]) -> NameServers:
        """Passes frames on until QEMU ends."""
        started = cls(_connected(source), _connected(target), tuple(addresses))
        threading.Thread(target=started._work, daemon=True).start()
        return started

    def _work(self) -> None:
        try:
            while length := self._read(4):
                frame = self._read(struct.unpack("!I", length)[0])
                passed = with_name_servers(frame, self.addresses)
                self.target.sendall(struct.pack("!I", len(passed)) + passed)
        except OSError:  # QEMU has ended
            pass
        finally:
            self.source.close()
            self.target.close()

    def _read(self, length: int) -> bytes:
        """So many bytes, or none at the end."""
        read = b""
        while len(read) < length:
            part = self.source.recv(length - len(read))
            if not part:
                return b""
            read += part
        return read


def with_name_servers(frame: bytes, addresses: Sequence[str]) -> bytes:
    """An Ethernet frame: a DHCP server's answer with these name servers, any other as it is."""
    header = (frame[_ETHERNET] & 0xF) * 4 if frame[12:14] == b"\x08\x00" else 0
    udp = _ETHERNET + header
    if not header or frame[_ETHERNET + 9] != _PROTOCOL or frame[udp : udp + 2] != _port(_SERVER_PORT):
        return frame
    packed = b"".join(IPv4Address(address).packed for address in addresses)
    bootp = frame[udp + _UDP : udp + _UDP + _BOOTP]
    payload = bootp + _options(frame[udp + _UDP + _BOOTP :], packed)
    length = _UDP + len(payload)
    datagram = frame[udp : udp + 4] + struct.pack("!HH", length, 0) + payload  # 0: it has no checksum
    head = frame[_ETHERNET : _ETHERNET + 2] + struct.pack("!H", header + length)
    rest = frame[_ETHERNET + 4 : _ETHERNET + 10], frame[_ETHERNET + 12 : udp]
    checksum = struct.pack("!H", _checksum(head + rest[0] + b"\0\0" + rest[1]))
    return frame[:_ETHERNET] + head + rest[0] + checksum + rest[1] + datagram


def _options(options: bytes, name_servers: bytes) -> bytes:
    kept = b""
    while options and options[0] != _END:
        length = 1 if options[0] == _PAD else 2 + options[1]
        kept += b"" if options[0] in {_PAD, _NAME_SERVERS} else options[:length]
        options = options[length:]
    return kept + bytes([_NAME_SERVERS, len(name_servers)]) + name_servers + bytes([_END])


def _checksum(header: bytes) -> int:
    """RFC 791, section 3.1."""
    total: int = sum(struct.unpack(f"!{len(header) // 2}H", header))
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return total ^ 0xFFFF


def _port(number: int) -> bytes:
    return struct.pack("!H", number)


def _connected(path: Path) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(str(path))
    return connection
