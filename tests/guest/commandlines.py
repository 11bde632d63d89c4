"""The command lines of what virt-launcher and its sidecars run: QEMU, virtiofsd, xorrisofs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.controlplane.ports import LOOPBACK

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from tests.guest.blueprint import Blueprint

#: The device through which memory is plugged in.
PLUGGED = "plugged"


@dataclass(frozen=True)
class Place:
    """Where the parts of a machine are: its folder, the disks' files by device name, the kernel, the ports.

    `forwards` are the ports at `address`, one of this machine's own, by the guest's.
    """

    folder: Path
    images: Mapping[str, Path]
    kernel: Path
    initrd: Path
    arguments: str
    forwards: Mapping[int, int]
    address: str = LOOPBACK

    @property
    def console(self) -> Path:
        """What the guest wrote to its serial port."""
        return self.folder / "console"

    @property
    def qmp(self) -> Path:
        """QEMU's control socket."""
        return self.folder / "qmp"

    @property
    def taken(self) -> Path:
        """Where QEMU's network sends what is for the machine, if that doesn't go there by itself."""
        return self.folder / "taken.sock"

    @property
    def given(self) -> Path:
        """Where the machine gets it."""
        return self.folder / "given.sock"

    def socket(self, device: str) -> Path:
        """The socket between QEMU and the virtiofsd of a file system."""
        return self.folder / f"{device}.sock"


def qemu(blueprint: Blueprint, place: Place) -> list[str]:
    """QEMU's arguments: the devices that KubeVirt's libvirt domain has, on emulated processors."""
    return [
        *("-name", blueprint.name, "-nodefaults", "-no-user-config", "-display", "none", "-monitor", "none"),
        *("-machine", "q35,memory-backend=memory", "-accel", "tcg,thread=multi"),
        *_processors(blueprint),
        *_memory(blueprint),
        *("-kernel", str(place.kernel), "-initrd", str(place.initrd), "-append", place.arguments),
        *("-serial", f"file:{place.console}", "-qmp", f"unix:{place.qmp},server=on,wait=off"),
        *(argument for number in range(len(blueprint.disks)) for argument in _disk(blueprint, place, number)),
        *(
            argument
            for number in range(len(blueprint.file_systems))
            for argument in _share(blueprint, place, number)
        ),
        *_network(blueprint, place),
        *("-device", "virtio-rng-pci", "-action", "panic=pause"),
        *(("-device", "pvpanic") if blueprint.panics else ()),
    ]


def _processors(blueprint: Blueprint) -> list[str]:
    """CPUs, and room for sockets that may be plugged in.

    Linux takes CPUs for pluggable only if it knows its hypervisor (linux/arch/x86/kernel/acpi/boot.c,
    acpi_is_processor_usable), as it does KVM. It doesn't know emulation, which therefore passes for VMware's.
    """
    if blueprint.most_cores == blueprint.cores:
        return ["-cpu", "Nehalem", "-smp", str(blueprint.cores)]
    sockets = f"{blueprint.cores},maxcpus={blueprint.most_cores},cores={blueprint.cores_a_socket}"
    disguise = [
        "-machine",
        "vmport=on",
        "-smbios",
        "type=1,serial=VMware-0",
        "-cpu",
        "Nehalem,hypervisor=off",
    ]
    return [*disguise, "-smp", sockets]


def _memory(blueprint: Blueprint) -> list[str]:
    """Memory, and a virtio-mem device if more may be plugged in, of which nothing is there yet
    (kubevirt.io/kubevirt/pkg/liveupdate/memory, BuildMemoryDevice).
    """
    backend = "memory-backend-memfd,share=on"
    memory = ["-object", f"{backend},id=memory,size={blueprint.memory}M"]
    more = blueprint.most_memory - blueprint.memory
    if not more:
        return ["-m", f"{blueprint.memory}M", *memory]
    device = f"virtio-mem-pci,id={PLUGGED},memdev=more,requested-size=0,block-size=2M"
    room = ["-object", f"{backend},id=more,size={more}M,reserve=off", "-device", device]
    return ["-m", f"{blueprint.memory}M,maxmem={blueprint.most_memory}M", *memory, *room]


def virtiofsd(folder: Path, socket: Path) -> list[str]:
    """kubevirt.io/kubevirt/pkg/virt-controller/services/virtiofs.go, less what is for migrations."""
    return [f"--socket-path={socket}", f"--shared-dir={folder}", "--sandbox=none", "--cache=auto"]


def xorrisofs(output: Path, entries: Iterable[Path]) -> list[str]:
    """kubevirt.io/kubevirt/pkg/config/config.go: everything in the folder, `..data` too."""
    return [
        *("-output", str(output), "-follow-links", "-volid", "cfgdata", "-joliet", "-rock", "-graft-points"),
        *("-partition_cyl_align", "on"),
        *(f"{entry.name}={entry}" for entry in entries),
    ]


def _disk(blueprint: Blueprint, place: Place, number: int) -> list[str]:
    disk = blueprint.disks[number]
    kind = disk.source.kind
    how = {"containerDisk": "format=qcow2,cache=unsafe", "persistentVolumeClaim": "format=raw,cache=none"}
    serial = f",serial={disk.found_by}" if disk.found_by else ""
    return [
        "-drive",
        f"file={place.images[disk.name]},if=none,id=disk{number},{how.get(kind, 'format=raw,readonly=on')}",
        "-device",
        f"virtio-blk-pci,drive=disk{number}{serial}",
    ]


def _share(blueprint: Blueprint, place: Place, number: int) -> list[str]:
    found = blueprint.file_systems[number]
    return [
        *("-chardev", f"socket,id=share{number},path={place.socket(found.name)}"),
        *("-device", f"vhost-user-fs-pci,chardev=share{number},tag={found.found_by}"),
    ]


def _network(blueprint: Blueprint, place: Place) -> list[str]:
    """QEMU's user network stands for masquerade: the guest sees an address of its own only."""
    options = [
        *("user", "id=network", f"hostname={blueprint.hostname}"),
        *(f"dnssearch={domain}" for domain in blueprint.searches),
        *(f"hostfwd=tcp:{place.address}:{here}-:{there}" for there, here in place.forwards.items()),
    ]
    network = ["-netdev", ",".join(options), "-device", "virtio-net-pci,netdev=network,romfile="]
    return [*network, *(_passed_through(place) if len(blueprint.name_servers) > 1 else ())]


def _passed_through(place: Place) -> list[str]:
    """What the network sends to the machine goes out by one socket, and comes back by the other."""
    return [
        *("-chardev", f"socket,id=taken,path={place.taken},server=on,wait=off"),
        *("-chardev", f"socket,id=given,path={place.given},server=on,wait=off"),
        *("-object", "filter-redirector,id=take,netdev=network,queue=tx,outdev=taken"),
        *("-object", "filter-redirector,id=give,netdev=network,queue=tx,indev=given"),
    ]
