"""What disks hold that a machine finds: file systems, partition tables, and bytes that nobody knows."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from guest.image.tools import Tools

#: As the guest writes it before it makes a file system (guest/agent/internal/ext4/content.go).
_MARK = b"twinhull: a file system is being made on this disk\n"
_BLOCK = 4096
#: An MBR with one partition, of type Linux (0x83): status, CHS, type, CHS, first sector, sectors.
_PARTITION = struct.pack("<B3sB3sII", 0, b"\0\1\0", 0x83, b"\0\1\0", 2048, 4096)


def write(content: str, disk: Path, tools: Tools) -> None:
    """Writes what `content` names onto a disk."""
    size = disk.stat().st_size
    pieces: dict[str, dict[int, bytes]] = {
        "partitions": {446: _PARTITION, 510: b"\x55\xaa"},
        "luks": {0: b"LUKS\xba\xbe\0\1"},
        "unknown": {size // 256 * 128: b"a database of its own kind"},
        "begun": {size - _BLOCK: _MARK, 1 << 20: b"an inode table, half written"},
        # The claim has grown since: the mark of the former end is somewhere in the middle.
        "grown": {(16 << 20) - _BLOCK: _MARK, (20 << 20) - _BLOCK: _MARK, 1 << 20: b"an inode table"},
    }
    if content in pieces:
        with disk.open("r+b") as file:
            for place, data in pieces[content].items():
                file.seek(place)
                file.write(data)
        return
    tools.run("mke2fs", "-q", "-t", "ext4", "-E", "nodiscard", disk)
    if content == "full":  # the file system reaches to the disk's end, where a file has the mark's bytes
        tools.run("debugfs", "-w", "-R", "mkdir made-elsewhere", disk)
        with disk.open("r+b") as file:
            file.seek(size - _BLOCK)
            file.write(_MARK)
    if content == "damaged":  # its root folder is gone, and it knows of errors
        for command in ("clri <2>", "set_super_value state 2"):
            tools.run("debugfs", "-w", "-R", command, disk)
