"""The images of KubeVirt's Pods on the node, as an archive that containerd takes.

virt-launcher's and virt-handler's have the same files. Their base is Debian's root file system, where the
released ones have CentOS's. Debian has no modular libvirt daemon: its monolithic one stands for virtqemud.
"""

from __future__ import annotations

import hashlib
import io
import json
import struct
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from guest.image import cache
from guest.image.architecture import AMD64

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from tests.controlplane.kubevirt import Installation
    from tests.node.programs import Programs

_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
_CONFIG = "application/vnd.oci.image.config.v1+json"
_LAYER = "application/vnd.oci.image.layer.v1.tar"
_PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_ANNOTATION = "io.containerd.image.name"  # containerd's own, by which it names an image that is imported

#: The monolithic libvirtd has the QEMU driver, too, and is found by virtqemud's socket.
_VIRTQEMUD = b"""#!/bin/sh
if [ "$(id -u)" = 0 ]; then run=/run/libvirt; else run=${XDG_RUNTIME_DIR:-/var/run}/libvirt; fi
mkdir -p "$run"
ln -sfn libvirt-sock "$run/virtqemud-sock"
exec /usr/sbin/libvirtd "$@"
"""
#: KubeVirt's own configuration, by where its build puts it (cmd/virt-launcher/BUILD.bazel).
_CONFIGURATION = {
    "etc/libvirt/hooks/qemu": ("cmd/virt-launcher/qemu", 0o755),
    "etc/libvirt/qemu.conf": ("cmd/virt-launcher/qemu.conf", 0o644),
    "etc/libvirt/virtqemud.conf": ("cmd/virt-launcher/virtqemud.conf", 0o644),
    "etc/nsswitch.conf": ("cmd/virt-launcher/nsswitch.conf", 0o644),
    "usr/bin/node-labeller.sh": ("cmd/virt-launcher/node-labeller/node-labeller.sh", 0o755),
}
_QEMU = 107  # the user of virt-launcher and QEMU
_NET_BIND_SERVICE = 10  # capability(7): what virt-launcher-monitor hands down to virt-launcher


def kubevirt(installation: Installation, root: Path, programs: Programs, say: Callable[[str], None]) -> Path:
    """The archive of both of KubeVirt's images, made if it isn't in the cache yet."""
    files = dict(_kubevirt_files(programs))
    digest = hashlib.sha256(f"{installation}\0{root.name}\0".encode() + Path(__file__).read_bytes())
    for path, (data, mode) in sorted(files.items()):
        digest.update(f"{path}\0{mode}\0".encode() + hashlib.sha256(data).digest())
    folder = cache.folder() / "node-images" / digest.hexdigest()[:16]
    with cache.filling(folder, say) as half:
        if half is not None:
            say(f"putting the images of KubeVirt {installation.version} together")
            _write_root(root, half / "root.tar")
            _write_files(files, half / "files.tar")
            layers = [half / "root.tar", half / "files.tar"]
            configurations = {
                installation.image("virt-handler"): {"Env": [_PATH]},
                installation.image("virt-launcher"): {"Env": [_PATH], **_launcher_user(programs.source)},
            }
            _write_archive(half / "images.tar", layers, configurations)
            for layer in layers:
                layer.unlink()
    cache.used(folder)
    return folder / "images.tar"


def _kubevirt_files(programs: Programs) -> Iterator[tuple[str, tuple[bytes, int]]]:
    for name, path in programs.kubevirt.items():
        yield f"usr/bin/{name}", (path.read_bytes(), 0o755)
    for place, (source, mode) in _CONFIGURATION.items():
        yield place, ((programs.source / source).read_bytes(), mode)
    yield "usr/sbin/virtqemud", (_VIRTQEMUD, 0o755)
    yield "etc/libvirt/virtlogd.conf", (b"", 0o644)


