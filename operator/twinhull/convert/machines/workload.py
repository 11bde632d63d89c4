"""Makes the Workload of a described machine."""

from __future__ import annotations

import re
import shlex
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from urllib.parse import quote

from twinhull.api import commands
from twinhull.api.base import API_VERSION, Raw
from twinhull.api.disks import BOOT_DISK, MOST_DISKS, RESERVED_PREFIX
from twinhull.api.group import MAX_NAME_LENGTH
from twinhull.convert.conversion import CannotConvert, Conversion, Left, WrongOption
from twinhull.convert.machines import amounts
from twinhull.convert.machines.machine import WINDOWS_CLOCK, DescribedDisk, DescribedMachine
from twinhull.convert.machines.options import MachineOptions, Vddk
from twinhull.convert.machines.tree import Node, Tables, left_parts

#: The annotation for a text about an object (kubernetes.io, Well-Known Labels, Annotations and Taints).
DESCRIPTION_ANNOTATION = "kubernetes.io/description"
#: The most characters of a description that becomes an annotation. All annotations of an object may have 256
#: KiB.
_LONGEST_DESCRIPTION = 16_384
#: A file's name that is a URL.
_URL = re.compile(r"https?://[^\s\"'<>]{1,2000}")
_MAC = re.compile(r"[0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2}){5}")
_MOST_CPUS = 1024


def conversion(
    root: Node, machines: Sequence[DescribedMachine], options: MachineOptions, tables: Tables
) -> Conversion:
    """The Workloads of a description's machines, and the parts that are left. Raises CannotConvert."""
    objects = _workloads(machines, options)
    lacks = [note for machine in machines for note in _notes(machine, options)]
    return Conversion(objects, (*lacks, *left_parts(root, tables)))


def _workloads(machines: Sequence[DescribedMachine], options: MachineOptions) -> tuple[Raw, ...]:
    if options.name and len(machines) > 1:
        raise WrongOption(f"--name {options.name} is for one machine, and the input has {len(machines)}")
    names = [options.name or _name(machine, options.stem) for machine in machines]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise CannotConvert(
            f"several machines would be the Workload {twice[0]}: convert them one by one, with --name"
        )
    named = list(zip(names, machines, strict=True))
    _know_the_disks(named, options)
    for name, machine in named:
        _note_name(machine, name)
    return tuple(_workload(name, machine, options) for name, machine in named)


def _notes(machine: DescribedMachine, options: MachineOptions) -> Iterator[Left]:
    """Remarks on facts that the description lacks."""
    if machine.os is None and options.os is None:
        yield Left(
            machine.os_path,
            "it doesn't say which system is in the machine: it is taken for Linux; for Windows, give "
            "--os Windows",
        )
    if machine.without_card:
        yield Left(
            machine.without_card,
            "the machine has no network card, and the Workload has one on the Pod's network: keep traffic "
            "away by a NetworkPolicy, if it is to stay alone",
        )
    if machine.clock_path and (options.os or machine.os) == "Windows":
        yield Left(machine.clock_path, WINDOWS_CLOCK)
    yield from machine.notes


def _workload(name: str, machine: DescribedMachine, options: MachineOptions) -> Raw:
    annotations = _annotations(machine)
    return {
        "apiVersion": API_VERSION,
        "kind": "Workload",
        "metadata": {
            "name": name,
            **({"namespace": options.namespace} if options.namespace else {}),
            **({"annotations": annotations} if annotations else {}),
        },
        "spec": {"isolationPolicy": "VirtualMachine", "virtualMachine": _built(name, machine, options)},
    }


def _built(name: str, machine: DescribedMachine, options: MachineOptions) -> Raw:
    if machine.cpus > _MOST_CPUS:
        raise CannotConvert(
            f"{machine.cpus} CPUs are more than the {_MOST_CPUS} that a Workload may have: correct it"
        )
    boot, *others = [disk for disk in machine.disks if not _is_left_out(name, disk, options)]
    if len(others) > MOST_DISKS:
        raise CannotConvert(
            f"the machine has {len(others)} disks beside the one it boots: a Workload has at most "
            f"{MOST_DISKS}, so leave some out"
        )
    virtio = boot.bus == "virtio" and machine.card.model in {"", "virtio"}
    default = "virtio" if virtio else "sata"
    is_windows = (options.os or machine.os) == "Windows"
    interface = _interface(machine, virtio=virtio)
    order = iter(range(2, MOST_DISKS + 2))
    return {
        **({"os": "Windows"} if is_windows else {}),
        "cpus": machine.cpus,
        "memory": amounts.quantity(machine.memory),
        **({"devices": "Virtio"} if virtio else {}),
        "firmware": _firmware(machine, options),
        **({"networkInterface": interface} if interface else {}),
        "bootDisk": _disk(name, boot, BOOT_DISK, machine, options) | _bus(boot, default),
        **(
            {
                "disks": [
                    {
                        "name": disk.name,
                        **_disk(name, disk, disk.name, machine, options),
                        **({"cdrom": True} if disk.is_cdrom else _bus(disk, default)),
                        **({"bootOrder": next(order)} if disk.is_tried else {}),
                    }
                    for disk in others
                ]
            }
            if others
            else {}
        ),
        **({"overrides": machine.overrides} if machine.overrides else {}),
    }


