"""Converts OVF descriptors: the .ovf file in an OVA, or beside the disks of an export.

Source: DMTF DSP0243 (OVF 1.1 and 2.1), whose items are CIM's (CIM_ResourceAllocationSettingData, and
CIM_OperatingSystem for systems' numbers); VMware's extensions as ovftool and govmomi write them (vmw:Config),
and VirtualBox's (vbox:Machine, its settings file). vCenter writes a vmw:BootOrderSection beside the hardware
for each device in the firmware's boot order: vmw:instanceId is the item's InstanceID, and vmw:type its kind.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from twinhull.convert.conversion import CannotConvert, Conversion
from twinhull.convert.machines import amounts, xmltree
from twinhull.convert.machines.machine import (
    NEW_TPM,
    ONE_CARD,
    OTHER_CARD,
    Bootloader,
    Bus,
    Card,
    DescribedDisk,
    DescribedMachine,
    Os,
)
from twinhull.convert.machines.options import MachineOptions
from twinhull.convert.machines.ovf_left_out import TABLES, setting
from twinhull.convert.machines.tree import Node
from twinhull.convert.machines.workload import conversion, disk_names

_CIM = "http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/"
_PREFIXES = {
    "http://schemas.dmtf.org/ovf/envelope/1": "",
    "http://schemas.dmtf.org/ovf/envelope/2": "",
    **{
        f"{_CIM}CIM_{name}AllocationSettingData{end}": ""
        for name in ("Resource", "Storage", "EthernetPort")
        for end in ("", ".xsd")
    },
    f"{_CIM}CIM_VirtualSystemSettingData": "",
    f"{_CIM}CIM_VirtualSystemSettingData.xsd": "",
    "http://www.vmware.com/schema/ovf": "vmw",
    "http://www.vmware.com/vcloud/v1.5": "vcloud",
    "http://www.virtualbox.org/ovf/machine": "vbox",
    "http://www.w3.org/2001/XMLSchema-instance": "xsi",
    "http://www.w3.org/XML/1998/namespace": "xml",
}
_NAMESPACE = "http://schemas.dmtf.org/ovf/envelope/"
#: CIM's numbers of Windows (CIM_OperatingSystem.OSType): from 3.x to CE in a row, and those of later
#: versions.
_WINDOWS = {*range(15, 20), 58, 63, 67, *range(69, 78), 103, 105, *range(111, 122)}
#: CIM's numbers that name no system: Unknown, Other, Dedicated, Not Applicable, and Other 64-Bit.
_UNKNOWN = {0, 1, 59, 66, 102}
#: CIM's numbers of kinds of resources (ResourceType).
_CPU, _MEMORY, _ETHERNET, _CD, _DVD, _DISK = 3, 4, 10, 15, 16, 17
_CONTROLLERS = (5, 6, 20)
#: Why other devices are left, by the numbers of their kinds.
_DEVICES = {
    1: "KubeVirt's machines have no such device",
    14: "KubeVirt has no floppy drive: copy what is on it into the machine",
    21: "the serial port isn't carried over: the console is KubeVirt's (twinhull console)",
    22: "KubeVirt has no parallel port",
    23: "USB controllers are KubeVirt's, and USB devices aren't passed through",
    24: "the graphics card is KubeVirt's: set overrides.domain.devices.video for another",
    35: "the machine has no sound card: set overrides.domain.devices.sound",
}
_ITEMS = ("Item", "StorageItem", "EthernetPortItem")
_MAC = re.compile(r"[0-9A-Fa-f]{2}([:-]?[0-9A-Fa-f]{2}){5}")
#: Network cards that KubeVirt has as well, by their names in ResourceSubType.
_CARDS = {
    "e1000": "e1000",
    "e1000e": "e1000e",
    "virtio": "virtio",
    "virtio-net": "virtio",
    "rtl8139": "rtl8139",
}
#: Kinds of virtual hardware whose firmware is BIOS unless the descriptor says UEFI.
_BIOS_BY_DEFAULT = ("vmx-", "virtualbox-")


def recognises(text: str) -> bool:
    """Whether a text is an OVF descriptor."""
    return xmltree.root_name(text).rpartition(":")[2] == "Envelope" and _NAMESPACE in text


def convert(text: str, options: MachineOptions) -> Conversion:
    """The Workloads of a descriptor's machines, and all parts of it that are left. Raises CannotConvert."""
    envelope = xmltree.read(text, _PREFIXES)
    if envelope.name != "Envelope":
        raise CannotConvert(
            f"the XML's root is {envelope.name}: give an OVF descriptor, whose root is Envelope"
        )
    systems = _systems(envelope)
    if not systems:
        raise CannotConvert("the descriptor has no VirtualSystem: there is no machine in it")
    disks = {node.peek("@diskId"): node for node in envelope.all("DiskSection", "Disk")}
    files = {node.peek("@id"): node for node in envelope.all("References", "File")}
    configuration = _configuration(envelope)
    return conversion(
        envelope, [_machine(system, disks, files, configuration) for system in systems], options, TABLES
    )


