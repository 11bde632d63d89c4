"""A web server on loopback with disks to import, as many real ones are: with ranges, passwords and losses."""

from __future__ import annotations

import base64
import re
import ssl
import sys
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

from tests.controlplane.ports import LOOPBACK, free_ports

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.controlplane.certificates import KeyPair

_RANGE = re.compile(r"bytes=(\d+)-(\d*)")


@dataclass
class DiskServer:
    """What it serves, and to whom."""

    folder: Path
    port: int
    #: http, or https where it has a certificate.
    scheme: str
    #: User and password of the paths that need them.
    passwords: dict[str, tuple[str, str]] = field(default_factory=dict)
    #: Paths of which it breaks the connection off after as many bytes.
    broken_off: dict[str, int] = field(default_factory=dict)

    @classmethod
    @contextmanager
    def running(cls, folder: Path, pair: KeyPair | None = None) -> Iterator[DiskServer]:
        """One that serves a folder's files for as long as this lasts, by HTTPS if it is given a pair."""
        (port,) = free_ports(1)
        disks = cls(folder, port, "https" if pair else "http")

        class Handler(_Handler):
            served = disks

        server = _Server((LOOPBACK, port), Handler)
        if pair:
            context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            context.load_cert_chain(pair.certificate, pair.key)
            # Each handshake is made by the thread of its connection: one that waits stops no other.
            server.socket = context.wrap_socket(
                server.socket, server_side=True, do_handshake_on_connect=False
            )
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield disks
        finally:
            server.shutdown()
            server.server_close()

    def url(self, name: str) -> str:
        """The URL of a file."""
        return f"{self.scheme}://{LOOPBACK}:{self.port}/{name}"


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: object, client_address: object) -> None:
        """Says nothing of a client that doesn't trust its certificate, or has gone."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


class _Handler(BaseHTTPRequestHandler):
    served: DiskServer
    protocol_version = "HTTP/1.1"

    def do_HEAD(self) -> None:
        self._answer(with_content=False)

    def do_GET(self) -> None:
        self._answer(with_content=True)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Says nothing."""

    def _answer(self, *, with_content: bool) -> None:
        name = self.path.lstrip("/")
        file = self.served.folder / name
        if not file.is_file():
            self._refuse(HTTPStatus.NOT_FOUND)
            return
        if name in self.served.passwords and not self._is_known(*self.served.passwords[name]):
            self._refuse(HTTPStatus.UNAUTHORIZED)
            return
        size = file.stat().st_size
        wanted = _RANGE.fullmatch(self.headers.get("Range", ""))
        first = int(wanted[1]) if wanted else 0
        last = min(size - 1, int(wanted[2])) if wanted and wanted[2] else size - 1
        self.send_response(HTTPStatus.PARTIAL_CONTENT if wanted else HTTPStatus.OK)
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("Content-Length", str(last + 1 - first))
        if wanted:
            self.send_header("Content-Range", f"bytes {first}-{last}/{size}")
        self.end_headers()
        if with_content:
            self._send(file, first, last, self.served.broken_off.get(name, size))

    def _send(self, file: Path, first: int, last: int, end: int) -> None:
        with file.open("rb") as disk:
            disk.seek(first)
            left = min(last + 1, end) - first
            try:
                while left > 0 and (data := disk.read(min(left, 1 << 20))):
                    self.wfile.write(data)
                    left -= len(data)
            except OSError:  # who asked has gone
                self.close_connection = True
        if last >= end:
            self.close_connection = True

    def _is_known(self, user: str, password: str) -> bool:
        credentials = base64.b64encode(f"{user}:{password}".encode()).decode()
        return self.headers.get("Authorization") == f"Basic {credentials}"

    def _refuse(self, status: HTTPStatus) -> None:
        self.send_response(status)
        self.send_header("Content-Length", "0")
        if status is HTTPStatus.UNAUTHORIZED:
            self.send_header("WWW-Authenticate", "Basic")
        self.end_headers()
