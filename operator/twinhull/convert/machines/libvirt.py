"""Converts domains of libvirt, as `virsh dumpxml` prints them.

Source: libvirt's docs/formatdomain.rst, and docs/drvesx.rst for domains of VMware.
"""

from __future__ import annotations

import re
import shlex

from twinhull.api.base import Raw
from twinhull.convert.conversion import CannotConvert, Conversion
from twinhull.convert.machines import amounts, xmltree
from twinhull.convert.machines.libvirt_left_out import TABLES
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
    why_vmware_uuid_is_left,
)
from twinhull.convert.machines.options import MachineOptions
from twinhull.convert.machines.tree import Node
from twinhull.convert.machines.workload import conversion, disk_names

_PREFIXES = {
    "http://libvirt.org/schemas/domain/qemu/1.0": "qemu",
    "http://libvirt.org/schemas/domain/vmware/1.0": "vmware",
    "http://libosinfo.org/xmlns/libvirt/domain/1.0": "libosinfo",
}
#: The buses of disks that KubeVirt has as well.
_BUSES: dict[str, Bus] = {"virtio": "virtio", "sata": "sata", "scsi": "scsi"}
#: The network cards that KubeVirt has as well.
_CARDS = {"virtio", "e1000", "e1000e", "rtl8139"}
#: The attributes that name a disk's source, one for each type of disk.
_FILES = ("@file", "@dev", "@volume", "@name", "@dir")
#: Parts of a CPU's topology. Each is 1 if the CPUs are cores of one socket.
_OF_ONE_SOCKET = ("sockets", "dies", "clusters", "threads")
_UUID = re.compile(r"[0-9a-f]{32}")
#: Elements that only group independent settings.
_GROUPS = (
    *(("features",), ("features", "hyperv"), ("cpu",), ("clock",), ("metadata",), ("os",), ("pm",)),
    ("devices", "disk", "driver"),
)
_OTHER_BUS = "KubeVirt has no such {}: the disk is on SATA, which every system knows"


def recognises(text: str) -> bool:
    """Whether a text is a domain's XML."""
    return xmltree.root_name(text) == "domain"


def convert(text: str, options: MachineOptions) -> Conversion:
    """A domain's Workload, and all parts of the domain that are left. Raises CannotConvert."""
    domain = xmltree.read(text, _PREFIXES)
    if domain.name != "domain":
        raise CannotConvert(
            f"the XML's root is {domain.name}: give what virsh dumpxml prints, whose root is domain"
        )
    return conversion(domain, [_machine(domain, options)], options, TABLES)


def _machine(domain: Node, options: MachineOptions) -> DescribedMachine:
    _refuse_what_is_no_machine(domain)
    for names in _GROUPS:
        for group in domain.all(*names):
            group.is_group = True
    tpm = _tpm(domain)
    bootloader, os = _bootloader(domain), _os(domain)
    is_vmware = domain.peek("@type") in {"vmware", "esx"}
    return DescribedMachine(
        name=domain.find("name"),
        description=domain.find("description") or domain.find("title"),
        os=os,
        cpus=_cpus(domain),
        memory=_memory(domain),
        bootloader=bootloader,
        secure_boot=bootloader == "UEFI" and _secure_boot(domain),
        has_tpm=tpm,
        disks=_disks(domain),
        without_card="" if domain.find("devices", "interface") else "/domain/devices",
        card=_card(domain),
        overrides=_clock(domain),
        vsphere_uuid=_vsphere_uuid(domain, options.os or os) if is_vmware else "",
        size_command=lambda _: f"virsh domblkinfo {shlex.quote(domain.peek('name') or 'DOMAIN')} --all",
        os_path="/domain/metadata",
        # libvirt gives every machine of VMware the clock utc, its default: src/vmx/vmx.c reads no clock.
        clock_path="/domain/clock" if is_vmware else "",
    )


def _refuse_what_is_no_machine(domain: Node) -> None:
    kind = domain.take("os", "type")
    if kind and kind != "hvm":
        raise CannotConvert(
            f"/domain/os/type is {kind}: only whole machines (hvm) boot their own disk; a container or a "
            "paravirtual guest of Xen doesn't"
        )
    architecture = domain.take("os", "type", "@arch")
    if architecture not in {"", "x86_64", "amd64", "i686"}:
        raise CannotConvert(f"/domain/os/type/@arch is {architecture}: only machines of x86_64 are converted")