def _systems(node: Node) -> list[Node]:
    """All machines, with those of collections."""
    systems: list[Node] = []
    for child in node.children:
        if child.name == "VirtualSystem":
            systems.append(child)
        elif child.name == "VirtualSystemCollection":
            child.is_group = True
            systems += _systems(child)
    return systems


def _configuration(envelope: Node) -> str:
    """The configuration to use: the default one, or else the first."""
    offered = envelope.all("DeploymentOptionSection", "Configuration")
    for node in offered:
        if node.peek("@default").lower() in {"true", "1"}:
            return node.peek("@id")
    return offered[0].peek("@id") if offered else ""


def _machine(
    system: Node, disks: Mapping[str, Node], files: Mapping[str, Node], configuration: str
) -> DescribedMachine:
    hardware = system.find("VirtualHardwareSection")
    if hardware is None:
        raise CannotConvert(
            f"{system.path} has no VirtualHardwareSection, which says what the machine has: export it again"
        )
    for other in system.all("VirtualHardwareSection")[1:]:
        other.leave("the first of the sections with hardware is used")
    items = _items(hardware, configuration)
    card = _card(items, system)
    _say_what_devices_become(items)
    bootloader = _bootloader(system, hardware)
    secure_boot = any(
        _config(hardware, key).lower() == "true"
        for key in ("bootOptions.efiSecureBootEnabled", "uefi.secureBoot.enabled")
    )
    _say_what_settings_become(hardware)
    return DescribedMachine(
        name=_name(system, hardware),
        description=system.find("AnnotationSection", "Annotation"),
        os=_os(system),
        cpus=_cpus(items, hardware),
        memory=_memory(items, hardware),
        bootloader=bootloader,
        secure_boot=bootloader == "UEFI" and secure_boot,
        has_tpm=_tpm(items),
        disks=_disks(items, disks, files, _boot_order(system, hardware)),
        without_card="" if _of(items, _ETHERNET) else hardware.path,
        clock_path=hardware.path,
        card=card,
        os_path=f"{system.path}/OperatingSystemSection",
    )


def _name(system: Node, hardware: Node) -> Node | None:
    """The machine's name: its Name, or else its hardware's identifier or its own id."""
    places = (system.find("Name"), hardware.find("System", "VirtualSystemIdentifier"), system.find("@id"))
    named = [node for node in places if node and (node.value or "").strip()]
    for other in named[1:]:
        other.read = True
    return named[0] if named else None


def _items(hardware: Node, configuration: str) -> list[Node]:
    """The items that count: those of the chosen configuration, without ranges of allowed values."""
    items = []
    for node in (node for name in _ITEMS for node in hardware.all(name)):
        bound, of = node.peek("@bound"), node.peek("@configuration").split()
        if bound in {"min", "max"}:
            node.leave("it says which values are allowed: the normal one is used")
        elif of and configuration not in of:
            node.leave(f"it is for the configuration {' '.join(of)}, and {configuration or 'none'} is used")
        else:
            items.append(node)
    # An item of a configuration replaces an item of the same InstanceID that names no configuration.
    chosen = {node.peek("InstanceID") for node in items if node.peek("@configuration")}
    for node in items:
        if node.peek("InstanceID") in chosen and not node.peek("@configuration"):
            node.leave(f"the one of configuration {configuration} is used")
    return [node for node in items if not node.why]


def _kind(item: Node) -> int:
    return amounts.small(item.peek("ResourceType"), 5) or 0


def _of(items: list[Node], *kinds: int) -> list[Node]:
    return [item for item in items if _kind(item) in kinds]


def _first(items: list[Node], kind: int, hardware: Node, says: str) -> Node:
    """The first item of a kind. Raises CannotConvert if there is none; `says` is the fact that the item would
    tell.
    """
    of_kind = _of(items, kind)
    if not of_kind:
        raise CannotConvert(f"{hardware.path} has no item of ResourceType {kind}, which says {says}: add it")
    return of_kind[0]


def _cpus(items: list[Node], hardware: Node) -> int:
    item = _first(items, _CPU, hardware, "how many CPUs there are")
    for key in ("ResourceType", "AllocationUnits"):
        item.take(key)
    cpus = amounts.whole(item.take("VirtualQuantity"), f"{item.path}/VirtualQuantity")
    cores = item.find("vmw:CoresPerSocket")
    if cores and cores.value == str(cpus):
        cores.read = True
    return cpus


def _memory(items: list[Node], hardware: Node) -> int:
    item = _first(items, _MEMORY, hardware, "how much memory there is")
    item.take("ResourceType")
    unit = item.take("AllocationUnits") or item.take("VirtualQuantityUnits")
    return amounts.ovf(item.take("VirtualQuantity"), unit, f"{item.path}/VirtualQuantity")


