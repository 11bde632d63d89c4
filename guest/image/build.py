"""Makes the image from the locked inputs."""

from __future__ import annotations

import hashlib
import json
import subprocess
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from guest.image import cache, checksum, disk, initrd, mirror, oci, programs, rootfs, sbom
from guest.image.architecture import AMD64, Architecture
from guest.image.errors import ImageError
from guest.image.lock import Lock
from guest.image.tools import Tools
from guest.image.tree import write_cpio, write_tar
from tools.gobuild import Go

if TYPE_CHECKING:
    from collections.abc import Callable

_HERE = Path(__file__).parent
PAUSE_IMAGE = "localhost/pause:1"  # as in root/etc/containerd/config.toml
_CONTAINERD = "var/lib/containerd"
_TITLE = "Twinhull guest"


@dataclass(frozen=True)
class Image:
    """A folder with the image's files, and what describes them."""

    folder: Path

    @property
    def disk(self) -> Path:
        return self.folder / "guest.qcow2"

    @property
    def kernel(self) -> Path:
        return self.folder / "vmlinuz"

    @property
    def initrd(self) -> Path:
        return self.folder / "initrd.img"

    @property
    def oci(self) -> Path:
        return self.folder / "oci"

    @property
    def sbom(self) -> Path:
        return self.folder / "sbom.spdx.json"

    @property
    def versions(self) -> dict[str, str]:
        found: dict[str, str] = json.loads((self.folder / "versions.json").read_text(encoding="utf-8"))
        return found


@dataclass(frozen=True)
class Inputs:
    """Everything that the image is made of."""

    architecture: Architecture
    lock: Lock
    tools: Tools
    programs: dict[str, Path]

    @classmethod
    def ready(cls, say: Callable[[str], None], architecture: Architecture = AMD64) -> Inputs:
        """Downloads and builds what isn't in the cache yet. Raises ImageError."""
        tools = Tools.ready(say)
        return cls(architecture, Lock.load(), tools, programs.build(architecture, say))

    @property
    def when(self) -> int:
        """The time that every file gets, in seconds: that of the Debian index, so that all builds agree."""
        return int(datetime.strptime(self.lock.index, "%Y%m%dT%H%M%S%z").astimezone(UTC).timestamp())

    @property
    def digest(self) -> str:
        """A hash of all inputs. Two images with the same one are the same."""
        digest = hashlib.sha256(programs.VERSION.encode())
        sources = [path for path in _HERE.rglob("*") if path.suffix == ".py" or rootfs.COPIED in path.parents]
        for path in sorted(
            path for path in [*sources, initrd.MODULES, _HERE / "debian.lock"] if path.is_file()
        ):
            digest.update(f"{path.relative_to(_HERE)}\0".encode() + path.read_bytes())
        digest.update(json.dumps([self.architecture.debian, self.tools.root.name]).encode())
        for path in self.programs.values():
            with path.open("rb") as file:
                digest.update(hashlib.file_digest(file, "sha256").digest())
        return digest.hexdigest()[:16]


def build(say: Callable[[str], None], architecture: Architecture = AMD64) -> Image:
    """The image, made if it isn't in the cache yet; `say` gets the progress. Raises ImageError."""
    inputs = Inputs.ready(say, architecture)
    target = cache.folder() / "guest" / inputs.digest
    with cache.filling(target, say) as unfinished:
        if unfinished is not None:
            began = time.monotonic()
            make(inputs, unfinished, say)
            say(f"made the image in {time.monotonic() - began:.0f} s")
    cache.used(target)
    return Image(target)


def make(inputs: Inputs, folder: Path, say: Callable[[str], None]) -> None:
    """Makes the image in an empty folder."""
    packages = inputs.lock.packages("guest", inputs.architecture.debian)
    debs = mirror.debs(packages, inputs.lock.index, say)
    say(f"assembling the root file system from {len(debs)} Debian packages")
    root = rootfs.make(inputs.architecture, debs, inputs.programs, programs.VERSION, inputs.tools)
    image = Image(folder)
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        # containerd's folder has the sandbox image from the start.
        containerd = Path(scratch) / "containerd"
        _run(
            inputs.programs["pauseimage"],
            *(PAUSE_IMAGE, str(inputs.programs["pause"]), str(containerd)),
            *(str(inputs.when), inputs.architecture.go),
        )
        root.tree.copy(containerd, at=_CONTAINERD)
        tar = Path(scratch) / "root.tar"
        write_tar(root.tree, tar, inputs.when)
        say(f"making the disk from {tar.stat().st_size / 1e6:.0f} MB in {len(root.tree.entries)} files")
        disk.make(tar, image.disk, inputs.when, inputs.tools)
    image.kernel.write_bytes(root.kernel.image)
    modules = initrd.MODULES.read_text(encoding="utf-8")
    with image.initrd.open("wb") as file:
        tree = initrd.make(inputs.programs["twinhull-guest"], root.kernel, modules)
        write_cpio(tree, file, inputs.when)
    for path in (image.disk, image.kernel, image.initrd):
        checksum.pad(path)
    versions = _versions(inputs, root.kernel.release)
    (folder / "versions.json").write_text(_json(versions), encoding="utf-8")
    say("writing the list of materials, and the container image")
    go = Go.find().path
    made_of = {
        name: (versions.get(name, versions["version"]), sbom.modules(inputs.programs[name], go))
        for name in [*programs.PLACES, "pause"]
    }
    image.sbom.write_text(
        _json(sbom.document(versions["version"], packages, made_of, inputs.when)), encoding="utf-8"
    )
    oci.write(
        {"disk/guest.qcow2": image.disk, "boot/vmlinuz": image.kernel, "boot/initrd.img": image.initrd},
        image.oci,
        inputs.architecture.go,
        _labels(versions),
        inputs.when,
    )


def _versions(inputs: Inputs, kernel: str) -> dict[str, str]:
    packages = inputs.lock.packages("guest", inputs.architecture.debian)
    (crun,) = (package.version for package in packages if package.name == "crun")
    return {
        "architecture": inputs.architecture.debian,
        "containerd": programs.CONTAINERD_VERSION.removeprefix("v"),
        "containerd-shim-runc-v2": programs.CONTAINERD_VERSION.removeprefix("v"),
        "crun": crun,
        "debian": inputs.lock.index,
        "inputs": inputs.digest,
        "kernel": kernel,
        "kubelet": programs.KUBELET_VERSION.removeprefix("v"),
        "version": programs.VERSION,
    }


def _labels(versions: dict[str, str]) -> dict[str, str]:
    """https://github.com/opencontainers/image-spec/blob/v1.1.1/annotations.md, and our own."""
    standard = {
        "description": "The machine that runs a Workload's Pod: kernel, containerd, crun and kubelet",
        "title": _TITLE,
        "version": versions["version"],
    }
    ours = {name: versions[name] for name in ("containerd", "crun", "kernel", "kubelet", "version")}
    return {f"org.opencontainers.image.{name}": value for name, value in standard.items()} | {
        f"dev.twinhull.guest.{name}": value for name, value in ours.items()
    }


def _run(program: Path, *arguments: str) -> None:
    done = subprocess.run([program, *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise ImageError(f"{program.name} failed ({done.returncode}): {done.stderr.strip()}")


def _json(value: object) -> str:
    return json.dumps(value, indent=1, sort_keys=True) + "\n"
