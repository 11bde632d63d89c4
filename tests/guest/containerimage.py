"""Container images, put together without a container engine.

https://github.com/opencontainers/image-spec/blob/v1.1.1/manifest.md
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import platform
import tarfile
from dataclasses import dataclass
from functools import cached_property
from typing import Any

_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
_CONFIG = "application/vnd.oci.image.config.v1+json"
_LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


@dataclass(frozen=True)
class Blob:
    """Bytes that a registry keeps by their digest."""

    media_type: str
    data: bytes

    @cached_property
    def digest(self) -> str:
        """The digest, by which a registry names them."""
        return f"sha256:{hashlib.sha256(self.data).hexdigest()}"

    def descriptor(self) -> dict[str, Any]:
        """The manifest's reference to them."""
        return {"mediaType": self.media_type, "digest": self.digest, "size": len(self.data)}


@dataclass(frozen=True)
class File:
    """A file in a layer, or a folder if it has no data."""

    path: str
    data: bytes | None = None
    mode: int = 0o755
    uid: int = 0
    gid: int = 0


@dataclass(frozen=True)
class Layer:
    """A layer, with the digest of what it is when unpacked."""

    blob: Blob
    diff_id: str

    @classmethod
    def of(cls, *files: File) -> Layer:
        """A layer of these files, the same bytes for the same files."""
        plain = io.BytesIO()
        with tarfile.open(fileobj=plain, mode="w", format=tarfile.USTAR_FORMAT) as archive:
            for file in files:
                entry = tarfile.TarInfo(file.path)
                entry.type = tarfile.DIRTYPE if file.data is None else tarfile.REGTYPE
                entry.size, entry.mode = len(file.data or b""), file.mode
                entry.uid, entry.gid = file.uid, file.gid
                archive.addfile(entry, io.BytesIO(file.data or b""))
        data = plain.getvalue()
        packed = gzip.compress(data, compresslevel=6, mtime=0)
        return cls(Blob(_LAYER, packed), f"sha256:{hashlib.sha256(data).hexdigest()}")


@dataclass(frozen=True)
class ContainerImage:
    """An image: its layers, and the configuration that a container starts with unless its Pod says otherwise.

    `config` is of image-spec's config.md: Env, User, WorkingDir, Entrypoint, Cmd, StopSignal, …
    """

    layers: tuple[Layer, ...]
    config: dict[str, Any]

    @cached_property
    def configuration(self) -> Blob:
        """The configuration as the manifest refers to it."""
        content = {
            "architecture": _ARCHITECTURES[platform.machine()],
            "os": "linux",
            "config": self.config,
            "rootfs": {"type": "layers", "diff_ids": [layer.diff_id for layer in self.layers]},
        }
        return Blob(_CONFIG, json.dumps(content).encode())

    @cached_property
    def manifest(self) -> Blob:
        """The manifest, which a tag names."""
        content = {
            "schemaVersion": 2,
            "mediaType": _MANIFEST,
            "config": self.configuration.descriptor(),
            "layers": [layer.blob.descriptor() for layer in self.layers],
        }
        return Blob(_MANIFEST, json.dumps(content).encode())

    @property
    def blobs(self) -> tuple[Blob, ...]:
        """All that a registry must have before the manifest."""
        return (*(layer.blob for layer in self.layers), self.configuration)
