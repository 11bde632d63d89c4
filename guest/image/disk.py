"""The disk: an ext4 of a tar, as a compressed qcow2."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from guest.image.tools import Tools

_SIZE = "20G"  # of which only what is written takes room
_UUID = "1e0f6a5c-7d3b-4c58-9a61-54776e68756c"


def make(tar: Path, target: Path, when: int, tools: Tools) -> None:
    """Writes the qcow2 at `target`; a raw disk is beside it meanwhile."""
    raw = target.with_suffix(".raw")
    raw.unlink(missing_ok=True)
    features = [
        "^has_journal",  # the disk is thrown away at the end
        "^resize_inode",
        "metadata_csum",
    ]
    extended = [
        f"hash_seed={_UUID}",
        "lazy_itable_init=0",  # or the running machine would write all of the inode tables
        "nodiscard",
        "root_owner=0:0",
    ]
    tools.run(
        "mke2fs",
        *("-q", "-t", "ext4", "-b", "4096", "-i", "32768", "-m", "0", "-L", "twinhull-guest", "-U", _UUID),
        *("-O", ",".join(features), "-E", ",".join(extended), "-d", tar),
        *(raw, _SIZE),
        environment={"SOURCE_DATE_EPOCH": str(when)},
    )
    # Of qcow2's two compressions the older: zstd's would be 4 % smaller, and not every QEMU reads it.
    tools.run(
        "qemu-img", "convert", "-f", "raw", "-O", "qcow2", "-c", "-o", "compression_type=zlib", raw, target
    )
    raw.unlink()
