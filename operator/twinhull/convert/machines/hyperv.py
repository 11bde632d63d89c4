"""Machines of Hyper-V, as PowerShell's ConvertTo-Json prints them.

docs/convert-machines.md has the command, which collects the output of several cmdlets about a machine. The
output of `Get-VM | ConvertTo-Json -Depth 3` alone is read, too, but it lacks the firmware and the disks'
sizes.

Sources: for names, the documentation of the Hyper-V module (MicrosoftDocs/windows-powershell-docs,
docset/winserver2025-ps/hyper-v). PowerShell 5.1 prints its enumerations as numbers:
Microsoft.HyperV.PowerShell's OnOffState (On is 0) and ControllerType, Microsoft.Vhd.PowerShell's VhdType
and VhdFormat. The items of a guest are Msvm_KvpExchangeComponent's.
"""

from __future__ import annotations

import re

from twinhull.convert.conversion import CannotConvert, Conversion, Left
from twinhull.convert.machines import amounts, jsontree, xmltree
from twinhull.convert.machines.hyperv_left_out import TABLES
from twinhull.convert.machines.machine import (
    NEW_TPM,
    NEW_VARIABLES,
    ONE_CARD,
    Bootloader,
    Card,
    DescribedDisk,
    DescribedMachine,
    Os,
)
from twinhull.convert.machines.options import MachineOptions
from twinhull.convert.machines.tree import Node
from twinhull.convert.machines.workload import conversion, disk_names

#: The system whose keys a template of secure boot has.
_OF_TEMPLATES: dict[str, Os] = {
    "MicrosoftWindows": "Windows",
    "MicrosoftUEFICertificateAuthority": "Linux",
}
_ON = {"on", "0", "true"}
_CONTROLLERS = {"0": "ide", "1": "scsi", "2": "pmem", "ide": "ide", "scsi": "scsi", "pmem": "pmem"}
_VHD, _VHD_SET = {"2", "vhd"}, {"4", "vhdset"}
_FIXED, _DIFFERENCING = {"2", "fixed"}, {"4", "differencing"}
_MAC = re.compile(r"[0-9A-Fa-f]{12}")
#: The parts that the command collects. Each only groups the output of one cmdlet.
_GROUPS = ("VM", "Processor", "Firmware", "Bios", "Security")
#: Matches the name of a type, which stands for a part that was cut off because ConvertTo-Json's -Depth was
#: too small.
_CUT_OFF = re.compile(r"(Microsoft\.|System\.|@\{|[A-Za-z]+ \(Name = )")
#: How many bytes CDI adds to the disk that it makes of a VHD of fixed size (docs/disks.md).
_FOOTER = 2**20
_MOST_CONTROLLERS = 64
#: The ends of the paths of loaders that a firmware finds without its variables: that of removable media, and
#: Windows' own.
_FOUND_BY_ITSELF = ("\\bootx64.efi", "\\bootmgfw.efi")
#: The size of a logical sector in bytes.
_SECTOR = "512"
_COPY_TO_SECTORS = f"copy what is on it to a disk with logical sectors of {_SECTOR} bytes"


def recognises(text: str) -> bool:
    """Whether a text is a machine of Hyper-V, or several, as JSON."""
    return (
        text.lstrip("\ufeff \t\r\n")[:1] in {"{", "["} and '"Generation"' in text and '"HardDrives"' in text
    )


def convert(text: str, options: MachineOptions) -> Conversion:
    """The Workloads of machines, and all parts of the JSON that are left. Raises CannotConvert."""
    root = jsontree.read(text)
    if not root.children:
        raise CannotConvert("there is no machine in the JSON: give Get-VM the name of an existing one")
    return conversion(root, [_machine(node) for node in root.children], options, TABLES)


def _machine(node: Node) -> DescribedMachine:
    vm = node.find_or_self("VM")
    node.is_group = True
    for group in (child for name in _GROUPS for child in node.all(name)):
        group.is_group = True
    _refuse_what_is_cut_off(node)
    adapters = [one for one in node.all("NetworkAdapters") or vm.all("NetworkAdapters") if one.children]
    name = vm.find("Name") or vm.find("VMName")
    if _is(node.peek("Security", "Shielded") or node.peek("Shielded")):
        raise CannotConvert(
            f"the machine {name.value if name else ''} is shielded: guarded hosts alone can read its disk. "
            "Copy what is in it into a machine that isn't"
        )
    generation = vm.take("Generation")
    if generation not in {"1", "2"}:
        raise CannotConvert(f"{vm.path or 'the machine'} has Generation {generation!r}: it must be 1 or 2")
    bootloader: Bootloader = "UEFI" if generation == "2" else "BIOS"
    secure_boot = generation == "2" and node.take("Firmware", "SecureBoot").lower() in _ON
    template = node.take("Firmware", "SecureBootTemplate")
    if secure_boot and template == "OpenSourceShieldedVM":
        node.find_or_self("Firmware", "SecureBootTemplate").leave("KubeVirt's firmware has Microsoft's keys")
    return DescribedMachine(
        name=name,
        description=vm.find("Notes"),
        os=_os(node, template if secure_boot else ""),
        cpus=amounts.whole(vm.take("ProcessorCount"), _path(vm, "ProcessorCount")),
        memory=_memory(vm),
        bootloader=bootloader,
        secure_boot=secure_boot,
        has_tpm=_tpm(node),
        disks=_disks(node, vm),
        without_card="" if adapters else f"{node.path}.NetworkAdapters".lstrip("."),
        card=_card(adapters),
        notes=tuple(_unsaid(node, generation)),
        size_command=lambda file: f"(Get-VHD '{file}').Size",
        os_path=f"{node.path}.GuestItems".lstrip("."),
        clock_path=vm.path or node.path,
    )


