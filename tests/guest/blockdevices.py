"""A machine's disks, as libvirt tells QEMU of them."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.guest.commandlines import MachineLayout, UefiFiles
    from tests.guest.machinespec import Device, MachineSpec
    from tests.guest.pci import Topology

#: An option of QEMU's, and its properties.
Option = tuple[str, dict[str, Any]]


def disks(machine_spec: MachineSpec, layout: MachineLayout, topology: Topology) -> Iterator[Option]:
    """The options for all disks. libvirt gives numbers to their files, to the last disk's first."""
    unnumbered = sum(_files(disk) for disk in machine_spec.disks)
    of_sata = count()
    for order, disk in enumerate(machine_spec.disks, start=1):
        unnumbered -= _files(disk)
        number = unnumbered + 1
        if disk.source.kind == "containerDisk":
            yield from _layer(number + 1, layout.root, layout, read_only=True, below=None)
            yield from _layer(number, layout.images[disk.name], layout, read_only=False, below=number + 1)
            node = _format(number)
        else:
            yield _raw(number, disk, layout)
            node = _storage(number)
        is_sata = disk.bus == "sata"
        properties = {
            "driver": "ide-hd" if is_sata else "virtio-blk-pci-non-transitional",
            **({"bus": f"ide.{next(of_sata)}"} if is_sata else topology.place(f"ua-{disk.name}")),
            "drive": node,
            "id": f"ua-{disk.name}",
            **({"bootindex": 1} if order == 1 else {}),
            "write-cache": "on" if layout.direct else "off",
            **({"serial": disk.found_by} if disk.found_by else {}),
            **_on_error(disk),
        }
        yield "-device", properties


def _files(disk: Device) -> int:
    """Of a containerDisk there are two: the image's, and above it what the machine writes."""
    return 2 if disk.source.kind == "containerDisk" else 1


def _layer(
    number: int, file: Path, layout: MachineLayout, *, read_only: bool, below: int | None
) -> Iterator[Option]:
    how = _how(layout)
    storage = {"driver": "file", "filename": str(file), "node-name": _storage(number)}
    yield "-blockdev", {**storage, "auto-read-only": True, **how}
    layer = {"node-name": _format(number), "read-only": read_only, **how, "driver": "qcow2"}
    backing = None if below is None else _format(below)
    yield "-blockdev", {**layer, "file": _storage(number), "backing": backing}


def _raw(number: int, disk: Device, layout: MachineLayout) -> Option:
    """A raw file. Native I/O is for one without holes
    (kubevirt.io/kubevirt/pkg/virt-launcher/virtwrap/converter, SetOptimalIOMode).
    """
    file = str(layout.images[disk.name])
    storage = {"driver": "file", "filename": file, "node-name": _storage(number), "read-only": False}
    is_native = layout.direct and disk.name not in layout.with_holes
    return "-blockdev", {**storage, **({"aio": "native"} if is_native else {}), **_how(layout)}


def flash(firmware: UefiFiles) -> Iterator[Option]:
    """The options for two memory chips: with UEFI, and with its variables (qemu's pflash0 and pflash1)."""
    code = {"driver": "file", "filename": str(firmware.code), "node-name": "libvirt-pflash0-storage"}
    yield "-blockdev", {**code, "auto-read-only": True, "discard": "unmap"}
    read_only = {"node-name": "libvirt-pflash0-format", "read-only": True, "driver": "raw"}
    yield "-blockdev", {**read_only, "file": "libvirt-pflash0-storage"}
    variables = {"driver": "file", "filename": str(firmware.variables), "read-only": False}
    yield "-blockdev", {**variables, "node-name": "libvirt-pflash1-storage"}


def _how(layout: MachineLayout) -> dict[str, Any]:
    return {"discard": "unmap", "cache": {"direct": layout.direct, "no-flush": False}}


def _on_error(disk: Device) -> dict[str, str]:
    """What QEMU does when a write or a read fails (libvirt's src/qemu/qemu_command.c,
    qemuBuildDiskGetErrorPolicy, makes that of a policy).
    """
    if disk.error_policy == "enospace":
        return {"werror": "enospc"}
    return {"werror": disk.error_policy, "rerror": disk.error_policy}


def _storage(number: int) -> str:
    return f"libvirt-{number}-storage"


def _format(number: int) -> str:
    return f"libvirt-{number}-format"
