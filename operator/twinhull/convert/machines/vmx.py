"""Converts VMware's .vmx files, of ESXi, Workstation and Fusion.

VMware documents few of the keys. Sources: libvirt, src/vmx/vmx.c, a reader of such files, whose first comment
has the meaning and the default of each key; and files as ESXi and Workstation write them.
"""

from __future__ import annotations

import re
import shlex

from twinhull.convert.conversion import CannotConvert, Conversion
from twinhull.convert.machines import amounts
from twinhull.convert.machines.machine import (
    NEW_TPM,
    ONE_CARD,
    OTHER_CARD,
    Bootloader,
    Card,
    DescribedDisk,
    DescribedMachine,
    Os,
    why_vmware_uuid_is_left,
)
from twinhull.convert.machines.options import MachineOptions
from twinhull.convert.machines.tree import MOST_NODES, Node, bounded, locate, printable
from twinhull.convert.machines.vmx_left_out import TABLES
from twinhull.convert.machines.workload import conversion, disk_names

#: A key that VMware needs.
_RECOGNISED = re.compile(
    r'^\ufeff?[ \t]*(config\.version|virtualHW\.version)[ \t]*=[ \t]*"', re.MULTILINE | re.IGNORECASE
)
_LINE = re.compile(r'\s*(?P<key>[^=\s"]{1,256})\s*=\s*"(?P<value>[^"]*)"\s*')
#: An escaped character, such as |22 for a quotation mark.
_ESCAPE = re.compile(r"\|([0-9A-Fa-f]{2})")
#: The place of a disk or a drive: the controller, its number, and the place on it.
_PLACE = re.compile(r"(?P<bus>scsi|sata|nvme|ide)(?P<controller>[0-9]{1,2}):(?P<unit>[0-9]{1,3})")
_CONTROLLER = re.compile(r"(scsi|sata|nvme|ide)[0-9]{1,2}")
_CARD = re.compile(r"ethernet(?P<number>[0-9]{1,2})")
#: A file that a snapshot has made: it has only the changes since then.
_DELTA = re.compile(r"-[0-9]{6}\.vmdk$")
_DESCRIPTOR = (
    "a VMDK of some hundred bytes only describes a disk: take the -flat.vmdk beside it, or export the disk "
    "as one file (govc export.ovf)"
)
_DATASTORE = re.compile(r"/vmfs/volumes/(?P<datastore>[^/]+)/(?P<file>.+)")
#: A datastore's UUID, by which vSphere's API doesn't know it.
_DATASTORE_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{12}")
_UUID = re.compile(r"[0-9a-f]{32}")
#: The first version of virtual hardware with which Linux reads the UUID as Windows does (VMware's KB 53609).
_SWAPS_FOR_ALL = 13
#: The beginnings of the names of Windows.
_WINDOWS = ("win", "longhorn", "whistler")
#: The beginnings of the names of other systems that aren't Linux either.
_OTHERS = (
    "freebsd",
    "darwin",
    "solaris",
    "netware",
    "dos",
    "os2",
    "openserver",
    "unixware",
    "vmkernel",
    "eomstation",
)
#: VMware's network cards that KubeVirt has as well.
_CARDS = {"e1000": "e1000", "e1000e": "e1000e"}


def recognises(text: str) -> bool:
    """Whether a text is a .vmx file."""
    return _RECOGNISED.search(text[:65_536]) is not None


def convert(text: str, options: MachineOptions) -> Conversion:
    """A machine's Workload, and all parts of the .vmx that are left. Raises CannotConvert."""
    root = _read(text)
    if root.find("encryption") and root.find("memsize") is None:
        raise CannotConvert(
            "the .vmx is encrypted: remove the encryption of the machine in VMware, and export it anew"
        )
    return conversion(root, [_machine(root, options)], options, TABLES)


