"""A VirtualMachine as virt-launcher reads it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, cast, get_args

from twinhull.hulls import quantity

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Raw = dict[str, Any]
SourceKind = Literal[
    "containerDisk",
    "configMap",
    "secret",
    "serviceAccount",
    "downwardAPI",
    "persistentVolumeClaim",
    "dataVolume",
]
Bus = Literal["virtio", "sata"]
Card = Literal["virtio", "e1000e"]
#: What starts the system on a disk.
Bootloader = Literal["BIOS", "UEFI"]
#: What is done when a disk can't be read or written (kubevirt.io/api/core/v1, type DiskErrorPolicy).
ErrorPolicy = Literal["stop", "report", "ignore", "enospace"]
CLUSTER_DOMAIN = "cluster.local"
#: How many times as many sockets KubeVirt leaves room for, if a template says how many there are
#: (kubevirt.io/kubevirt/pkg/defaults, setupCPUHotplug).
_ROOM = 4
#: How long a machine may take to shut down if its template doesn't say so: seconds
#: (kubevirt.io/api/core/v1, DefaultGracePeriodSeconds).
_GRACE = 30
#: Where a volume has the name of what it shows (kubevirt.io/api/core/v1, type Volume).
_NAMES = {
    "containerDisk": "image",
    "configMap": "name",
    "secret": "secretName",
    "serviceAccount": "serviceAccountName",
    "persistentVolumeClaim": "claimName",
    "dataVolume": "name",
}
#: The fields of a template that are known here. What only KubeVirt's own parts read is among them: the
#: scheduler's, the node's and the launcher Pod's.
_OF_TEMPLATE = frozenset(
    {
        *("affinity", "architecture", "dnsConfig", "dnsPolicy", "domain", "evictionStrategy", "hostname"),
        *("networks", "nodeSelector", "priorityClassName", "readinessProbe", "schedulerName", "subdomain"),
        *("startStrategy", "terminationGracePeriodSeconds", "tolerations", "topologySpreadConstraints"),
        "volumes",
    }
)
_OF_DOMAIN = frozenset({"cpu", "devices", "features", "firmware", "machine", "memory", "resources"})
_OF_DEVICES = frozenset(
    {"autoattachGraphicsDevice", "disks", "filesystems", "interfaces", "panicDevices", "rng"}
)
_OF_FIRMWARE = frozenset({"bootloader", "kernelBoot", "serial", "uuid"})
_OF_INTERFACE = frozenset({"macAddress", "masquerade", "model", "name", "ports"})
_OF_DISK = frozenset({"bootOrder", "disk", "errorPolicy", "name", "serial"})


@dataclass(frozen=True)
class Source:
    """Where a device's content comes from: an object's name, and the fields that a downwardAPI asks for."""

    kind: SourceKind
    name: str
    optional: bool = False
    fields: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of(cls, volume: Mapping[str, Any]) -> Source:
        """The source of one of a VirtualMachine's volumes."""
        (kind,) = (key for key in volume if key != "name")
        if kind not in get_args(SourceKind):
            raise ValueError(f"volume {volume['name']} is a {kind}: how KubeVirt makes that isn't known here")
        content = volume[kind]
        fields = tuple((item["path"], item["fieldRef"]["fieldPath"]) for item in content.get("fields", ()))
        name = content[_NAMES[kind]] if kind in _NAMES else volume["name"]
        return cls(cast("SourceKind", kind), name, bool(content.get("optional")), fields)


@dataclass(frozen=True)
class Device:
    """A disk or a file system; the guest finds it by its serial number or its tag, `found_by`."""

    name: str
    found_by: str
    source: Source
    error_policy: ErrorPolicy = "stop"
    bus: Bus = "virtio"


@dataclass(frozen=True)
class Kernel:
    """The kernel that a machine starts with, instead of a boot loader of its own."""

    arguments: str
    image: str
    kernel: str
    initrd: str


@dataclass(frozen=True)
class Interface:
    """The machine's network card."""

    model: Card
    #: Its MAC address, if the template says one.
    mac: str