def _unsaid(node: Node, generation: str) -> list[Left]:
    """The facts that are missing, if the JSON isn't from the documentation's command."""
    if generation == "2" and node.find("Firmware", "SecureBoot") is None:
        return [
            Left(
                f"{node.path}.Firmware".lstrip("."),
                "it isn't there: the Workload has no secure boot and no TPM. If the machine has them, use "
                "the command in docs/convert-machines.md",
            )
        ]
    return []


def _refuse_what_is_cut_off(node: Node) -> None:
    for name in ("HardDrives", "NetworkAdapters"):
        for part in (*node.all(name), *node.all("VM", name)):
            if part.value and _CUT_OFF.match(part.value):
                raise CannotConvert(f"{part.path} is cut off: give ConvertTo-Json a larger -Depth, such as 5")


def _memory(vm: Node) -> int:
    """The memory that the machine starts with. In KubeVirt memory isn't dynamic."""
    memory = amounts.whole(vm.take("MemoryStartup"), _path(vm, "MemoryStartup"))
    is_dynamic = vm.find("DynamicMemoryEnabled")
    for name in ("MemoryMinimum", "MemoryMaximum"):
        if (node := vm.find(name)) and not (is_dynamic and _is(is_dynamic.value)):
            node.read = True
    if is_dynamic and _is(is_dynamic.value):
        is_dynamic.leave(
            "memory isn't dynamic, and the machine has what it started with: set memory to what it needs"
        )
    elif is_dynamic:
        is_dynamic.read = True
    return memory


def _os(node: Node, template: str) -> Os | None:
    """The system that the guest itself reported, or else the one whose keys its secure boot had.

    The template MicrosoftWindows has only the keys of Windows, and MicrosoftUEFICertificateAuthority those of
    other systems.
    """
    for item in node.all("GuestItems"):
        properties = _guest_item(item.value or "")
        item.read = True
        if properties.get("Name") == "OSName" and properties.get("Data"):
            return "Windows" if "windows" in properties["Data"].lower() else "Linux"
    return _OF_TEMPLATES.get(template)


def _guest_item(text: str) -> dict[str, str]:
    """The properties of a guest's item, such as Name and Data; the item is an XML of CIM."""
    if not text.lstrip().startswith("<"):
        return {}
    try:
        instance = xmltree.read(text, {})
    except CannotConvert:  # the text was written by the system in the machine
        return {}
    return {node.peek("@NAME"): node.peek("VALUE") for node in instance.all("PROPERTY")}


def _tpm(node: Node) -> bool:
    tpm = node.find("Security", "TpmEnabled")
    if tpm is None:
        return False
    tpm.read = True
    if not _is(tpm.value):
        return False
    tpm.leave(NEW_TPM)
    return True


def _card(adapters: list[Node]) -> Card:
    """The first network adapter, without a model. A Workload's machine has only one, behind a masquerade."""
    for other in adapters[1:]:
        other.leave(ONE_CARD)
    if not adapters:
        return Card()
    address = adapters[0].take("MacAddress")
    plain = re.sub("[-:]", "", address)
    if not _MAC.fullmatch(plain) or set(plain) == {"0"}:
        return Card()
    return Card(mac_address=":".join(plain[index : index + 2] for index in range(0, 12, 2)).lower())


def _disks(node: Node, vm: Node) -> tuple[DescribedDisk, ...]:
    """The machine's disks, the one that it boots first, and the CD-ROM drives with a medium."""
    disks = [one for one in node.all("HardDrives") or vm.all("HardDrives") if _is_carried(one)]
    drives = [one for one in node.all("DVDDrives") or vm.all("DVDDrives") if _has_medium(one)]
    order = _boot_order(node)
    disks.sort(key=lambda disk: _rank(disk, order))
    carried = [*disks, *drives]
    names = iter(disk_names(_place(disk) for disk in carried[1:]))
    return tuple(
        _disk(disk, "boot" if index == 0 else next(names), is_cdrom=disk in drives)
        for index, disk in enumerate(carried)
    )


def _boot_order(node: Node) -> list[str]:
    """The files of the drives in the boot order of the firmware."""
    paths = []
    for entry in node.all("Firmware", "BootOrder"):
        if _is_lost(entry.value or ""):
            entry.leave(NEW_VARIABLES)
        path = (
            entry.take("Device", "Path")
            or entry.take("Device")
            or (entry.value or "").partition(" ")[2].strip()
        )
        if path:
            paths.append(path.lower())
    return paths


