"""What the name of a disk's file tells: that CDI may mistake its format, or that the file is only a part of a
disk.

Sources: the names are VMware's (Virtual Disk Format 5.0) and Hyper-V's (.avhd, .avhdx).
"""

from __future__ import annotations

import re

from twinhull.api.disks import Disk

#: The suffixes of files that CDI unpacks.
_PACKED = re.compile(r"\.(gz|xz|zst)$")
#: VMware's names for the parts of a split disk, and for the file with the changes since a snapshot. Hyper-V's
#: suffixes for the latter.
_EXTENT = re.compile(r"-[fs][0-9]{3}\.vmdk$")
_DELTA = re.compile(r"-[0-9]{6}(-delta|-sesparse)?\.vmdk$|\.avhdx?$")
_FIXED_VHD = (
    "CDI takes a VHD of a fixed size for a raw disk that is 512 bytes longer: if qemu-img info says "
    '"subformat: fixed", set size to 1Mi more than the virtual size'
)
_DESCRIPTOR = (
    "a VMDK of some hundred bytes only describes a disk, and isn't imported: give the URL of the -flat.vmdk "
    "beside it, or export the disk as one file (streamOptimized)"
)
_IS_EXTENT = (
    "by its name the file is one of several parts of a split VMDK, and the disk would lack the others: "
    "export the disk as one file (streamOptimized)"
)
_IS_DELTA = (
    "by its name the file has only what was written after a snapshot, and the disk would lack all else: "
    "merge the snapshots before the export, or export the disk as one file"
)


def hints(disk: Disk) -> tuple[str, ...]:
    """What to know of a disk's file before the disk is made. CDI recognizes formats by a file's first bytes
    (containerized-data-importer, pkg/image/filefmt.go), and takes every other file for a raw disk.
    """
    if hint := partial(disk):
        return (hint,)
    file = _file(disk)
    if file.endswith(".vhd"):
        return (_FIXED_VHD,)
    return (_DESCRIPTOR,) if file.endswith(".vmdk") and not file.endswith("-flat.vmdk") else ()


def partial(disk: Disk) -> str:
    """Why the file may be only a part of the disk, which CDI may import without an error; empty if its name
    doesn't say so. A name proves nothing, so the disk isn't refused.
    """
    file = _file(disk)
    return _IS_EXTENT if _EXTENT.search(file) else _IS_DELTA if _DELTA.search(file) else ""


def _file(disk: Disk) -> str:
    """The URL of the disk's file without the suffix that CDI unpacks, in lower case; empty if the source has
    no URL.
    """
    source = disk.source.http or disk.source.s3 or disk.source.gcs
    return _PACKED.sub("", source.url.partition("#")[0].partition("?")[0].lower()) if source else ""
