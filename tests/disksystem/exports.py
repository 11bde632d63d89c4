"""The disks as their former owners export them, and their way into a claim."""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from guest.image import cache
from guest.image.lock import Lock
from guest.image.tools import Tools
from tests.disksystem import disk, packages, system

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.disksystem.disk import Firmware

_HERE = Path(__file__).parent
_FOLDER = "disk-exports"


@dataclass(frozen=True)
class Export:
    """A disk in the form in which its former owner wrote it."""

    file: Path
    firmware: Firmware


@dataclass(frozen=True)
class _Owner:
    file: str
    firmware: Firmware
    #: qemu-img's word for the format, and the format's options.
    format: str
    options: tuple[str, ...] = ()


#: One file, as ovftool and govc export it; and what Export-VM of a generation 2 machine writes.
_VMWARE = _Owner("vmware.vmdk", "BIOS", "vmdk", ("-o", "subformat=streamOptimized"))
_HYPER_V = _Owner("hyperv.vhdx", "UEFI", "vhdx", ("-o", "subformat=dynamic"))


@dataclass(frozen=True)
class Exports:
    """The disks of both, in one folder of the cache."""

    folder: Path

    @classmethod
    def ready(cls, say: Callable[[str], None] = click.echo) -> Exports:
        """Made if they aren't in the cache yet; `say` gets the progress. Raises ImageError, BuildError."""
        tools, init = Tools.ready(say), system.program(say)
        own = packages.tools(say)
        target = cache.folder() / _FOLDER / _digest(init, tools, own)
        with cache.filling(target, say) as half:
            if half is not None:
                _make(half, init, tools, own, say)
        cache.used(target)
        return cls(target)

    @property
    def vmware(self) -> Export:
        """A VMDK (streamOptimized) of a machine with BIOS."""
        return self._of(_VMWARE)

    @property
    def hyper_v(self) -> Export:
        """A VHDX of a machine with UEFI: generation 2."""
        return self._of(_HYPER_V)

    def _of(self, owner: _Owner) -> Export:
        return Export(self.folder / owner.file, owner.firmware)


def imported(export: Export, target: Path, mebibytes: int) -> None:
    """Writes a claim's disk.img at `target`: raw, and as large as the claim. Raises ImageError.

    This does what CDI's importer does, where that isn't: the importer converts by qemu-img, and resizes the
    disk to the claim's size (containerized-data-importer/pkg/image/qemu.go, convertTo and Resize).
    """
    tools = Tools.ready()
    tools.run("qemu-img", "convert", "-t", "writeback", "-O", "raw", export.file, target)
    tools.run("qemu-img", "resize", "-q", "-f", "raw", target, f"{mebibytes}M")


def _digest(init: Path, tools: Tools, own: Tools) -> str:
    digest = hashlib.sha256(f"{tools.root.name}\0{own.root.name}\0{packages.kernel().sha256}\0".encode())
    for path in (init, *(_HERE / name for name in ("disk.py", "exports.py", "system.py"))):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def _make(folder: Path, init: Path, tools: Tools, own: Tools, say: Callable[[str], None]) -> None:
    began = time.monotonic()
    when = datetime.strptime(Lock.load(packages.LOCK).index, "%Y%m%dT%H%M%S%z").astimezone(UTC).timestamp()
    writer = disk.DiskWriter(system.root(init, tools, own, int(when), say), tools, own, int(when))
    for owner in (_VMWARE, _HYPER_V):
        raw = folder / "disk.raw"
        say(f"making the disk with {owner.firmware}, {owner.file}")
        writer.write(raw, owner.firmware)
        tools.run("qemu-img", "convert", "-O", owner.format, *owner.options, raw, folder / owner.file)
        raw.unlink()
    say(f"made the disks in {time.monotonic() - began:.0f} s")
