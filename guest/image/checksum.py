"""Files whose checksum KubeVirt can write into a VirtualMachineInstance's status.

virt-handler computes the CRC-32 (IEEE) of the whole file of a containerDisk, of the kernel and of the initrd
(getDigest and ComputeChecksums of kubevirt.io/kubevirt/pkg/virt-handler/container-disk/mount.go). The status'
fields are uint32 in Go, but int32 in the CRD before KubeVirt 1.8.4. An API server since Kubernetes 1.36
refuses larger numbers, so with an earlier KubeVirt the status of a machine with a checksum of 2^31 or more
can't be written any more.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

LIMIT = 2**31  # below which a number is an int32
_CHUNK = 1 << 20


def pad(path: Path) -> int:
    """Appends the fewest zero bytes that make the file's checksum less than LIMIT; gives how many.

    Zero bytes at the end change nothing for any of the three kinds of file:

    - A bzImage's loader goes by its header's setup_sects and syssize (arch/x86/boot.rst of Linux' docs).
    - In an initrd, zero bytes may follow an archive (driver-api/early-userspace/buffer-format.rst there).
    - A qcow2's clusters are found by its tables; `qemu-img check` takes a part of a cluster more.
    """
    checksum = of(path)
    added = 0
    while checksum >= LIMIT:
        checksum = zlib.crc32(b"\0", checksum)
        added += 1
    with path.open("ab") as file:
        file.write(bytes(added))
    return added


def of(path: Path) -> int:
    """The file's CRC-32, as zlib and Go's hash/crc32 compute it."""
    checksum = 0
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            checksum = zlib.crc32(chunk, checksum)
    return checksum
