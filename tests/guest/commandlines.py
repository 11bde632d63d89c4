"""The command lines of what virt-launcher and its sidecars run: QEMU, virtiofsd, xorrisofs."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import NAMESPACE_DNS, uuid5

from tests.controlplane.ports import LOOPBACK
from tests.guest import pci
from tests.guest.blockdevices import disks, flash
from tests.guest.pci import Topology

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from tests.guest.blockdevices import Option
    from tests.guest.machinespec import MachineSpec

#: The device through which memory is plugged in.
PLUGGED = "plugged"
#: What libvirt makes of KubeVirt's host-model where there is no KVM: EPYC, with what QEMU emulates beyond it,
#: and without what it doesn't.
_HOST_MODEL = (
    "EPYC,monitor=on,x2apic=on,hypervisor=on,acpi=on,ss=on,erms=on,mpx=on,clwb=on,umip=on,pku=on,"
    "vaes=on,la57=on,rdpid=on,pks=on,fsrm=on,cmpccxadd=on,fzrm=on,fsrs=on,fsrc=on,cmp-legacy=on,"
    "3dnowext=on,3dnow=on,xsaveerptr=on,wbnoinvd=on,npt=on,vgif=on,svme-addr-chk=on,vme=off,"
    "xsavec=off,misalignsse=off,osvw=off,topoext=off,fxsr-opt=off,nrip-save=off"
)
_BACKEND = {"qom-type": "memory-backend-memfd", "share": True}
_NETWORK = "hostua-default"
_MAC = "52:54:00:12:34:56"
_CARDS = {"virtio": "virtio-net-pci-non-transitional", "e1000e": "e1000e"}
_SCREEN_MEMORY = 16 << 20
#: What libvirt calls the memory of a machine that shares none.
_OWN_MEMORY = "pc.ram"
#: The port through which QEMU's guest agent would talk, which the guest doesn't have.
_GUEST_AGENT: dict[str, Any] = {
    "bus": "virtio-serial0.0",
    "nr": 1,
    "chardev": "charchannel0",
    "id": "channel0",
    "name": "org.qemu.guest_agent.0",
}


@dataclass(frozen=True)
class KernelFiles:
    """A kernel that QEMU starts itself, and the kernel's arguments."""

    kernel: Path
    initrd: Path
    arguments: str


@dataclass(frozen=True)
class UefiFiles:
    """The UEFI firmware, and the machine's own copy of its variables."""

    code: Path
    variables: Path


@dataclass(frozen=True)
class MachineLayout:
    """Where the parts of a machine are."""

    folder: Path
    #: The image below a containerDisk's file.
    root: Path
    #: The disks' files, by the device's name.
    images: Mapping[str, Path]
    #: What starts the machine; None for BIOS, which QEMU has.
    start: KernelFiles | UefiFiles | None
    #: Ports at `address`, by the guest's ports.
    forwards: Mapping[int, int]
    #: One of this machine's own.
    address: str = LOOPBACK
    #: Whether the disks' file systems have direct I/O. Without it KubeVirt lets disks cache
    #: (kubevirt.io/kubevirt/pkg/virt-launcher/virtwrap/converter, SetDriverCacheMode).
    direct: bool = True
    #: The disks in whose files not every byte has a place yet, by the device's name.
    with_holes: frozenset[str] = frozenset()

    @property
    def console(self) -> Path:
        """The file with what the guest wrote to its serial port."""
        return self.folder / "console"

    @property
    def screen(self) -> Path:
        """The socket of the machine's screen."""
        return self.folder / "vnc"

    @property
    def qmp(self) -> Path:
        """QEMU's control socket."""
        return self.folder / "qmp"

    @property
    def agent(self) -> Path:
        """The socket of a guest agent, which the guest doesn't have."""
        return self.folder / "agent"

    @property
    def from_network(self) -> Path:
        """The socket to which QEMU's network sends what is for the machine, if it is changed on its way."""
        return self.folder / "from-network.sock"

    @property
    def to_machine(self) -> Path:
        """The socket from which the machine gets that."""
        return self.folder / "to-machine.sock"

    def socket(self, device: str) -> Path:
        """The socket between QEMU and the virtiofsd of a file system."""
        return self.folder / f"{device}.sock"


