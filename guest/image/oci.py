"""An OCI image layout of one layer: https://github.com/opencontainers/image-spec/blob/v1.1.1/image-layout.md"""

from __future__ import annotations

import gzip
import hashlib
import json
import shutil
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from guest.image.tree import Tree, write_tar

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_MEDIA = "application/vnd.oci.image"
_QEMU = 107  # the user as which KubeVirt runs QEMU
_LEVEL = 6  # most of the layer is compressed already


def write(
    files: Mapping[str, Path], folder: Path, architecture: str, labels: dict[str, str], when: int
) -> str:
    """Writes the layout into the new `folder`, gives the manifest's digest.

    `files` are the image's, by path without a leading slash; they are QEMU's, and all may read them.
    """
    blobs = folder / "blobs/sha256"
    blobs.mkdir(parents=True)
    tree = Tree()
    for path, file in files.items():
        tree.file(path, file, 0o444)
    layer, content = _write_layer(tree, blobs, when)
    config = _write_json(
        blobs,
        "config.v1+json",
        {
            "architecture": architecture,
            "config": {"Labels": labels},
            "created": datetime.fromtimestamp(when, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "os": "linux",
            "rootfs": {"diff_ids": [content], "type": "layers"},
        },
    )
    manifest = _write_json(
        blobs,
        "manifest.v1+json",
        {
            "annotations": labels,
            "config": config,
            "layers": [layer],
            "mediaType": f"{_MEDIA}.manifest.v1+json",
            "schemaVersion": 2,
        },
    )
    manifest["platform"] = {"architecture": architecture, "os": "linux"}
    manifest["annotations"] = {
        "org.opencontainers.image.ref.name": labels["org.opencontainers.image.version"]
    }
    index = {"manifests": [manifest], "mediaType": f"{_MEDIA}.index.v1+json", "schemaVersion": 2}
    (folder / "index.json").write_bytes(_json(index))
    (folder / "oci-layout").write_bytes(_json({"imageLayoutVersion": "1.0.0"}))
    digest: str = manifest["digest"]
    return digest


def _write_layer(tree: Tree, blobs: Path, when: int) -> tuple[dict[str, Any], str]:
    """The layer's descriptor, and the digest of its content without compression."""
    plain, packed = blobs / "layer.tar", blobs / "layer.tar.gz"
    write_tar(tree, plain, when, owner=_QEMU)
    content = _digest(plain)
    # Without a name and a time, so that the same content makes the same file.
    with (
        plain.open("rb") as source,
        packed.open("wb") as target,
        gzip.GzipFile("", "wb", _LEVEL, target, mtime=0) as compressor,
    ):
        shutil.copyfileobj(source, compressor)
    plain.unlink()
    digest, size = _digest(packed), packed.stat().st_size
    packed.rename(blobs / digest)
    return _descriptor("layer.v1.tar+gzip", digest, size), f"sha256:{content}"


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _write_json(blobs: Path, kind: str, value: dict[str, Any]) -> dict[str, Any]:
    content = _json(value)
    digest = hashlib.sha256(content).hexdigest()
    (blobs / digest).write_bytes(content)
    return _descriptor(kind, digest, len(content))


def _descriptor(kind: str, digest: str, size: int) -> dict[str, Any]:
    return {"digest": f"sha256:{digest}", "mediaType": f"{_MEDIA}.{kind}", "size": size}


def _json(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":"), sort_keys=True).encode()