@dataclass(frozen=True)
class MachineSpec:
    """What a machine is made of."""

    name: str
    namespace: str
    hostname: str
    cores: int
    cores_a_socket: int
    #: How many may be plugged in, all in all.
    most_cores: int
    #: In mebibytes.
    memory: int
    #: To how much memory may be added, in mebibytes.
    most_memory: int
    kernel: Kernel | None
    #: What boots a disk of the machine's own; None if the machine has a kernel.
    bootloader: Bootloader | None
    #: Whether it has a screen.
    screen: bool
    interface: Interface
    disks: tuple[Device, ...]
    file_systems: tuple[Device, ...]
    #: Whether it has a pvpanic device.
    panics: bool
    #: Whether it has a random number generator.
    random: bool
    probe: Mapping[str, Any] | None
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    searches: tuple[str, ...]
    name_servers: tuple[str, ...]
    #: How long it may take to shut down, in seconds.
    grace: int

    @classmethod
    def of(cls, vm: Mapping[str, Any]) -> MachineSpec:
        """What virt-launcher would make of a VirtualMachine's template.

        Raises ValueError for what isn't known here: nothing of a machine is left out.
        """
        template = vm["spec"]["template"]
        spec = template["spec"]
        domain = spec["domain"]
        cpu, memory = domain.get("cpu", {}), domain["memory"]
        sockets, of_each = cpu.get("sockets", 1), cpu.get("cores", 1) * cpu.get("threads", 1)
        devices, firmware = domain["devices"], domain.get("firmware", {})
        for part, known in (
            (spec, _OF_TEMPLATE),
            (domain, _OF_DOMAIN),
            (domain.get("features", {}), frozenset({"acpi"})),
            (devices, _OF_DEVICES),
            (firmware, _OF_FIRMWARE),
        ):
            _refuse_unknown(part, known)
        sources = {volume["name"]: Source.of(volume) for volume in spec["volumes"]}
        return cls(
            name=vm["metadata"]["name"],
            namespace=vm["metadata"]["namespace"],
            hostname=spec.get("hostname") or vm["metadata"]["name"],
            cores=sockets * of_each,
            cores_a_socket=of_each,
            most_cores=max(sockets, cpu.get("maxSockets", _ROOM * cpu.get("sockets", 0))) * of_each,
            memory=_mebibytes(memory["guest"]),
            most_memory=_mebibytes(memory.get("maxGuest", memory["guest"])),
            kernel=_kernel(firmware.get("kernelBoot")),
            bootloader=None if "kernelBoot" in firmware else _bootloader(firmware.get("bootloader", {})),
            screen=devices.get("autoattachGraphicsDevice", True),
            interface=_interface(devices["interfaces"]),
            disks=tuple(_disk(disk, sources) for disk in devices.get("disks", ())),
            file_systems=tuple(
                Device(found["name"], found["name"], sources[found["name"]])
                for found in devices.get("filesystems", ())
            ),
            panics=bool(devices.get("panicDevices")),
            random="rng" in devices,
            probe=spec.get("readinessProbe"),
            labels=template["metadata"].get("labels", {}),
            annotations=template["metadata"].get("annotations", {}),
            searches=_searches(spec, vm["metadata"]["namespace"]),
            name_servers=tuple((spec.get("dnsConfig") or {}).get("nameservers", ())),
            grace=spec.get("terminationGracePeriodSeconds", _GRACE),
        )

    @property
    def devices(self) -> tuple[Device, ...]:
        """All that must have content before the machine starts."""
        return (*self.disks, *self.file_systems)


def _mebibytes(amount: str) -> int:
    return int(quantity.parse(amount) / quantity.MEBIBYTE)


def _refuse_unknown(part: Mapping[str, Any], known: frozenset[str]) -> None:
    if unknown := sorted(part.keys() - known):
        raise ValueError(f"how KubeVirt makes {', '.join(unknown)} of a machine isn't known here")


def _disk(disk: Mapping[str, Any], sources: Mapping[str, Source]) -> Device:
    _refuse_unknown(disk, _OF_DISK)
    bus = disk["disk"].get("bus", "virtio")
    if bus not in get_args(Bus):
        raise ValueError(f"disk {disk['name']} has the bus {bus}: how KubeVirt makes that isn't known here")
    source, policy = sources[disk["name"]], disk.get("errorPolicy", "stop")
    return Device(disk["name"], disk.get("serial", ""), source, policy, bus)


def _interface(interfaces: Sequence[Mapping[str, Any]]) -> Interface:
    (interface,) = interfaces
    _refuse_unknown(interface, _OF_INTERFACE)
    model = interface.get("model", "virtio")
    if model not in get_args(Card):
        raise ValueError(f"the network card is {model}: how KubeVirt makes that isn't known here")
    return Interface(model, interface.get("macAddress", ""))


def _bootloader(bootloader: Mapping[str, Any]) -> Bootloader:
    """BIOS, unless UEFI without secure boot is asked for."""
    _refuse_unknown(bootloader, frozenset({"bios", "efi"}))
    if "efi" not in bootloader:
        _refuse_unknown(bootloader.get("bios", {}), frozenset())
        return "BIOS"
    efi = bootloader["efi"]
    _refuse_unknown(efi, frozenset({"secureBoot"}))
    if efi.get("secureBoot", True):
        raise ValueError("how KubeVirt makes secureBoot of a machine isn't known here")
    return "UEFI"


def _kernel(boot: Mapping[str, Any] | None) -> Kernel | None:
    if boot is None:
        return None
    container = boot["container"]
    return Kernel(
        boot.get("kernelArgs", ""), container["image"], container["kernelPath"], container["initrdPath"]
    )


def _searches(spec: Mapping[str, Any], namespace: str) -> tuple[str, ...]:
    """The search domains that KubeVirt's DHCP server hands on: those of the launcher Pod's resolv.conf, and
    before them the subdomain's (kubevirt.io/kubevirt/pkg/network/driver/common.go).
    """
    services = f"{namespace}.svc.{CLUSTER_DOMAIN}"
    of_node = spec.get("dnsPolicy") in {"None", "Default"}  # whose own has no search domains here
    cluster = () if of_node else (services, f"svc.{CLUSTER_DOMAIN}", CLUSTER_DOMAIN)
    own = (f"{spec['subdomain']}.{services}",) if spec.get("subdomain") and cluster else ()
    return (*own, *cluster, *(spec.get("dnsConfig") or {}).get("searches", ()))
