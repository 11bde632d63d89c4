"""A machine of another hypervisor, with what a Workload can say of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from twinhull.convert.conversion import Left
from twinhull.convert.machines.tree import Node

#: Why parts of all formats are left.
ONE_CARD = (
    "a Workload's machine has one network card: add a network by Multus in virtualMachine.overrides, or do "
    "without"
)
OTHER_CARD = "KubeVirt has no such card: the machine has an e1000e"
NEW_TPM = (
    "the machine has a new TPM (firmware.tpm: Persistent), and the keys in this one stay behind: suspend "
    "BitLocker, or enrol LUKS anew, before the disk is copied"
)

UTC_CLOCK = (
    "the machine's clock is UTC: for local time set overrides.domain.clock.timezone, such as Europe/Berlin"
)
WINDOWS_CLOCK = (
    "a Windows takes the machine's clock for its local time, and KubeVirt sets that to UTC: set "
    "overrides.domain.clock.timezone to the machine's time zone, such as Europe/Berlin"
)

NEW_VARIABLES = (
    "the firmware's variables stay behind, and the boot entries with them: the firmware starts "
    "\\EFI\\BOOT\\BOOTX64.EFI. A Linux may have no such file: before the disk is copied, run grub-install "
    "--force-extra-removable in it (Debian, Ubuntu), or copy its boot loader there. firmware.persistent "
    "keeps variables that are set from now on"
)
#: Why the UUID of a libvirt domain is left: the description has it as the system sees it.
NEW_UUID = (
    "the machine has a new UUID and serial number: if a license goes by them, set "
    "overrides.domain.firmware.uuid to this one, and serial to what the system says of itself"
)

Os = Literal["Linux", "Windows"]
Bootloader = Literal["BIOS", "UEFI"]
Bus = Literal["sata", "scsi", "virtio"]


@dataclass(frozen=True, slots=True)
class DescribedDisk:
    """A disk, or a CD-ROM drive with a medium in it. The first is the one that the machine boots."""

    #: Its name in the Workload, unless it is the boot disk's.
    name: str
    #: The whole of it in the description.
    node: Node
    #: Where the description names its file; the node of the disk itself if it doesn't.
    source: Node
    #: The file's name as it stands there, with its folders, empty if there is none.
    file: str
    #: Its virtual size in bytes, None if the description doesn't say it.
    size: int | None = None
    #: Its bus, None for the one that every system knows.
    bus: Bus | None = None
    is_cdrom: bool = False
    #: Whether there is nothing on it, and no file of it.
    is_blank: bool = False
    #: Whether the firmware tries it.
    is_tried: bool = False
    #: The file as vSphere names it, such as `[datastore1] web/web.vmdk`, empty if it has no such name.
    backing_file: str = ""
    #: What is to be done before the disk is imported in any way, empty if nothing.
    first: str = ""
    #: The same for a file that is served or uploaded.
    if_copied: str = ""
    #: Why no machine here can use the file, empty if one can. A claim may have its content all the same.
    unusable: str = ""


@dataclass(frozen=True, slots=True)
class Card:
    """A network card."""

    #: Its model in KubeVirt's words, empty for the one that every system knows.
    model: str = ""
    #: Its address, empty if it isn't known.
    mac_address: str = ""


@dataclass(frozen=True, slots=True)
class DescribedMachine:
    """One machine."""

    #: The node with its name, None if it has none.
    name: Node | None
    #: The node with a text about it, None if it has none.
    description: Node | None
    #: None: the description doesn't say it.
    os: Os | None
    #: How many CPUs it has.
    cpus: int
    #: In bytes.
    memory: int
    #: None: the description doesn't say it.
    bootloader: Bootloader | None
    #: Its disks and CD-ROM drives, the one that it boots first.
    disks: tuple[DescribedDisk, ...]
    #: Whether its firmware boots signed code only.
    secure_boot: bool = False
    #: Whether it has a TPM.
    has_tpm: bool = False
    #: Where the description would have a network card, if it has none; empty if it has one.
    without_card: str = ""
    #: Its first network card.
    card: Card = Card()
    #: What KubeVirt is to be told in its own words, as virtualMachine.overrides has it.
    overrides: dict[str, object] = field(default_factory=dict)
    #: Its UUID in vSphere, empty if it isn't a machine of vSphere's.
    vsphere_uuid: str = ""
    #: What is named for a Windows whose clock was its local time, as the hypervisor has it by default; empty
    #: if the description says how the clock is.
    clock_path: str = ""
    #: What doesn't stand in the description, and is worth knowing.
    notes: tuple[Left, ...] = ()
    #: How a person finds out a disk's virtual size there, with the disk's file as its argument.
    size_command: Callable[[str], str] = lambda file: f"qemu-img info {file}"
    #: Where the description ought to say which system is in the machine.
    os_path: str = ""


def why_vmware_uuid_is_left(hexadecimal: str, *, is_swapped: bool) -> str:
    """Why the UUID of VMware's machine is left: 32 digits, as uuid.bios has them.

    The system in it sees the bytes of the first three fields in the other order: a Windows always (VMware's
    KB 1880), and a Linux if the virtual hardware has version 13 or later (KB 53609). In the serial number
    nothing is swapped.
    """
    octets = [hexadecimal[index : index + 2] for index in range(0, 32, 2)]
    fields = [octets[:4], octets[4:6], octets[6:8]]
    seen = ["".join(reversed(part) if is_swapped else part) for part in fields]
    uuid = "-".join([*seen, "".join(octets[8:10]), "".join(octets[10:])])
    serial = f"VMware-{' '.join(octets[:8])}-{' '.join(octets[8:])}"
    return (
        "the machine has a new UUID and serial number: if a license goes by them, set "
        f"overrides.domain.firmware.uuid to {uuid}, and serial to '{serial}', as its system saw them"
    )
