"""The page that draws the dashboard: its build, and its server, which hears how the drawing went."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.controlplane.ports import LOOPBACK
from tests.metrics import DASHBOARD
from tests.metrics.picture.run import SCRAPED, Run

_FOLDER = Path(__file__).with_name("page")
_MODULES = _FOLDER / "node_modules"
_LOCK = _FOLDER / "package-lock.json"
_PATIENCE = 120  # seconds


class NotDrawn(Exception):
    """There is no picture; the message says why."""


def build() -> None:
    """Install what the page is made of, as it is locked, and build it. Raises NotDrawn."""
    if shutil.which("npm") is None:
        raise NotDrawn("Node.js 20 or later and its npm are needed: apt-get install nodejs npm")
    locked, installed = hashlib.sha256(_LOCK.read_bytes()).hexdigest(), _MODULES / ".locked"
    if not installed.exists() or installed.read_text(encoding="utf-8") != locked:
        _npm("ci", "--ignore-scripts", "--loglevel=error")
        installed.write_text(locked, encoding="utf-8")
    _npm("run", "--silent", "check")
    _npm("run", "--silent", "build")


def _npm(*arguments: str) -> None:
    done = subprocess.run(["npm", *arguments], cwd=_FOLDER, capture_output=True, text=True, check=False)
    if done.returncode:
        raise NotDrawn(f"npm {' '.join(arguments)}:\n{done.stdout}{done.stderr}")


@dataclass
class Stand:
    """Where a browser finds the page, and what the page has said."""

    url: str = ""
    _over: threading.Event = field(default_factory=threading.Event)
    _failures: list[str] = field(default_factory=list)

    @classmethod
    @contextmanager
    def open(cls, run: Run) -> Iterator[Stand]:
        """A server of the page over this run, until the end of the context."""
        settings = {
            "prometheus": run.prometheus.url,
            "scraped": SCRAPED,
            "began": run.began,
            "ended": run.ended,
        }
        stand = cls()
        files = {
            "/dashboard.json": DASHBOARD.read_bytes(),
            "/settings.json": json.dumps(settings).encode(),
        }
        server = ThreadingHTTPServer((LOOPBACK, 0), partial(_Requests, stand, files))
        stand.url = f"http://{LOOPBACK}:{server.server_port}/"
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield stand
        finally:
            stand.over()
            server.shutdown()
            thread.join()
            server.server_close()

    def over(self, failure: str | None = None) -> None:
        """It is drawn, or can't be."""
        if failure is not None:
            self._failures.append(failure)
        self._over.set()

    def wait(self) -> None:
        """Return when all is drawn, or can't be."""
        self._over.wait(_PATIENCE)

    def check(self) -> None:
        """Raise NotDrawn unless all is drawn."""
        if self._failures:
            raise NotDrawn("\n".join(self._failures))
        if not self._over.is_set():
            raise NotDrawn(f"the page has said nothing for {_PATIENCE} s")


class _Requests(SimpleHTTPRequestHandler):
    def __init__(self, stand: Stand, files: dict[str, bytes], *arguments: Any) -> None:
        self._stand, self._files = stand, files
        super().__init__(*arguments, directory=str(_FOLDER))

    def do_GET(self) -> None:
        """A file; `held` only once the page is done."""
        if self.path == "/held":
            self._stand.wait()
            self._answer(b"")
        elif self.path in self._files:
            self._answer(self._files[self.path])
        else:
            super().do_GET()

    def do_POST(self) -> None:
        """What the page says of itself."""
        message = self.rfile.read(int(self.headers["Content-Length"] or 0)).decode()
        self._stand.over(message if self.path == "/failed" else None)
        self._answer(b"")

    def translate_path(self, path: str) -> str:
        """Where a file is: Grafana's icons are asked for below `public`."""
        icons = _MODULES / "@grafana" / "ui" / "dist" / "public"
        return super().translate_path(path.replace("/public/build/", f"/{icons.relative_to(_FOLDER)}/", 1))

    def log_message(self, *_: Any) -> None:
        """Nothing is said of single requests."""

    def _answer(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