def _os(domain: Node) -> Os | None:
    """The system that libosinfo names, or else Windows if the domain has Hyper-V's enlightenments, which only
    Windows uses.
    """
    for node in domain.all("metadata", "libosinfo:libosinfo", "libosinfo:os"):
        os_id = node.take("@id").lower()
        if os_id:
            return "Windows" if "microsoft.com" in os_id else "Linux"
    return "Windows" if domain.find("features", "hyperv") else None


def _cpus(domain: Node) -> int:
    """The CPUs that the machine starts with. Without a number there is one."""
    most = amounts.whole(domain.take("vcpu") or "1", "/domain/vcpu")
    now = domain.take("vcpu", "@current")
    if now and now != str(most):
        domain.find_or_self("vcpu", "@current").leave(f"the machine has no more than these of {most} CPUs")
    topology = domain.find("cpu", "topology")
    if topology and all((topology.peek(f"@{part}") or "1") == "1" for part in _OF_ONE_SOCKET):
        for part in ("cores", *_OF_ONE_SOCKET):
            topology.take(f"@{part}")
    return amounts.whole(now or str(most), "/domain/vcpu/@current")


def _memory(domain: Node) -> int:
    node = domain.find("memory")
    if node is None:
        raise CannotConvert("/domain/memory is missing: add it, or print the domain by virsh dumpxml")
    size = amounts.libvirt(domain.take("memory"), node.take("@unit"), "/domain/memory")
    now = domain.find("currentMemory")
    if now and amounts.libvirt(now.value or "", now.peek("@unit"), "/domain/currentMemory") == size:
        now.read = True
        now.take("@unit")
    return size


def _bootloader(domain: Node) -> Bootloader:
    """The firmware of os/@firmware, or else UEFI if the loader is mapped as UEFI's firmware is."""
    firmware = domain.take("os", "@firmware")
    loader = domain.find("os", "loader")
    path = domain.peek("os", "loader").lower()
    is_flash = loader is not None and loader.peek("@type") == "pflash"
    is_uefi = firmware == "efi" or is_flash or "ovmf" in path or "efi" in path.rpartition("/")[2]
    if loader:
        loader.read = True
        loader.take("@type")
    return "UEFI" if is_uefi else "BIOS"


def _secure_boot(domain: Node) -> bool:
    """Whether unsigned code is refused: the firmware supports secure boot, and has keys.

    `secure` only says that the firmware supports it. Keys are enrolled if the feature enrolled-keys says so,
    or else if the name of the variables' template says so, as in distributions.
    """
    features = {node.peek("@name"): node for node in domain.all("os", "firmware", "feature")}
    able = domain.take("os", "loader", "@secure") == "yes"
    if secure := features.get("secure-boot"):
        secure.take("@name")
        able = secure.take("@enabled") == "yes" or able
    if keys := features.get("enrolled-keys"):
        keys.take("@name")
        return able and keys.take("@enabled") == "yes"
    template = domain.peek("os", "nvram", "@template").lower()
    keyless = template != "" and not any(word in template for word in ("secboot", "ms.fd", ".ms", "secure"))
    if loader := domain.find("os", "loader", "@secure"):
        if able and keyless:
            loader.leave(
                f"the variables' template {template} has no keys by its name: if secure boot is on in the "
                "machine all the same, set firmware.secureBoot to true"
            )
        loader.read = True
    return able and not keyless


def _tpm(domain: Node) -> bool:
    """Whether the domain has an emulated TPM 2.0. KubeVirt has no others."""
    tpm = domain.find("devices", "tpm")
    if tpm is None:
        return False
    if tpm.peek("backend", "@type") != "emulator":
        tpm.leave("KubeVirt has an emulated TPM only: set firmware.tpm if the system may have that one")
        return False
    if tpm.peek("backend", "@version") not in {"", "2.0"}:
        tpm.leave("KubeVirt's TPM is a 2.0: set firmware.tpm if the system takes that one")
        return False
    tpm.take("backend", "@type")
    tpm.take("backend", "@version")
    tpm.leave(NEW_TPM)
    return True


def _card(domain: Node) -> Card:
    """The first network card. A Workload's machine has only one, behind a masquerade."""
    cards = domain.all("devices", "interface")
    for card in cards[1:]:
        card.leave(ONE_CARD)
    if not cards:
        return Card()
    model = cards[0].take("model", "@type").removesuffix("-transitional").removesuffix("-non")
    if model not in {*_CARDS, ""}:
        cards[0].find_or_self("model", "@type").leave(OTHER_CARD)
    return Card(model if model in _CARDS else "", cards[0].take("mac", "@address"))


