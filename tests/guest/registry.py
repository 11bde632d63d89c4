"""A real registry on loopback, and pushing to it."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin

import urllib3
import yaml

from tests.controlplane import process
from tests.controlplane.certificates import Authority
from tests.controlplane.pki import HOST_IN_GUEST
from tests.controlplane.polling import PATIENCE, eventually
from tests.controlplane.ports import LOOPBACK, free_ports

if TYPE_CHECKING:
    from guest.image.tools import Tools
    from tests.controlplane.process import Process
    from tests.guest.containerimage import ContainerImage

USER, PASSWORD = "puller", "only for these tests"
#: PASSWORD by bcrypt, the only hash that the registry takes and none that Python's library has.
_HTPASSWD = "puller:$2y$05$abcdefghijklmnopqrstuu7EdXYrEw86paTHqoQXSg.C3.X5/CXU."
_DIE_WITH_PARENT = Path(process.__file__).with_name("die_with_parent.py")


def tied(command: list[str]) -> list[str]:
    """The command line that runs a command which the kernel kills when the thread that starts it ends."""
    return [sys.executable, "-I", "-S", str(_DIE_WITH_PARENT), str(os.getpid()), *command]


@dataclass(frozen=True)
class Registry:
    """docker-registry with an empty storage. A private one asks everybody for USER and PASSWORD, and speaks
    TLS, by a certificate of an `authority` of its own (PEM).
    """

    port: int
    process: Process
    authority: Path | None
    address: str
    seen_at: str

    @classmethod
    def start(
        cls,
        tools: Tools,
        folder: Path,
        *,
        private: bool = False,
        address: str = LOOPBACK,
        seen_at: str = HOST_IN_GUEST,
    ) -> Registry:
        """Starts one that keeps everything in `folder`, and gives it when it answers.

        It listens at `address`, which machines see as `seen_at`.
        """
        folder.mkdir(parents=True)
        (port,) = free_ports(1)
        settings: dict[str, Any] = {
            "version": 0.1,
            "log": {"level": "info", "accesslog": {"disabled": False}},
            "storage": {
                "filesystem": {"rootdirectory": str(folder / "storage")},
                "delete": {"enabled": True},
            },
            "http": {"addr": f"{address}:{port}", "secret": "of no use to anybody"},
        }
        authority = Authority(folder, "registry") if private else None
        if authority:
            (folder / "htpasswd").write_text(f"{_HTPASSWD}\n", encoding="ascii")
            settings["auth"] = {"htpasswd": {"realm": "tests", "path": str(folder / "htpasswd")}}
            pair = authority.server("registry", "registry", (address, seen_at))
            settings["http"]["tls"] = {"certificate": str(pair.certificate), "key": str(pair.key)}
        (folder / "config.yml").write_text(yaml.safe_dump(settings), encoding="utf-8")
        command = tools.command("docker-registry", "serve", folder / "config.yml")
        started = process.start(
            "docker-registry",
            tied(command),
            log=folder / "log",
            folder=folder,
            environment={"PATH": "/usr/bin:/bin"},
            tied=False,
        )
        registry = cls(port, started, authority.files.certificate if authority else None, address, seen_at)
        eventually(
            lambda: registry.request("GET", "/v2/").status == 200,
            30,
            "the registry answers",
            alive=lambda: process.check([started]),
        )
        return registry

    def stop(self) -> None:
        """Ends it."""
        process.stop([self.process])

    @property
    def mirror(self) -> str:
        """Its address as a machine sees it."""
        return f"{self._scheme}://{self.seen_at}:{self.port}"

    @property
    def certificates(self) -> str:
        """Its authority's, PEM, to trust it by; empty if it needs none."""
        return self.authority.read_text(encoding="ascii") if self.authority else ""

    def push(self, name: str, image: ContainerImage) -> None:
        """Uploads an image as `name:tag`.

        https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pushing-manifests
        """
        for blob in image.blobs:
            self._upload(name, blob.digest, blob.data)
        self._tag(name, image.manifest.data, image.manifest.media_type)

    def push_layout(self, name: str, layout: Path) -> None:
        """Uploads the one image of an OCI image layout as `name:tag`.

        https://github.com/opencontainers/image-spec/blob/v1.1.1/image-layout.md
        """

        def read(descriptor: dict[str, Any]) -> bytes:
            path = layout / "blobs" / str(descriptor["digest"]).replace(":", "/")
            return path.read_bytes()

        (entry,) = json.loads((layout / "index.json").read_bytes())["manifests"]
        manifest = json.loads(read(entry))
        for blob in (manifest["config"], *manifest["layers"]):
            self._upload(name, blob["digest"], read(blob))
        self._tag(name, read(entry), entry["mediaType"])

    def _upload(self, name: str, digest: str, data: bytes) -> None:
        begun = self.request("POST", f"/v2/{name.partition(':')[0]}/blobs/uploads/")
        assert begun.status == 202, begun.data
        where = urljoin(self._base, begun.headers["Location"])
        where += ("&" if "?" in where else "?") + f"digest={digest}"
        done = self.request("PUT", where, data, "application/octet-stream")
        assert done.status == 201, done.data

    def _tag(self, name: str, manifest: bytes, media_type: str) -> None:
        repository, tag = name.split(":")
        done = self.request("PUT", f"/v2/{repository}/manifests/{tag}", manifest, media_type)
        assert done.status == 201, done.data

    def request(
        self, method: str, path: str, body: bytes | None = None, content_type: str | None = None
    ) -> urllib3.BaseHTTPResponse:
        """Any request; `path` may be a whole address of this registry."""
        headers = urllib3.make_headers(basic_auth=f"{USER}:{PASSWORD}") if self.authority else {}
        if content_type:
            headers["Content-Type"] = content_type
        try:
            with urllib3.PoolManager(retries=False, timeout=PATIENCE, ca_certs=self.authority) as pool:
                return pool.request(method, urljoin(self._base, path), body=body, headers=headers)
        except urllib3.exceptions.HTTPError as error:
            raise ConnectionError(f"{method} {path}: {error}") from error

    @property
    def _base(self) -> str:
        return f"{self._scheme}://{self.address}:{self.port}"

    @property
    def _scheme(self) -> str:
        return "https" if self.authority else "http"
