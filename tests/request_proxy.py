"""A proxy before the API server: it writes down each request, and can stand in the way of one.

Plain HTTP on loopback goes in, TLS with the client certificate or token of a kubeconfig comes out; watches
stream.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPException, HTTPSConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socket import SHUT_RDWR
from ssl import create_default_context
from typing import Any, ClassVar, cast
from urllib.parse import parse_qsl, urlsplit

from kubernetes import client, config

from tests.controlplane.ports import LOOPBACK

_HOP_BY_HOP = {"connection", "content-length", "host", "keep-alive", "transfer-encoding"}
_WRITES = {"POST", "PUT", "PATCH", "DELETE"}


@dataclass(frozen=True)
class Request:
    """A request as it came in, and the status of the answer: 0 while there is none."""

    method: str
    path: str
    query: dict[str, str]
    body: bytes
    status: int = 0

    @property
    def is_watch(self) -> bool:
        """Whether its answer is a stream of events."""
        return self.query.get("watch") == "true"

    @property
    def is_write(self) -> bool:
        """Whether it changes something, which a rehearsal doesn't; telling an Event isn't meant."""
        changes = self.method in _WRITES and "dryRun" not in self.query
        return changes and not self.path.endswith("/events")

    @property
    def resource(self) -> str:
        """The plural name of what it is about."""
        parts = self.path.strip("/").split("/")
        rest = parts[2:] if parts[0] == "api" else parts[3:]
        return rest[2] if rest[0] == "namespaces" and len(rest) > 2 else rest[0]

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


Hook = Callable[[Request], bool]


class RequestProxy:
    """Forwards to the API server of a kubeconfig; `kubeconfig` is its own, for the client to be watched.

    `before` is called with each request before it is forwarded, `after` with each that was answered, before
    the client gets that answer; when one gives False, the client's connection is cut instead. `outage`, if
    set, is answered in the API server's place, and 404 for a path in `hidden`.
    """

    def __init__(self, kubeconfig: Path, folder: Path) -> None:
        settings = client.Configuration()
        config.load_kube_config(  # type: ignore[no-untyped-call]
            str(kubeconfig), client_configuration=settings, persist_config=False
        )
        self._upstream = urlsplit(settings.host).netloc
        self._tls = create_default_context(cafile=settings.ssl_ca_cert)
        if settings.cert_file:
            self._tls.load_cert_chain(str(settings.cert_file), settings.key_file)
        token = settings.get_api_key_with_prefix("BearerToken")
        self.credentials = {"Authorization": token} if token else {}
        self._lock = threading.Lock()
        self._seen: list[Request] = []
        self._refused: list[Request] = []
        self._streams: set[_Handler] = set()
        self.before: Hook = lambda _: True
        self.after: Hook = lambda _: True
        self.outage: int | None = None
        self.hidden: frozenset[str] = frozenset()
        handler = type("_BoundHandler", (_Handler,), {"proxy": self})
        self._server = _Server((LOOPBACK, 0), handler)
        self.kubeconfig = folder / "proxy.kubeconfig"
        self.kubeconfig.write_text(json.dumps(_kubeconfig(self._server.server_port)), encoding="utf-8")
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @classmethod
    @contextmanager
    def running(cls, kubeconfig: Path, folder: Path) -> Iterator[RequestProxy]:
        """One that is closed at the end."""
        proxy = cls(kubeconfig, folder)
        try:
            yield proxy
        finally:
            proxy.close()

    def close(self) -> None:
        """Listen no more, and cut what streams."""
        self._server.shutdown()
        self._server.server_close()
        self.cut_streams()

    @property
    def requests(self) -> list[Request]:
        """All requests so far that have an answer, in the order of the answers (a watch's is its start)."""
        with self._lock:
            return list(self._seen)

    @property
    def refused(self) -> list[Request]:
        """All requests so far that an outage was the answer to."""
        with self._lock:
            return list(self._refused)

    def forget(self) -> None:
        """Begin both lists anew."""
        with self._lock:
            self._seen.clear()
            self._refused.clear()

    @property
    def streams(self) -> int:
        """How many watches are answered now."""
        with self._lock:
            return len(self._streams)

    def cut_streams(self, error: int | None = None) -> None:
        """Break all watches, as a load balancer or a restarted API server would.

        With an `error` each ends in an event that says so: 410 for a version that is too old to go on from.
        """
        with self._lock:
            streams = list(self._streams)
        for stream in streams:
            stream.cut(error)

    def connect(self) -> HTTPSConnection:
        """A connection to the API server itself."""
        return HTTPSConnection(self._upstream, context=self._tls)

    def record(self, request: Request, *, refused: bool = False) -> None:
        """Write a request down."""
        with self._lock:
            (self._refused if refused else self._seen).append(request)

    @contextmanager
    def streaming(self, handler: _Handler) -> Iterator[None]:
        """Know of a stream for as long as it lasts."""
        with self._lock:
            self._streams.add(handler)
        try:
            yield
        finally:
            with self._lock:
                self._streams.discard(handler)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    #: An operator opens some twenty connections at once. By default the kernel would let five wait.
    request_queue_size = 128
    #: Of the clients, one is killed at any line: that it hangs up is no news.
    block_on_close = False

    def handle_error(self, *_: Any) -> None:
        """Say nothing."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    proxy: ClassVar[RequestProxy]
    _upstream: HTTPSConnection | None = None

    def handle_one_request(self) -> None:
        """Any method is forwarded in the same way."""
        self.raw_requestline = self.rfile.readline(65537)
        if not self.raw_requestline or not self.parse_request():
            self.close_connection = True
            return
        self._forward()

    def finish(self) -> None:
        with suppress(OSError):
            super().finish()
        if self._upstream is not None:
            self._upstream.close()

    def log_message(self, *_: Any) -> None:
        """Say nothing."""

    def cut(self, error: int | None) -> None:
        """End this stream from another thread, at both ends, or after an ERROR event."""
        with suppress(OSError):
            if error is not None:
                status = {"kind": "Status", "code": error, "message": "the proxy plays an error"}
                self._send_chunk(json.dumps({"type": "ERROR", "object": status}).encode() + b"\n")
            else:
                self.connection.shutdown(SHUT_RDWR)
        with suppress(OSError, AttributeError):
            cast("HTTPSConnection", self._upstream).sock.shutdown(SHUT_RDWR)

    def _forward(self) -> None:
        request = self._read()
        if self.proxy.outage is not None:
            self.proxy.record(request, refused=True)
            self._answer(self.proxy.outage, {"Content-Type": "text/plain"}, b"the proxy plays an outage")
            return
        if request.path in self.proxy.hidden:
            self._answer(404, {"Content-Type": "text/plain"}, b"404 page not found")
            return
        if not self.proxy.before(request):
            self.close_connection = True
            return
        self._upstream = self._upstream or self.proxy.connect()
        headers = {key: value for key, value in self.headers.items() if key.lower() not in _HOP_BY_HOP}
        headers |= self.proxy.credentials
        self._upstream.request(request.method, self.path, request.body or None, headers)
        response = self._upstream.getresponse()
        answered = Request(request.method, request.path, request.query, request.body, response.status)
        kept = {key: value for key, value in response.headers.items() if key.lower() not in _HOP_BY_HOP}
        if request.is_watch and response.status == 200:
            self.proxy.record(answered)
            self._stream(response.read1, kept)
            return
        content = response.read()
        self.proxy.record(answered)
        if not self.proxy.after(answered):
            self.close_connection = True
            return
        self._answer(response.status, kept, content)

    def _read(self) -> Request:
        parts = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        return Request(self.command, parts.path, dict(parse_qsl(parts.query)), body)

    def _answer(self, status: int, headers: dict[str, str], content: bytes) -> None:
        self.send_response_only(status)
        for key, value in {**headers, "Content-Length": str(len(content))}.items():
            self.send_header(key, value)
        self.end_headers()
        self.wfile.write(content)

    def _stream(self, read: Callable[[int], bytes], headers: dict[str, str]) -> None:
        self.close_connection = True
        self.send_response_only(200)
        for key, value in {**headers, "Transfer-Encoding": "chunked"}.items():
            self.send_header(key, value)
        self.end_headers()
        with self.proxy.streaming(self), suppress(OSError, HTTPException):
            while chunk := read(65536):
                self._send_chunk(chunk)
            self._send_chunk(b"")

    def _send_chunk(self, chunk: bytes) -> None:
        self.wfile.write(b"%x\r\n%b\r\n" % (len(chunk), chunk))


def _kubeconfig(port: int) -> dict[str, Any]:
    name = "proxy"
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": name,
        "clusters": [{"name": name, "cluster": {"server": f"http://{LOOPBACK}:{port}"}}],
        "users": [{"name": name, "user": {}}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
    }