def qemu(machine_spec: MachineSpec, layout: MachineLayout) -> list[str]:
    """QEMU's arguments, as libvirt makes them for KubeVirt (tests/guest/golden), on emulated processors."""
    topology = Topology.of(machine_spec, PLUGGED)
    return [
        *("-name", f"guest={machine_spec.namespace}_{machine_spec.name},debug-threads=on"),
        *_options(flash(layout.start) if isinstance(layout.start, UefiFiles) else ()),
        *("-machine", _machine(machine_spec, layout), "-accel", "tcg"),
        *("-cpu", _model(machine_spec)),
        *("-m", _size(machine_spec), *_own_memory(machine_spec), "-overcommit", "mem-lock=off"),
        *("-smp", _processors(machine_spec)),
        *_shared_memory(machine_spec),
        *_identity(machine_spec),
        *(() if machine_spec.screen else ("-display", "none")),
        *("-no-user-config", "-nodefaults"),
        *("-chardev", f"socket,id=charmonitor,path={layout.qmp},server=on,wait=off"),
        *("-mon", "chardev=charmonitor,id=monitor,mode=control"),
        *("-rtc", "base=utc", "-no-shutdown", "-boot", "strict=on"),
        *_kernel(layout),
        *_options(("-device", port) for port in topology.root_ports()),
        *_device("virtio-scsi-pci-non-transitional", id="scsi0", **topology.place("scsi0")),
        *_device("virtio-serial-pci-non-transitional", **_placed("virtio-serial0", topology)),
        *_options(disks(machine_spec, layout, topology)),
        *_shares(machine_spec, layout, topology),
        *_network(machine_spec, layout, topology),
        *("-chardev", f"file,id=charserial0,path={layout.console}"),
        *_device("isa-serial", chardev="charserial0", id="serial0", index=0),
        *("-chardev", f"socket,id=charchannel0,path={layout.agent},server=on,wait=off"),
        *_device("virtserialport", **_GUEST_AGENT),
        *("-audiodev", json.dumps({"id": "audio1", "driver": "none"})),
        *(_screen(machine_spec, layout) if machine_spec.screen else ()),
        *("-global", "ICH9-LPC.noreboot=off", "-watchdog-action", "reset"),
        *_device(
            "virtio-balloon-pci-non-transitional",
            **{"free-page-reporting": True},
            **_placed("balloon0", topology),
        ),
        *(_random(topology) if machine_spec.random else ()),
        *_pluggable(machine_spec, topology),
        *("-sandbox", "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny"),
        *(_device("pvpanic-pci", bus="pcie.0", addr=topology.next_slot) if machine_spec.panics else ()),
        *("-msg", "timestamp=on"),
    ]


def _options(options: Iterable[Option]) -> list[str]:
    return [part for option, properties in options for part in (option, json.dumps(properties))]


def _device(driver: str, **properties: Any) -> list[str]:
    return _options([("-device", {"driver": driver, **properties})])


def _placed(device: str, topology: Topology) -> dict[str, Any]:
    return {"id": device, **topology.place(device)}


def _machine(machine_spec: MachineSpec, layout: MachineLayout) -> str:
    """The type of machine, and what of it isn't a device."""
    chips = ",pflash0=libvirt-pflash0-format,pflash1=libvirt-pflash1-storage"
    return "".join(
        (
            f"q35,usb=off,vmport={_vmport(machine_spec)},dump-guest-core=off",
            "" if _is_shared(machine_spec) else f",memory-backend={_OWN_MEMORY}",
            chips if isinstance(layout.start, UefiFiles) else "",
            ",acpi=on",
        )
    )