def _bootloader(system: Node, hardware: Node) -> Bootloader | None:
    """The firmware by VMware's or VirtualBox's extensions. OVF itself has no field for it."""
    firmware = _config(hardware, "firmware").lower() or _virtualbox(system, "Firmware", "@type").lower()
    if firmware:
        return "UEFI" if firmware.startswith("efi") else "BIOS"
    kinds = hardware.peek("System", "VirtualSystemType").lower().split()
    return "BIOS" if any(kind.startswith(_BIOS_BY_DEFAULT) for kind in kinds) else None


def _virtualbox(system: Node, *names: str) -> str:
    """A setting of VirtualBox's own file. Its elements are in its own namespace, or in OVF's."""
    for machine in system.all("vbox:Machine"):
        machine.leave(
            "of VirtualBox's own settings only the firmware and the first card's address are carried over"
        )
        for prefix in ("vbox:", ""):
            path = [f"{prefix}{name}" if name[0] != "@" else name for name in ("Hardware", *names)]
            if text := machine.peek(*path):
                return text
    return ""


def _config(hardware: Node, key: str) -> str:
    """The value of a vmw:Config or vmw:ExtraConfig, empty if there is none."""
    for node in (*hardware.all("vmw:Config"), *hardware.all("vmw:ExtraConfig")):
        if node.peek("@vmw:key").lower() == key.lower():
            node.take("@vmw:key")
            return node.take("@vmw:value")
    return ""


def _say_what_devices_become(items: list[Node]) -> None:
    """Name the devices that a Workload's machine can't have. Controllers matter only for disks."""
    for item in items:
        kind = _kind(item)
        if kind in _CONTROLLERS:
            for key in ("ResourceType", "ResourceSubType", "Address"):
                item.take(key)
        elif kind not in {_CPU, _MEMORY, _ETHERNET, _CD, _DVD, _DISK}:
            item.leave(_DEVICES.get(kind, _DEVICES[1]))


def _say_what_settings_become(hardware: Node) -> None:
    """Name vSphere's settings by their keys, except for those without a meaning."""
    waiting = [hardware]
    while waiting:
        node = waiting.pop()
        waiting += node.children
        if node.name not in {"vmw:Config", "vmw:ExtraConfig"} or any(child.read for child in node.children):
            continue
        key = node.peek("@vmw:key")
        node.path = f'{node.path.rpartition("/")[0]}/{node.name}[@vmw:key="{key}"]'
        if why := setting(key, node.peek("@vmw:value")):
            node.leave(why)
        else:
            for name in ("@vmw:key", "@vmw:value"):
                node.take(name)


def _os(system: Node) -> Os | None:
    section = system.find("OperatingSystemSection")
    if section is None:
        return None
    words = " ".join(
        (section.take("@vmw:osType"), section.take("vbox:OSType"), section.take("Description"))
    ).lower()
    if "arm64" in words or "arm-" in words:
        raise CannotConvert(
            f"{section.path} says {words.strip()[:64]}: only machines of x86_64 are converted"
        )
    number = amounts.small(section.take("@id"), 5)
    section.take("@version")
    if words.strip():
        if "windows" in words or words.startswith("win"):
            return "Windows"
        is_linux = "linux" in words or not words.startswith(("other", "unknown"))
        return "Linux" if is_linux and words.strip() not in {"none", "other"} else None
    if number is None or number in _UNKNOWN:
        return None
    return "Windows" if number in _WINDOWS else "Linux"


def _tpm(items: list[Node]) -> bool:
    tpms = [item for item in items if "tpm" in item.peek("ResourceSubType").lower()]
    for item in tpms:
        item.leave(NEW_TPM)
    return bool(tpms)


def _card(items: list[Node], system: Node) -> Card:
    """The first network card. A Workload's machine has only one, behind a masquerade."""
    cards = _of(items, _ETHERNET)
    for card in cards[1:]:
        card.leave(ONE_CARD)
    if not cards:
        return Card()
    cards[0].take("ResourceType")
    subtype = cards[0].find("ResourceSubType")
    model = _CARDS.get((subtype.value or "").strip().lower(), "") if subtype else ""
    if subtype and model:
        subtype.read = True
    elif subtype:
        subtype.leave(OTHER_CARD)
    address = cards[0].peek("Address") or _virtualbox(system, "Network", "Adapter", "@MACAddress")
    if not _MAC.fullmatch(address):
        return Card(model)
    cards[0].take("Address")
    plain = re.sub("[^0-9a-f]", "", address.lower())
    return Card(model, ":".join(plain[index : index + 2] for index in range(0, 12, 2)))


