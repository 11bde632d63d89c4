"""The container image that KubeVirt takes disk and kernel from."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from pathlib import Path
from typing import Any

import pytest

from guest.image import oci

_LABELS = {"org.opencontainers.image.version": "1.2.3", "dev.twinhull.guest.kubelet": "1.37.2"}


@pytest.fixture
def layout(tmp_path: Path) -> Path:
    disk, kernel = tmp_path / "guest.qcow2", tmp_path / "vmlinuz"
    disk.write_bytes(b"disk")
    kernel.write_bytes(b"kernel")
    oci.write(
        {"disk/guest.qcow2": disk, "boot/vmlinuz": kernel}, tmp_path / "oci", "amd64", _LABELS, 1_700_000_000
    )
    return tmp_path / "oci"


def _blob(layout: Path, descriptor: dict[str, Any]) -> bytes:
    """Its content, which must be what its descriptor says."""
    algorithm, _, digest = descriptor["digest"].partition(":")
    content: bytes = (layout / "blobs" / algorithm / digest).read_bytes()
    assert hashlib.sha256(content).hexdigest() == digest
    assert len(content) == descriptor["size"]
    return content


def test_the_index_leads_to_config_and_layer(layout: Path) -> None:
    (found,) = json.loads((layout / "index.json").read_text())["manifests"]
    manifest = json.loads(_blob(layout, found))
    config = json.loads(_blob(layout, manifest["config"]))
    (layer,) = manifest["layers"]

    assert found["platform"] == {"architecture": "amd64", "os": "linux"}
    assert config["config"]["Labels"] == _LABELS
    content = gzip.decompress(_blob(layout, layer))
    assert config["rootfs"]["diff_ids"] == [f"sha256:{hashlib.sha256(content).hexdigest()}"]
    assert json.loads((layout / "oci-layout").read_text()) == {"imageLayoutVersion": "1.0.0"}


def test_qemu_can_read_the_files(layout: Path) -> None:
    (found,) = json.loads((layout / "index.json").read_text())["manifests"]
    (layer,) = json.loads(_blob(layout, found))["layers"]

    with tarfile.open(fileobj=io.BytesIO(_blob(layout, layer))) as archive:
        files = {one.name: (one.uid, one.gid, one.mode) for one in archive if one.isreg()}

    assert files == {"boot/vmlinuz": (107, 107, 0o444), "disk/guest.qcow2": (107, 107, 0o444)}


def test_nothing_but_the_blobs_is_left(layout: Path) -> None:
    assert len(list((layout / "blobs/sha256").iterdir())) == 3