def _firmware(machine: DescribedMachine, options: MachineOptions) -> Raw:
    bootloader = options.bootloader or machine.bootloader
    if bootloader is None:
        raise CannotConvert(
            "the description doesn't say whether the machine has BIOS or UEFI: give --bootloader BIOS "
            "or --bootloader UEFI, as its disk was installed"
        )
    if machine.secure_boot and bootloader == "BIOS":
        raise CannotConvert("the machine has secure boot, and --bootloader BIOS has none: say UEFI")
    return {
        "bootloader": bootloader,
        **({"secureBoot": True} if machine.secure_boot else {}),
        **({"tpm": "Persistent"} if machine.has_tpm else {}),
    }


def _interface(machine: DescribedMachine, *, virtio: bool) -> Raw:
    card, default = machine.card, "virtio" if virtio else "e1000e"
    return {
        **({"macAddress": card.mac_address.lower()} if _MAC.fullmatch(card.mac_address) else {}),
        **({"model": card.model} if card.model and card.model != default else {}),
    }


def _bus(disk: DescribedDisk, default: str) -> Raw:
    return {"bus": disk.bus or "sata"} if (disk.bus or "sata") != default else {}


def _disk(
    workload: str, disk: DescribedDisk, name: str, machine: DescribedMachine, options: MachineOptions
) -> Raw:
    """The source and the size of a disk. The disk's node tells what a person has to do for it."""
    if any(not character.isprintable() for character in disk.file):
        raise CannotConvert(
            f"the file of the disk {name} is {disk.file!r}: rename it, and correct the description"
        )
    claim = _value(options.disk_claims, workload, name)
    prefix = f"{disk.first}; then " if disk.first else ""
    if claim:
        disk.source.leave(
            f"{prefix}see to it that PersistentVolumeClaim {claim} has this disk: it is used as it is"
        )
        return {"source": {"claim": {"name": claim}}}
    if disk.unusable:
        raise CannotConvert(disk.unusable)
    size = _value(options.disk_sizes, workload, name) or amounts.quantity(disk.size or 0)
    if disk.is_blank:
        disk.source.read = True
        return {"size": size, "source": {"blank": {}}}
    if _URL.fullmatch(disk.file):
        disk.source.read = True
        return {"size": size, "source": {"http": {"url": disk.file}}}
    if options.vddk and not disk.is_cdrom:
        return {"size": size, "source": {"vddk": _vddk(disk, name, machine, options.vddk)}}
    file = _base_name(disk.file)
    prefix += f"{disk.if_copied}; then " if disk.if_copied else ""
    if options.disk_url and file:
        folder = options.disk_url.rstrip("/")
        url = f"{folder}/{quote(file)}"
        disk.source.leave(f"{prefix}serve the file as {url}, from where CDI imports it")
        return {"size": size, "source": {"http": {"url": url}}}
    words = ("virtctl", "image-upload", "dv", f"{workload}-{name}", "--no-create")
    disk.source.leave(
        f"{prefix}upload it: {commands.others(options.namespace or '', *words)} --image-path="
        f"{shlex.quote(file) if file else 'FILE'}; or say by --disk-url or --disk-claim where the disk is"
    )
    return {"size": size, "source": {"upload": {}}}


def _vddk(disk: DescribedDisk, name: str, machine: DescribedMachine, vddk: Vddk) -> Raw:
    if not machine.vsphere_uuid:
        raise CannotConvert(
            "--vddk-url is for machines of vSphere whose description has their UUID: give the .vmx, or the "
            "domain as virsh -c vpx://… dumpxml prints it, or use --disk-url"
        )
    file = disk.backing_file
    if not file and vddk.folder and disk.file and not disk.file.startswith("/") and ".." not in disk.file:
        file = f"{vddk.folder.rstrip('/')}/{disk.file}"
    if not file:
        raise CannotConvert(
            f"the disk {name} is the file {disk.file or 'without a name'}, and its datastore isn't known: "
            "say by --vddk-folder which folder on which datastore the machine is in, such as '[datastore1] "
            "web'"
        )
    disk.source.read = True
    if disk.first:
        disk.source.leave(disk.first)
    return {
        "url": vddk.url,
        "uuid": machine.vsphere_uuid,
        "backingFile": file,
        "thumbprint": vddk.thumbprint,
        "secretRef": vddk.secret,
        **({"initImageURL": vddk.image} if vddk.image else {}),
    }