def _is_lost(entry: str) -> bool:
    """Whether a boot entry names a loader that a firmware without this entry doesn't find. Windows also puts
    its loader at the place where every firmware looks.
    """
    kind, _, file = entry.lower().partition(" ")
    return kind == "file" and file.endswith(".efi") and not file.endswith(_FOUND_BY_ITSELF)


def _rank(disk: Node, order: list[str]) -> tuple[int, str, int, int]:
    path = disk.peek("Path").lower()
    place = order.index(path) if path in order else len(order)
    kind = _CONTROLLERS.get(disk.peek("ControllerType").lower(), "scsi")
    return place, kind, _number(disk, "ControllerNumber"), _number(disk, "ControllerLocation")


def _number(disk: Node, key: str) -> int:
    text = disk.peek(key)
    number = amounts.small(text or "0", 3)
    if number is None or number > _MOST_CONTROLLERS:
        raise CannotConvert(
            f"{_path(disk, key)} is {text[:32]!r}: it must be a number from 0 to {_MOST_CONTROLLERS}"
        )
    return number


def _place(disk: Node) -> str:
    kind = _CONTROLLERS.get(disk.peek("ControllerType").lower(), "disk")
    return f"{kind}{_number(disk, 'ControllerNumber')}-{_number(disk, 'ControllerLocation')}"


def _is_carried(disk: Node) -> bool:
    """Whether a disk is a file. A disk of the host that is passed through has a number instead."""
    number = disk.peek("DiskNumber")
    if number not in {"", "4294967295"}:
        disk.leave(
            "a disk of the host that is passed through stays there: write it to a file, and give that a claim"
        )
    elif not disk.peek("Path"):
        disk.leave("it has no file")
    return not disk.why


def _has_medium(drive: Node) -> bool:
    if not drive.peek("Path"):
        drive.leave("the CD-ROM drive is empty")
    return not drive.why


def _disk(disk: Node, name: str, *, is_cdrom: bool) -> DescribedDisk:
    for key in ("ControllerType", "ControllerNumber", "ControllerLocation"):
        disk.take(key)
    unusable = _other_sectors(disk)
    return DescribedDisk(
        name=name,
        node=disk,
        source=disk.find_or_self("Path"),
        file=disk.peek("Path"),
        size=None if is_cdrom else _size(disk),
        is_cdrom=is_cdrom,
        first=_COPY_TO_SECTORS if unusable else _first_step(disk),
        unusable=unusable,
    )


def _other_sectors(disk: Node) -> str:
    """Why a disk's partitions would not be found, and what to do: they are counted in sectors of another size
    than those of KubeVirt's disks (kubevirt.io/api/core/v1, type BlockSize). Empty if they are found.
    """
    size = disk.take("VHD", "LogicalSectorSize")
    if size in {"", _SECTOR}:
        return ""
    return (
        f"{_path(disk, 'VHD.LogicalSectorSize')} is {size[:32]}, and a disk here has logical sectors of "
        f"{_SECTOR} bytes: make a new one by New-VHD -LogicalSectorSizeBytes {_SECTOR}, and copy what is "
        "on this one to it, from within the machine or from a backup; or name a claim that has its content, "
        "on such sectors, by --disk-claim"
    )


def _size(disk: Node) -> int | None:
    """The virtual size in bytes, with the bytes that CDI adds to a VHD of fixed size. None if the JSON
    doesn't have it.
    """
    if not disk.peek("VHD", "Size"):
        return None
    size = amounts.whole(disk.take("VHD", "Size"), _path(disk, "VHD.Size"))
    kind, form = disk.take("VHD", "VhdType").lower(), disk.take("VHD", "VhdFormat").lower()
    if kind in _FIXED and form in _VHD:
        disk.find_or_self("VHD", "VhdType").leave(
            "CDI imports a VHD of fixed size with 512 bytes behind the disk's end, so that size is 1Mi more"
        )
        return size + _FOOTER
    return size


def _first_step(disk: Node) -> str:
    """What to do before the disk can be copied."""
    path = disk.peek("Path").lower()
    if path.endswith((".avhdx", ".avhd")):
        return (
            "this file is a checkpoint's, and holds only what changed since: delete the machine's "
            "checkpoints first"
        )
    if disk.peek("VHD", "VhdType").lower() in _DIFFERENCING or disk.peek("VHD", "ParentPath"):
        return "this is a differencing disk, and isn't the whole disk: make one of it by Convert-VHD"
    if disk.peek("VHD", "VhdFormat").lower() in _VHD_SET or path.endswith(".vhds"):
        return "this is a VHD set, which several machines share: make a VHDX of it by Convert-VHD"
    return ""


def _is(text: str | None) -> bool:
    return (text or "").strip().lower() == "true"


def _path(node: Node, key: str) -> str:
    return f"{node.path}.{key}".lstrip(".")
