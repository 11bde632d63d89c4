"""Loop devices: block devices of this machine, each with a file of a test's behind it. They take root.

A test that is killed leaves its devices attached, also once its folder is deleted. Whoever attaches one
detaches those first (`detach_left_behind`).
"""

from __future__ import annotations

import fcntl
import os
import re
import struct
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

#: A folder for each block device; a loop device's has `loop/backing_file` while it is attached.
_BLOCK_DEVICES = Path("/sys/block")
#: What the kernel says of a loop device's file that is deleted, if tests/node/volumes.py had made it in a
#: node's folder, wherever that was, or tests/importer/kubelet.py in a folder of pytest's.
_DELETED_FILE_OF_A_TEST = re.compile(
    r"/(?:node[0-9]+/node-[0-9]+/claims/[^/]+|pytest-of-[^/]+/.*/kubelet/[0-9]+/disk) \(deleted\)$"
)
#: The request LOOP_GET_STATUS64 of ioctl(2), the size of its answer, and the place of lo_rdevice in that,
#: both in bytes (linux/loop.h, struct loop_info64).
_GET_STATUS, _STATUS_SIZE, _RDEVICE_AT = 0x4C05, 232, 16


@dataclass(frozen=True)
class LoopDevice:
    """A loop device that is attached."""

    #: Its device node, such as /dev/loop3.
    path: Path

    @classmethod
    def attach(cls, file: Path, size: int) -> LoopDevice:
        """One of so many bytes, all zero, with a new file behind it.

        Raises FileExistsError if the file is there, and CalledProcessError where the machine has no loop
        devices.
        """
        detach_left_behind()
        with file.open("xb") as backing:
            backing.truncate(size)
        command = ["losetup", "--find", "--show", str(file)]
        return cls(Path(subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()))

    @property
    def number(self) -> int:
        """Its device number, as stat(2) gives it."""
        return self.path.stat().st_rdev

    def detach(self) -> None:
        """Detaches it, and before it all loop devices whose file it is, as a kubelet makes one."""
        for other in _resting_on(self.number):
            _detach(other)
        _detach(self.path)


def detach_left_behind() -> None:
    """Detaches the loop devices that former runs of tests left attached to files that are deleted."""
    for path, file in _attached():
        if _DELETED_FILE_OF_A_TEST.search(file):
            LoopDevice(path).detach()


def _attached() -> Iterator[tuple[Path, str]]:
    """Each loop device that is attached, and its file."""
    for folder in sorted(_BLOCK_DEVICES.glob("loop*")):
        try:
            file = (folder / "loop/backing_file").read_text(encoding="utf-8", errors="replace")
        except OSError:  # it isn't attached
            continue
        yield Path("/dev", folder.name), file.removesuffix("\n")


def _resting_on(number: int) -> Iterator[Path]:
    """The loop devices whose file is the block device of this number."""
    for path, _ in _attached():
        try:
            device = os.open(path, os.O_RDONLY)
        except OSError:  # it was detached meanwhile
            continue
        try:
            status = fcntl.ioctl(device, _GET_STATUS, bytes(_STATUS_SIZE))
        except OSError:
            continue
        finally:
            os.close(device)
        if struct.unpack_from("=Q", status, _RDEVICE_AT)[0] == number:
            yield path


def _detach(path: Path) -> None:
    """Detaches a device, once nobody has it open any more. It may be detached already."""
    subprocess.run(["losetup", "--detach", str(path)], check=False, capture_output=True)