def _is_left_out(workload: str, disk: DescribedDisk, options: MachineOptions) -> bool:
    """Whether the disk is a CD-ROM drive for whose medium no option asks."""
    if not disk.is_cdrom or _value(options.disk_claims, workload, disk.name):
        return False
    if _value(options.disk_sizes, workload, disk.name):
        return False
    disk.node.leave(
        "a CD-ROM drive isn't carried over unless its medium is asked for: --disk-size "
        f"{disk.name}=SIZE, or --disk-claim {disk.name}=CLAIM"
    )
    return True


def _know_the_disks(named: list[tuple[str, DescribedMachine]], options: MachineOptions) -> None:
    """Raise CannotConvert if a size is missing, or if an option names a disk that doesn't exist."""
    known: set[str] = set()
    missing: list[tuple[str, str, DescribedDisk, DescribedMachine]] = []
    for workload, machine in named:
        if not any(not disk.is_cdrom for disk in machine.disks):
            raise CannotConvert(
                f"the machine {workload} has no disk: a Workload needs one to boot, or a template"
            )
        for index, disk in enumerate(machine.disks):
            name = disk.name if index else BOOT_DISK
            known |= {name, f"{workload}/{name}"}
            if _value(options.disk_claims, workload, name) and _value(options.disk_sizes, workload, name):
                raise WrongOption(
                    f"--disk-size and --disk-claim both name {name}: a claim has its size, remove --disk-size"
                )
            stated = _value(options.disk_claims, workload, name) or _value(options.disk_sizes, workload, name)
            if not (stated or disk.size or disk.is_cdrom):
                missing.append((workload, name, disk, machine))
    for option, values in (("--disk-size", options.disk_sizes), ("--disk-claim", options.disk_claims)):
        if unknown := sorted(values.keys() - known):
            raise CannotConvert(
                f"{option} names {unknown[0]}, and there is no such disk, but "
                f"{', '.join(sorted(name for name in known if '/' not in name))}: name one of these"
            )
    if missing:
        several = len(named) > 1
        rows = [
            f"--disk-size {f'{workload}/' if several else ''}{name}=SIZE  ({machine.size_command(disk.file)})"
            for workload, name, disk, machine in missing
        ]
        raise CannotConvert(
            "the description doesn't say how large these disks are. Give each one's virtual size, or its "
            "claim by --disk-claim:",
            rows,
        )


def _value(values: Mapping[str, str], workload: str, disk: str) -> str:
    return values.get(f"{workload}/{disk}") or values.get(disk) or ""


def _annotations(machine: DescribedMachine) -> Raw:
    node = machine.description
    if node is None or not (text := (node.value or "").strip()):
        return {}
    if len(text) > _LONGEST_DESCRIPTION:
        node.leave(f"it has more than {_LONGEST_DESCRIPTION:,} characters: keep it elsewhere")
        return {}
    node.read = True
    return {DESCRIPTION_ANNOTATION: text}


def _name(machine: DescribedMachine, stem: str) -> str:
    """A Workload's name made of a machine's: letters without accents, and dashes for all other characters."""
    text = ((machine.name.value or "").strip() if machine.name else "") or stem
    made = label(text, MAX_NAME_LENGTH)
    if made and not made[0].isalpha():
        made = f"vm-{made}"[:MAX_NAME_LENGTH].rstrip("-")
    if not made:
        raise CannotConvert(
            f"the machine's name {text[:64]!r} has no letter or digit for a name: say one by --name"
        )
    return made


def _note_name(machine: DescribedMachine, name: str) -> None:
    """Name the machine's name, if the Workload has another one."""
    if machine.name is None:
        return
    machine.name.read = True
    if (machine.name.value or "").strip() != name:
        machine.name.leave(f"the Workload is {name}: names have lower-case letters, digits and dashes only")


def label(text: str, longest: int) -> str:
    """A text as a part of a name in Kubernetes; empty if it has no letter or digit."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:longest].rstrip("-")


def disk_names(wanted: Iterable[str]) -> list[str]:
    """Unique names for disks. None is the boot disk's, or reserved."""
    names: list[str] = []
    for text in wanted:
        if len(names) > 2 * MOST_DISKS:
            raise CannotConvert(
                f"the machine has more than {2 * MOST_DISKS} disks: a Workload has at most {MOST_DISKS} "
                "beside the boot disk, so leave some out"
            )
        base = label(text, 36) or "disk"
        if base == BOOT_DISK or base.startswith(RESERVED_PREFIX):
            base = f"disk-{base}"[:36].rstrip("-")
        name, number = base, 1
        while name in names:
            number += 1
            name = f"{base}-{number}"
        names.append(name)
    return names


def _base_name(path: str) -> str:
    return re.split(r"[/\\]", path)[-1].rpartition("] ")[2]