def _read(text: str) -> Node:
    """The keys as nodes; those of a device are below one node. Upper and lower case make no difference to
    VMware. Raises CannotConvert.
    """
    root, devices, seen = Node(""), dict[str, Node](), dict[str, str]()
    for number, line in enumerate(bounded(text).splitlines(), start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        if not (match := _LINE.fullmatch(line)):
            raise CannotConvert(
                f'line {number} is {line.strip()[:64]!r}: a .vmx has lines such as memsize = "4096"'
            )
        key, value = match["key"], _ESCAPE.sub(lambda hit: chr(int(hit[1], 16)), match["value"])
        printable(value, f"the value of {key}")
        lower = key.lower()
        is_new = lower not in seen
        if seen.setdefault(lower, value) != value:
            raise CannotConvert(
                f"line {number} gives {key} another value than a line before: remove one of them"
            )
        if len(seen) > MOST_NODES:
            raise CannotConvert(f"the .vmx has more than {MOST_NODES:,} keys: it is too large")
        device, dot, subkey = lower.partition(".")
        parent = root
        if dot and device:
            parent = devices.get(device) or Node(device)
            if device not in devices:
                devices[device] = parent
                root.children.append(parent)
        if is_new:
            parent.children.append(Node(subkey or lower, value or None, path=key))
    return _located(root)


def _located(root: Node) -> Node:
    """Give the nodes their paths: the keys as they are written. A node without `present` is only a group."""
    written = {id(node): node.path for parent in (root, *root.children) for node in parent.children}
    locate(root, xml=False)
    for device in root.children:
        is_controller = _CONTROLLER.fullmatch(device.name) is not None
        device.is_group = bool(device.children) and (is_controller or device.find("present") is None)
        device.path = written[id(device)] or device.path
        for key in device.children:
            key.path = written[id(key)]
            device.path = key.path.partition(".")[0]
    return root


def _machine(root: Node, options: MachineOptions) -> DescribedMachine:
    for node in root.children:
        if node.name.startswith("usb") and node.peek("devicetype").lower() == "hid":
            for key in ("present", "devicetype", "port", "parent", "speed"):
                node.take(key)  # keyboard and mouse are KubeVirt's
    bootloader: Bootloader = "UEFI" if root.take("firmware").lower() == "efi" else "BIOS"
    if bootloader == "BIOS":
        root.leave_if_there("the settings of the BIOS stay behind", "nvram")
    os = _os(root)
    _tell_uuid(root, options.os or os)
    return DescribedMachine(
        name=root.find("displayname"),
        description=root.find("annotation"),
        os=os,
        cpus=_cpus(root),
        memory=_memory(root),
        bootloader=bootloader,
        secure_boot=bootloader == "UEFI" and _is_true(root.take("uefi", "secureboot.enabled")),
        has_tpm=_tpm(root),
        disks=_disks(root),
        without_card="" if any(map(_is_card, root.children)) else "ethernet0",
        card=_card(root),
        vsphere_uuid=_uuid(root),
        size_command=lambda file: (
            f"govc device.info -vm {shlex.quote(root.peek('displayname') or 'NAME')} 'disk-*', or "
            f"qemu-img info {shlex.quote(file)}"
        ),
        os_path="guestOS",
        clock_path="guestOS",
    )


def _os(root: Node) -> Os | None:
    guest_os = root.take("guestos").lower()
    if guest_os.startswith("arm-"):
        raise CannotConvert(f"guestOS is {guest_os}: only machines of x86_64 are converted")
    if not guest_os or (guest_os.startswith(("other", "custom")) and "linux" not in guest_os):
        return None
    if guest_os.startswith(_OTHERS):
        root.find_or_self("guestos").leave(
            "a Workload's machine is for Linux or Windows: it gets what a Linux does"
        )
        return "Linux"
    return "Windows" if guest_os.startswith(_WINDOWS) else "Linux"


def _cpus(root: Node) -> int:
    """The number of CPUs, by default one. In KubeVirt they become cores of one socket."""
    cpus = amounts.whole(root.take("numvcpus") or "1", "numvcpus")
    cores = root.find("cpuid", "corespersocket")
    if cores and cores.value == str(cpus):
        cores.read = True
    return cpus


def _memory(root: Node) -> int:
    if root.find("memsize") is None:
        raise CannotConvert('memsize is missing: add how many MiB the machine has, such as memsize = "4096"')
    return amounts.whole(root.take("memsize"), "memsize") * 2**20


def _tpm(root: Node) -> bool:
    if not _is_true(root.peek("vtpm", "present")) and root.peek("managedvm", "autoaddvtpm") != "software":
        return False
    for name in ("vtpm", "managedvm"):
        if node := root.find(name):
            node.leave(NEW_TPM)
    return True


def _uuid(root: Node) -> str:
    """The machine's UUID in vSphere: uuid.bios in the usual form."""
    plain = _plain_uuid(root)
    return "-".join((plain[:8], plain[8:12], plain[12:16], plain[16:20], plain[20:])) if plain else ""


def _plain_uuid(root: Node) -> str:
    """The 32 digits of uuid.bios, empty if it is missing or has another number of digits."""
    plain = re.sub(r"[^0-9a-f]", "", root.peek("uuid", "bios").lower())
    return plain if _UUID.fullmatch(plain) else ""


def _tell_uuid(root: Node, os: Os | None) -> None:
    """Name the UUID that the system in the machine saw. An unreadable version counts as a later one."""
    version = amounts.small(root.peek("virtualhw", "version"), 4)
    is_old = version is not None and version < _SWAPS_FOR_ALL
    if (node := root.find("uuid", "bios")) and (plain := _plain_uuid(root)):
        node.leave(why_vmware_uuid_is_left(plain, is_swapped=os == "Windows" or not is_old))


def _is_card(node: Node) -> bool:
    return _CARD.fullmatch(node.name) is not None and _is_true(node.peek("present"))


def _card(root: Node) -> Card:
    """The first network card. A Workload's machine has only one, behind a masquerade."""
    numbered = [
        (int(match["number"]), node) for node in root.children if (match := _CARD.fullmatch(node.name))
    ]
    cards = [node for _, node in sorted(numbered, key=lambda one: one[0]) if _is_present(node)]
    for card in cards[1:]:
        card.leave(ONE_CARD)
    if not cards:
        return Card()
    card = cards[0]
    model = card.take("virtualdev").lower()
    if model and model not in _CARDS:
        card.find_or_self("virtualdev").leave(OTHER_CARD)
    address = card.take("address") or card.take("generatedaddress")
    return Card(_CARDS.get(model, ""), address)


def _disks(root: Node) -> tuple[DescribedDisk, ...]:
    """The disks in the order of the controllers, and the CD-ROM drives with a medium."""
    places = sorted(
        (
            (place, node)
            for node in root.children
            if (place := _PLACE.fullmatch(node.name)) and _is_attached(root, node)
        ),
        key=lambda placed: _rank(root, placed[0]),
    )
    places = [(place, node) for place, node in places if _is_carried(node)]
    first = next((node for _, node in places if not _is_cdrom(node)), None)
    places.sort(key=lambda placed: placed[1] is not first)
    names = iter(disk_names(node.name for _, node in places if node is not first))
    return tuple(_disk(node, "boot" if node is first else next(names)) for _, node in places)


def _rank(root: Node, place: re.Match[str]) -> tuple[int, int, int, int]:
    """The place of a disk in the boot order: those of bios.hddOrder first, then SCSI, SATA, NVMe and IDE, by
    number.
    """
    order = root.peek("bios", "hddorder").lower().split(",")
    stated = order.index(place[0]) if place[0] in order else len(order)
    return (
        stated,
        ("scsi", "sata", "nvme", "ide").index(place["bus"]),
        int(place["controller"]),
        int(place["unit"]),
    )


def _is_attached(root: Node, node: Node) -> bool:
    """Whether a device and its controller are present."""
    controller = root.find(node.name.partition(":")[0])
    gone = controller is not None and controller.peek("present").lower() == "false"
    if gone and _is_present(node):
        node.leave(f"{node.name.partition(':')[0]}.present is FALSE, so that the machine hasn't had it")
    return not gone and _is_present(node)


def _is_present(node: Node) -> bool:
    """Whether the machine has a device. A device with present = FALSE isn't named."""
    present = node.peek("present").lower()
    if present == "false":
        node.read_whole()
    elif present != "true":
        node.leave(f"{node.path}.present isn't TRUE, so that the machine hasn't had it")
    else:
        node.take("present")
    return present == "true"


def _is_carried(node: Node) -> bool:
    kind = node.take("devicetype").lower()
    file = node.peek("filename")
    if kind in {"atapi-cdrom", "cdrom-raw"}:
        node.leave("a CD-ROM drive of the host stays there")
    elif kind == "cdrom-image" and not file:
        node.leave("the CD-ROM drive is empty")
    elif kind in {"scsi-passthru", "rawdisk", "plaindisk"}:
        node.leave(
            "a device that is passed through can't be imported: attach it to the nodes, or copy what is on it"
        )
    elif not file:
        node.leave("it names no file")
    elif kind not in {
        "",
        "disk",
        "harddisk",
        "scsi-harddisk",
        "ata-harddisk",
        "sata-harddisk",
        "cdrom-image",
    }:
        node.leave(f"a device of type {kind[:32]} is neither a disk nor a CD-ROM drive")
    return not node.why


def _is_cdrom(node: Node) -> bool:
    return node.peek("devicetype").lower() == "cdrom-image"


def _disk(node: Node, name: str) -> DescribedDisk:
    file = node.peek("filename")
    source = node.find_or_self("filename")
    mode = node.peek("mode").lower()
    if mode in {"", "persistent"} and (mode_node := node.find("mode")):
        mode_node.read = True
    return DescribedDisk(
        name=name,
        node=node,
        source=source,
        file=file,
        is_cdrom=_is_cdrom(node),
        backing_file=_backing_file(file),
        first=_first_step(file),
        if_copied="" if _is_cdrom(node) or file.lower().endswith("-flat.vmdk") else _DESCRIPTOR,
    )


def _first_step(file: str) -> str:
    if _DELTA.search(file):
        return (
            "this file is a snapshot's and holds only what changed since: delete the machine's snapshots "
            "(consolidate), or export it as an OVF"
        )
    return ""


def _backing_file(file: str) -> str:
    """A file below /vmfs/volumes in vSphere's form; empty for others, and for a datastore's UUID."""
    match = _DATASTORE.fullmatch(file)
    if match is None or _DATASTORE_UUID.fullmatch(match["datastore"]):
        return ""
    return f"[{match['datastore']}] {match['file']}"


def _is_true(text: str) -> bool:
    return text.lower() == "true"