def _boot_order(system: Node, hardware: Node) -> list[Node]:
    """The sections that name the devices of the firmware's boot order."""
    return [*system.all("vmw:BootOrderSection"), *hardware.all("vmw:BootOrderSection")]


def _disks(
    items: list[Node], disks: Mapping[str, Node], files: Mapping[str, Node], boot_order: list[Node]
) -> tuple[DescribedDisk, ...]:
    """The disks in their boot order, the others in the order of the items, and the CD-ROM drives with a
    medium.
    """
    controllers = {item.peek("InstanceID"): item for item in _of(items, *_CONTROLLERS)}
    carried = [item for item in _of(items, _DISK, _CD, _DVD) if _is_carried(item, disks, files)]
    tried = list(dict.fromkeys(section.peek("@vmw:instanceId") for section in boot_order))
    places = {name: place for place, name in enumerate(tried)}
    carried.sort(key=lambda item: (_kind(item) != _DISK, places.get(item.peek("InstanceID"), len(places))))
    _read_boot_order(boot_order, carried)
    names = iter(disk_names(_last(_resource(item).value or "") for item in carried[1:]))
    return tuple(
        replace(
            _disk(item, "boot" if index == 0 else next(names), disks, files, controllers),
            is_tried=item.peek("InstanceID") in places,
        )
        for index, item in enumerate(carried)
    )


def _read_boot_order(boot_order: list[Node], carried: list[Node]) -> None:
    """Mark the sections of disks as read. The first disk is booted before all else, so a section before its
    own is named.
    """
    names = {item.peek("InstanceID") for item in carried}
    first = carried[0].peek("InstanceID") if carried else ""
    is_before = first in {section.peek("@vmw:instanceId") for section in boot_order}
    for section in boot_order:
        name = section.peek("@vmw:instanceId")
        is_before = is_before and name != first
        if name not in names or is_before:
            section.leave(
                "the machine boots its disk first: give a disk bootOrder, or an interface in overrides"
            )
            continue
        for key in ("@vmw:instanceId", "@vmw:type"):
            section.take(key)


def _resource(item: Node) -> Node:
    """The node with the reference to the disk or the file: `ovf:/disk/vmdisk1`, or `ovf:/file/file1`."""
    return item.find_or_self("HostResource")


def _last(resource: str) -> str:
    return resource.rstrip("/").rpartition("/")[2]


def _is_carried(item: Node, disks: Mapping[str, Node], files: Mapping[str, Node]) -> bool:
    name = _last(_resource(item).value or "")
    if _kind(item) != _DISK and name not in files and name not in disks:
        item.leave("the CD-ROM drive is empty, or the host's")
    elif name not in disks and name not in files:
        raise CannotConvert(
            f"{item.path} is a disk, and HostResource names none of DiskSection or References: correct it"
        )
    return not item.why


def _disk(
    item: Node,
    name: str,
    disks: Mapping[str, Node],
    files: Mapping[str, Node],
    controllers: Mapping[str, Node],
) -> DescribedDisk:
    is_cdrom = _kind(item) != _DISK
    item.take("ResourceType")
    item.take("HostResource")
    wanted = _last(_resource(item).value or "")
    disk = disks.get(wanted)
    file = files.get(wanted if disk is None else disk.peek("@fileRef"))
    if disk:
        for key in ("@diskId", "@fileRef"):
            disk.take(key)
    href = file.find("@href") if file else None
    if file:
        file.take("@id")
    return DescribedDisk(
        name=name,
        node=item,
        source=href or (disk.find("@diskId") if disk else None) or item,
        file=(href.value or "").strip() if href else "",
        size=None if disk is None else _capacity(disk),
        bus=_bus(item, controllers),
        is_cdrom=is_cdrom,
        is_blank=file is None and not is_cdrom,
        first=_first_step(disk, file),
    )


def _bus(item: Node, controllers: Mapping[str, Node]) -> Bus | None:
    """The bus virtio for a disk whose controller is of virtio, as oVirt and others write it."""
    controller = controllers.get(item.peek("Parent"))
    kind = (controller.peek("ResourceSubType") if controller else "").lower()
    return "scsi" if kind in {"virtioscsi", "virtio-scsi"} else "virtio" if kind == "virtio" else None


def _capacity(disk: Node) -> int | None:
    """The virtual size in bytes; None if a person gives it at the import (`${property}`)."""
    if disk.peek("@capacity").startswith("${"):
        return None
    return amounts.ovf(
        disk.take("@capacity"), disk.take("@capacityAllocationUnits"), f"{disk.path}/@capacity"
    )


def _first_step(disk: Node | None, file: Node | None) -> str:
    if disk and disk.take("@parentRef"):
        return "this disk holds only what differs from another one: export it as a whole"
    if file and file.take("@chunkSize"):
        return "the file is cut into chunks: put them together (cat FILE.0*)"
    return ""
