"""The description of a machine of another hypervisor, as far as a Workload can express it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from twinhull.convert.conversion import Left
from twinhull.convert.machines.tree import Node

#: The reasons why parts of all formats are left.
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
#: Why the UUID of a libvirt domain is left: the domain has it in the order in which the system sees it.
NEW_UUID = (
    "the machine has a new UUID and serial number: if a license goes by them, set "
    "overrides.domain.firmware.uuid to this one, and serial to what the system says of itself"
)

Os = Literal["Linux", "Windows"]
Bootloader = Literal["BIOS", "UEFI"]
Bus = Literal["sata", "scsi", "virtio"]


@dataclass(frozen=True, slots=True)
class DescribedDisk:
    """A disk, or a CD-ROM drive with a medium. The first one of a machine is booted."""

    #: Its name in the Workload, unless it is the boot disk.
    name: str
    #: Its node in the description.
    node: Node
    #: The node that names its file; the disk's own node if none does.
    source: Node
    #: The name of its file in the description, with folders; empty if it has none.
    file: str
    #: Its virtual size in bytes, None if the description lacks it.
    size: int | None = None
    #: Its bus, None for SATA, which every system knows.
    bus: Bus | None = None
    is_cdrom: bool = False
    #: Whether it is empty, and has no file.
    is_blank: bool = False
    #: Whether it is in the boot order of the firmware.
    is_tried: bool = False
    #: Its file in vSphere's form, such as `[datastore1] web/web.vmdk`; empty if it has none.
    backing_file: str = ""
    #: What to do before the disk is imported in any way, empty if nothing.
    first: str = ""
    #: What to do before its file is served or uploaded, empty if nothing.
    if_copied: str = ""
    #: Why no machine here can use the file, empty if one can. A claim can have its content nevertheless.
    unusable: str = ""


@dataclass(frozen=True, slots=True)
class Card:
    """A network card."""

    #: Its model by KubeVirt's name, empty for the one that every system knows.
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
    #: Its operating system. None: the description doesn't say.
    os: Os | None
    #: How many CPUs it has.
    cpus: int
    #: Its memory in bytes.
    memory: int
    #: Its firmware. None: the description doesn't say.
    bootloader: Bootloader | None
    #: Its disks and CD-ROM drives, the one that it boots first.
    disks: tuple[DescribedDisk, ...]
    #: Whether its firmware boots only signed code.
    secure_boot: bool = False
    #: Whether it has a TPM.
    has_tpm: bool = False
    #: The place in the description where a network card would be, if it has none; empty if it has one.
    without_card: str = ""
    #: Its first network card.
    card: Card = Card()
    #: Settings in KubeVirt's form, for virtualMachine.overrides.
    overrides: dict[str, object] = field(default_factory=dict)
    #: Its UUID in vSphere, empty if it isn't a machine of vSphere.
    vsphere_uuid: str = ""
    #: The part that is named for a Windows whose clock had local time, as is the hypervisor's default; empty
    #: if the description sets the clock.
    clock_path: str = ""
    #: Remarks on facts that aren't in the description.
    notes: tuple[Left, ...] = ()
    #: Gives the command that prints a disk's virtual size there, for the disk's file.
    size_command: Callable[[str], str] = lambda file: f"qemu-img info {file}"
    #: The place where the description would name the operating system.
    os_path: str = ""


def why_vmware_uuid_is_left(hexadecimal: str, *, is_swapped: bool) -> str:
    """Why the UUID of VMware's machine is left. `plain` has its 32 digits, as uuid.bios does.

    The system in the machine sees the bytes of the first three fields in reverse: Windows always (VMware's KB
    1880), and Linux if the virtual hardware has version 13 or later (KB 53609). In the serial number nothing
    is swapped.
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