def _write_root(root: Path, target: Path) -> None:
    def owned_by_root(entry: tarfile.TarInfo) -> tarfile.TarInfo:
        entry.uid = entry.gid = entry.mtime = 0
        entry.uname = entry.gname = ""
        return entry

    with tarfile.open(target, "w", format=tarfile.PAX_FORMAT) as archive:
        archive.add(root, ".", filter=owned_by_root)


def _write_files(files: Mapping[str, tuple[bytes, int]], target: Path) -> None:
    with tarfile.open(target, "w", format=tarfile.PAX_FORMAT) as archive:
        folders = {str(parent) for path in files for parent in Path(path).parents if parent != Path()}
        for folder in sorted(folders):
            entry = tarfile.TarInfo(folder)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o755
            entry.uid = entry.gid = _owner(folder)
            archive.addfile(entry)
        for path, (data, mode) in sorted(files.items()):
            entry = tarfile.TarInfo(path)
            entry.size, entry.mode = len(data), mode
            entry.uid = entry.gid = _owner(path)
            if path == "usr/bin/virt-launcher-monitor":
                capability = _file_capability(_NET_BIND_SERVICE).decode("latin-1")
                entry.pax_headers = {"SCHILY.xattr.security.capability": capability}
            archive.addfile(entry, io.BytesIO(data))


def _launcher_user(source: Path) -> dict[str, Any]:
    """Whom virt-launcher's image is for, as KubeVirt's own build says: root until 1.9."""
    build = (source / "cmd/virt-launcher/BUILD.bazel").read_text(encoding="utf-8")
    return {"User": str(_QEMU)} if f'user = "{_QEMU}"' in build else {}


def _owner(path: str) -> int:
    """Whose a file is: virt-launcher, which isn't root, puts another hook in the place of libvirt's."""
    return _QEMU if path.startswith("etc/libvirt/hooks") else 0


def _file_capability(number: int) -> bytes:
    """A permitted capability with the effective bit, as linux/uapi/linux/capability.h has it (revision 2)."""
    mask = 1 << number
    return struct.pack("<IIIII", 0x02000000 | 1, mask & 0xFFFFFFFF, 0, mask >> 32, 0)


def _write_archive(target: Path, layers: list[Path], configurations: Mapping[str, dict[str, Any]]) -> None:
    """Images of the same layers, by their names."""
    digests = {layer: _digest(layer) for layer in layers}
    descriptors = [
        {"mediaType": _LAYER, "digest": digest, "size": layer.stat().st_size}
        for layer, digest in digests.items()
    ]
    blobs: list[bytes] = []
    entries = []
    for name, config in configurations.items():
        root = {"type": "layers", "diff_ids": list(digests.values())}
        about = {"architecture": AMD64.go, "os": "linux", "config": config, "rootfs": root}
        configuration = json.dumps(about).encode()
        content = {
            "schemaVersion": 2,
            "mediaType": _MANIFEST,
            "config": _descriptor(_CONFIG, configuration),
            "layers": descriptors,
        }
        manifest = json.dumps(content).encode()
        blobs += [configuration, manifest]
        entries.append(_descriptor(_MANIFEST, manifest) | {"annotations": {_ANNOTATION: name}})
    with tarfile.open(target, "w", format=tarfile.PAX_FORMAT) as archive:
        _add(archive, "oci-layout", b'{"imageLayoutVersion": "1.0.0"}')
        _add(archive, "index.json", json.dumps({"schemaVersion": 2, "manifests": entries}).encode())
        for blob in blobs:
            _add(archive, f"blobs/sha256/{hashlib.sha256(blob).hexdigest()}", blob)
        for layer, digest in digests.items():
            archive.add(layer, f"blobs/sha256/{digest.removeprefix('sha256:')}")


def _descriptor(media_type: str, blob: bytes) -> dict[str, Any]:
    digest = f"sha256:{hashlib.sha256(blob).hexdigest()}"
    return {"mediaType": media_type, "digest": digest, "size": len(blob)}


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"


def _add(archive: tarfile.TarFile, path: str, data: bytes) -> None:
    entry = tarfile.TarInfo(path)
    entry.size = len(data)
    archive.addfile(entry, io.BytesIO(data))
