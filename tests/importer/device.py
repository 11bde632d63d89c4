"""A block device for an importer: a loop device, and a device node of its own. Takes root."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path

from tests.loopdevice import LoopDevice


@dataclass(frozen=True)
class BlockDevice:
    """A loop device, and a device node of its own: the owner of the machine's node stays as it is."""

    loop: LoopDevice
    #: The node.
    path: Path

    @classmethod
    def attach(cls, file: Path, size: int) -> BlockDevice:
        """One of so many bytes, all zero, in a new file; the node is beside that.

        Raises as LoopDevice.attach does.
        """
        loop = LoopDevice.attach(file, size)
        path = file.with_name(f"{file.name}-device")
        os.mknod(path, stat.S_IFBLK | 0o600, loop.number)
        return cls(loop, path)

    def detach(self) -> None:
        """Gives the machine its loop device back."""
        self.loop.detach()
