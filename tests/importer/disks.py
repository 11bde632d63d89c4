"""Disks as other systems write them, made of one raw disk by qemu-img."""

from __future__ import annotations

import lzma
import random
from typing import TYPE_CHECKING

from guest.image.tools import Tools

if TYPE_CHECKING:
    from pathlib import Path

#: How large the raw disk is, in bytes.
SIZE = 32 << 20
#: By the name of a file: qemu-img's format and options for it.
FORMATS = {
    "monolithic-sparse.vmdk": ("vmdk", "subformat=monolithicSparse"),
    "stream-optimized.vmdk": ("vmdk", "subformat=streamOptimized"),
    "dynamic.vhd": ("vpc", "subformat=dynamic,force_size=on"),
    "dynamic.vhdx": ("vhdx", "subformat=dynamic"),
    "disk.qcow2": ("qcow2", ""),
}
COMPRESSED = "disk.raw.xz"


def raw(path: Path) -> bytes:
    """Writes a raw disk: a partition table's mark, data here and there, and much that is empty."""
    chance = random.Random(1)  # noqa: S311  the same bytes each time
    disk = bytearray(SIZE)
    disk[510:512] = b"\x55\xaa"
    for start in range(1 << 20, SIZE, 5 << 20):
        disk[start : start + (256 << 10)] = chance.randbytes(256 << 10)
    disk[-512:] = chance.randbytes(512)
    path.write_bytes(disk)
    return bytes(disk)


def write(folder: Path, *names: str) -> bytes:
    """Writes disk.raw, and beside it the same disk in files of FORMATS or COMPRESSED. What is on the disk."""
    content = raw(folder / "disk.raw")
    for name in names:
        convert(folder / "disk.raw", name)
    return content


def convert(source: Path, name: str) -> Path:
    """Makes a file of FORMATS, or COMPRESSED, beside a raw disk."""
    target = source.with_name(name)
    if name == COMPRESSED:
        target.write_bytes(lzma.compress(source.read_bytes(), preset=6))
        return target
    kind, options = FORMATS[name]
    chosen = ("-o", options) if options else ()
    Tools.ready().run("qemu-img", "convert", "-f", "raw", "-O", kind, *chosen, source, target)
    return target