def _kernel(layout: MachineLayout) -> list[str]:
    start = layout.start
    if not isinstance(start, KernelFiles):
        return []
    return ["-kernel", str(start.kernel), "-initrd", str(start.initrd), "-append", start.arguments]


def _screen(machine_spec: MachineSpec, layout: MachineLayout) -> list[str]:
    """The card of a screen that virtctl vnc shows: VGA's for a BIOS, a simpler one for UEFI."""
    place = {"id": "video0", "bus": "pcie.0", "addr": pci.SCREEN}
    if machine_spec.bootloader == "UEFI":
        card = _device("bochs-display", vgamem=_SCREEN_MEMORY, **place)
    else:
        card = _device("VGA", vgamem_mb=_SCREEN_MEMORY >> 20, **place)
    return ["-vnc", f"vnc=unix:{layout.screen},audiodev=audio1", *card]


def _vmport(machine_spec: MachineSpec) -> str:
    return "on" if _grows(machine_spec) else "off"


def _grows(machine_spec: MachineSpec) -> bool:
    """Whether CPUs may be plugged in.

    Linux takes CPUs for pluggable only if it knows its hypervisor (linux/arch/x86/kernel/acpi/boot.c,
    acpi_is_processor_usable), as it does KVM. It doesn't know emulation, which therefore passes for VMware's:
    by the processor, by vmport, and by the serial number.
    """
    return machine_spec.most_cores > machine_spec.cores


def _model(machine_spec: MachineSpec) -> str:
    return _HOST_MODEL.replace("hypervisor=on", "hypervisor=off") if _grows(machine_spec) else _HOST_MODEL


def _size(machine_spec: MachineSpec) -> str:
    grows = machine_spec.most_memory > machine_spec.memory
    most = f",slots=16,maxmem={machine_spec.most_memory << 10}k" if grows else ""
    return f"size={machine_spec.memory << 10}k{most}"


def _processors(machine_spec: MachineSpec) -> str:
    """CPUs, and room for sockets that may be plugged in."""
    sockets = machine_spec.most_cores // machine_spec.cores_a_socket
    most = f"maxcpus={machine_spec.most_cores}," if _grows(machine_spec) else ""
    topology = f"sockets={sockets},dies=1,clusters=1,cores={machine_spec.cores_a_socket},threads=1"
    return f"{machine_spec.cores},{most}{topology}"


def _is_shared(machine_spec: MachineSpec) -> bool:
    """Whether the machine's memory is in a file, as virtiofsd and memory that is plugged in need it."""
    return bool(machine_spec.file_systems) or machine_spec.most_memory > machine_spec.memory


def _own_memory(machine_spec: MachineSpec) -> list[str]:
    if _is_shared(machine_spec):
        return []
    backend = {"qom-type": "memory-backend-ram", "id": _OWN_MEMORY, "size": machine_spec.memory << 20}
    return _options([("-object", backend)])


def _shared_memory(machine_spec: MachineSpec) -> list[str]:
    if not _is_shared(machine_spec):
        return []
    last = f"-{machine_spec.most_cores - 1}" if machine_spec.most_cores > 1 else ""
    return [
        *_options([("-object", {**_BACKEND, "id": "ram-node0", "size": machine_spec.memory << 20})]),
        *("-numa", f"node,nodeid=0,cpus=0{last},memdev=ram-node0"),
    ]


def _pluggable(machine_spec: MachineSpec, topology: Topology) -> list[str]:
    """A virtio-mem device if more memory may be plugged in, of which nothing is there yet
    (kubevirt.io/kubevirt/pkg/liveupdate/memory, BuildMemoryDevice).
    """
    more = machine_spec.most_memory - machine_spec.memory
    if not more:
        return []
    room = {**_BACKEND, "id": "more", "size": more << 20, "reserve": False}
    device = {"node": 0, "memdev": "more", "requested-size": 0, "block-size": 2 << 20}
    return [
        *_options([("-object", room)]),
        *_device("virtio-mem-pci", **device, **_placed(PLUGGED, topology)),
    ]


