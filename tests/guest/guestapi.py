"""The guest's answers to the operator."""

from __future__ import annotations

import http.client
import json
import ssl
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

_TIMEOUT = 180.0


@dataclass
class GuestApi:
    """One connection, kept: a TLS handshake takes long on an emulated processor. `port` is forwarded.

    `client` is the key and certificate to show, if any.
    """

    address: str
    port: int
    client: Path | None
    _connection: http.client.HTTPSConnection | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def status(self) -> dict[str, Any]:
        """What the guest says of itself and its Pod."""
        code, content = self._answer("GET", "/v1/status")
        assert code == 200, f"{code} {content!r}"
        found: dict[str, Any] = json.loads(content)
        return found

    def put(self, manifest: bytes) -> tuple[int, str]:
        """Puts a manifest. Gives the answer's code and its line."""
        code, content = self._answer("PUT", "/v1/manifest", manifest)
        return code, content.decode()

    def close(self) -> None:
        """Closes the connection."""
        with self._lock:
            self._drop()

    def _answer(self, method: str, path: str, body: bytes | None = None) -> tuple[int, bytes]:
        with self._lock:
            kept = self._connection is not None
            try:
                return self._ask(method, path, body)
            except OSError:
                self._drop()
                if not kept:
                    raise
                return self._ask(method, path, body)  # the guest may have closed the one that was kept

    def _ask(self, method: str, path: str, body: bytes | None) -> tuple[int, bytes]:
        if self._connection is None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.minimum_version = ssl.TLSVersion.TLSv1_3
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE  # made at boot, signed by nobody
            if self.client:
                context.load_cert_chain(self.client)
            self._connection = http.client.HTTPSConnection(
                self.address, self.port, timeout=_TIMEOUT, context=context
            )
        try:
            self._connection.request(method, path, body)
            response = self._connection.getresponse()
            return response.status, response.read()
        except http.client.HTTPException as error:
            raise ConnectionError(repr(error)) from error

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