def _vsphere_uuid(domain: Node, os: Os | None) -> str:
    """The UUID of VMware's machine, which is uuid.bios. libvirt doesn't give the version of its virtual
    hardware.
    """
    uuid = domain.peek("uuid")
    plain = uuid.replace("-", "").lower()
    if (node := domain.find("uuid")) and _UUID.fullmatch(plain):
        since = "" if os == "Windows" else " on virtual hardware of version 13 or later"
        node.leave(why_vmware_uuid_is_left(plain, is_swapped=True) + since)
    return uuid


def _clock(domain: Node) -> Raw:
    """The clock in KubeVirt's form (kubevirt.io/api/core/v1, type Clock), if it has a time zone."""
    zone = domain.peek("clock", "@timezone")
    if domain.peek("clock", "@offset") != "timezone" or not zone:
        return {}
    domain.take("clock", "@offset")
    domain.take("clock", "@timezone")
    return {"domain": {"clock": {"timezone": zone}}}


def _disks(domain: Node) -> tuple[DescribedDisk, ...]:
    """The machine's disks, the one that it boots first, and the CD-ROM drives with a medium."""
    disks = [node for node in domain.all("devices", "disk") if _is_carried(node)]
    by_device = [node for node in disks if node.find("boot", "@order")]
    disks.sort(key=_boot_order)
    first = next((node for node in disks if node.peek("@device") != "cdrom"), None)
    disks.sort(key=lambda node: node is not first)
    names = disk_names(node.peek("target", "@dev") for node in disks if node is not first)
    waiting = iter(names)
    virtio_scsi = _has_virtio_scsi(domain)
    return tuple(
        _disk(
            domain,
            node,
            "boot" if node is first else next(waiting),
            is_tried=node in by_device,
            virtio_scsi=virtio_scsi,
        )
        for node in disks
    )


def _is_carried(node: Node) -> bool:
    """Whether a Workload can have the disk."""
    device = node.peek("@device") or "disk"
    if device == "floppy":
        node.leave("KubeVirt has no floppy drive: copy what is on it into the machine")
    elif node.peek("@type") == "dir":
        node.leave("a folder of the host as a disk can't be imported: copy what is in it into the machine")
    elif device == "lun":
        node.leave(
            "a LUN that is passed through can't be imported: attach it to the nodes, or copy what is on it"
        )
    elif device == "cdrom" and not _file(node)[0]:
        node.leave("the CD-ROM drive is empty")
    return device in {"disk", "cdrom"} and not node.why


def _boot_order(node: Node) -> int:
    order = amounts.small(node.take("boot", "@order"), 5)
    return 1_000_000 if order is None else order


def _disk(domain: Node, node: Node, name: str, *, is_tried: bool, virtio_scsi: bool) -> DescribedDisk:
    node.take("@device")
    file, source = _file(node)
    bus = node.take("target", "@bus")
    if (bus == "scsi" and not virtio_scsi) or bus not in {*_BUSES, ""}:
        node.find_or_self("target", "@bus").leave(_OTHER_BUS.format("controller" if bus == "scsi" else "bus"))
        bus = ""
    node.take("target", "@dev")
    return DescribedDisk(
        name=name,
        node=node,
        source=source,
        file=file,
        bus=_BUSES.get(bus),
        is_cdrom=node.peek("@device") == "cdrom",
        is_tried=is_tried,
        backing_file=file if domain.peek("@type") in {"vmware", "esx"} and file.startswith("[") else "",
        first=_first_step(node),
    )


def _first_step(node: Node) -> str:
    """What to do before the disk can be copied."""
    if node.find("encryption") or node.find("source", "encryption"):
        return (
            "the host encrypts this disk, and CDI can't read it: write it as a plain one by qemu-img convert"
        )
    if node.peek("backingStore", "source", "@file") or node.find("backingStore", "format"):
        return (
            "this disk lies on a backing file, and its own file isn't the whole disk: write it as one by "
            "qemu-img convert"
        )
    return ""


def _file(node: Node) -> tuple[str, Node]:
    """The name of the disk's source, and the node that has it."""
    for key in _FILES:
        if (found := node.find("source", key)) and found.value:
            return found.value, found
    return "", node.find_or_self("source")


def _has_virtio_scsi(domain: Node) -> bool:
    """Whether the domain's SCSI controllers are of virtio, as KubeVirt's are."""
    models = [
        node.take("@model") for node in domain.all("devices", "controller") if node.peek("@type") == "scsi"
    ]
    return bool(models) and all(model.startswith("virtio") for model in models)