def _identity(machine_spec: MachineSpec) -> list[str]:
    """What the machine's firmware tells the guest: KubeVirt's name, and the machine's own numbers."""
    number = uuid5(NAMESPACE_DNS, f"{machine_spec.name}.{machine_spec.namespace}")
    serial = "VMware-0" if _grows(machine_spec) else str(number)
    product = "manufacturer=KubeVirt,product=None"
    return [
        *("-uuid", str(number)),
        *("-smbios", f"type=1,{product},serial={serial},uuid={number},family=KubeVirt"),
    ]


def virtiofsd(folder: Path, socket: Path) -> list[str]:
    """kubevirt.io/kubevirt/pkg/virt-controller/services/virtiofs.go, of KubeVirt 1.8.

    KubeVirt 1.9 also has a ServiceAccount's files translated, so that the link to its token is root's.
    """
    return [
        *(f"--socket-path={socket}", f"--shared-dir={folder}", "--sandbox=none", "--cache=auto"),
        *("--migration-on-error=guest-error", "--migration-mode=find-paths"),
    ]


def xorrisofs(output: Path, entries: Iterable[Path]) -> list[str]:
    """kubevirt.io/kubevirt/pkg/config/config.go: everything in the folder, `..data` too."""
    return [
        *("-output", str(output), "-follow-links", "-volid", "cfgdata", "-joliet", "-rock", "-graft-points"),
        *("-partition_cyl_align", "on"),
        *(f"{entry.name}={entry}" for entry in entries),
    ]


def _shares(machine_spec: MachineSpec, layout: MachineLayout, topology: Topology) -> Iterator[str]:
    for number, shared in enumerate(machine_spec.file_systems):
        chardev = f"chr-vu-{pci.share(number)}"
        yield from ("-chardev", f"socket,id={chardev},path={layout.socket(shared.name)}")
        properties = {"chardev": chardev, "queue-size": 1024, "tag": shared.found_by}
        yield from _device("vhost-user-fs-pci", **properties, **_placed(pci.share(number), topology))


def _network(machine_spec: MachineSpec, layout: MachineLayout, topology: Topology) -> list[str]:
    """QEMU's user network stands for masquerade: the guest sees an address of its own only."""
    options = [
        *("user", f"id={_NETWORK}", f"hostname={machine_spec.hostname}"),
        *(f"dnssearch={domain}" for domain in machine_spec.searches),
        *(f"hostfwd=tcp:{layout.address}:{host}-:{guest}" for guest, host in layout.forwards.items()),
    ]
    model = machine_spec.interface.model
    card = {"netdev": _NETWORK, "mac": machine_spec.interface.mac or _MAC, "romfile": ""}
    mtu = {"host_mtu": 1500} if model == "virtio" else {}
    return [
        *("-netdev", ",".join(options)),
        *_device(_CARDS[model], **mtu, **card, **_placed("ua-default", topology)),
        *(_passed_through(layout) if len(machine_spec.name_servers) > 1 else ()),
    ]


def _random(topology: Topology) -> list[str]:
    source = {"qom-type": "rng-random", "id": "objrng0", "filename": "/dev/urandom"}
    return [
        *_options([("-object", source)]),
        *_device("virtio-rng-pci-non-transitional", rng="objrng0", **_placed("rng0", topology)),
    ]


def _passed_through(layout: MachineLayout) -> list[str]:
    """What the network sends to the machine goes out by one socket, and comes back by the other."""
    return [
        *("-chardev", f"socket,id=from-network,path={layout.from_network},server=on,wait=off"),
        *("-chardev", f"socket,id=to-machine,path={layout.to_machine},server=on,wait=off"),
        *(
            "-object",
            f"filter-redirector,id=redirect-from-network,netdev={_NETWORK},queue=tx,outdev=from-network",
        ),
        *("-object", f"filter-redirector,id=redirect-to-machine,netdev={_NETWORK},queue=tx,indev=to-machine"),
    ]
