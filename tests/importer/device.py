"""A block device: a file behind a loop device. Takes root."""

from __future__ import annotations

import os
import stat
import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class BlockDevice:
    """A loop device, and a device node of its own: the owner of the machine's node stays as it is."""

    loop: str
    #: The node.
    path: Path

    @classmethod
    def attach(cls, file: Path, size: int) -> BlockDevice:
        """One of so many bytes, all zero, in a new file; the node is beside that.

        Raises CalledProcessError where the machine has no loop devices.
        """
        with file.open("xb") as backing:
            backing.truncate(size)
        command = ["losetup", "--find", "--show", str(file)]
        loop = subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
        path = file.with_name(f"{file.name}-device")
        os.mknod(path, stat.S_IFBLK | 0o600, Path(loop).stat().st_rdev)
        return cls(loop, path)

    def detach(self) -> None:
        """Gives the machine its loop device back."""
        subprocess.run(["losetup", "--detach", self.loop], check=True)
