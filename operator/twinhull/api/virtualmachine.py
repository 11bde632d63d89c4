"""spec.virtualMachine: how a machine is built, whether Twinhull's guest runs in it or it boots a disk of its
own.
"""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import ConfigDict, Field, field_validator
from pydantic_core import PydanticCustomError

from twinhull.api.base import Model, Name, Raw, SubdomainName, matches, rule, validations
from twinhull.api.depth import nested_deeper
from twinhull.api.disks import BOOT_DISK, MOST_DISKS, BootDisk, Bytes, DataDisk, Disk
from twinhull.api.registry import Registry
from twinhull.api.templatebounds import MAX_DEPTH

#: The annotations that only describe a machine, for lists and metrics (kubevirt.io/common-instancetypes,
#: preferences).
DESCRIBING_ANNOTATIONS = ("vm.kubevirt.io/flavor", "vm.kubevirt.io/os", "vm.kubevirt.io/workload")


class Instancetype(Model):
    """A KubeVirt instancetype. It replaces the template's resources as the size of the machine."""

    name: Name = Field(description="The instancetype's name.")
    kind: Literal["VirtualMachineInstancetype", "VirtualMachineClusterInstancetype"] = Field(
        "VirtualMachineClusterInstancetype",
        description="VirtualMachineClusterInstancetype is one of the cluster, VirtualMachineInstancetype one "
        "of the Workload's namespace.",
    )


class Preference(Model):
    """A KubeVirt preference: which devices the machine has by default."""

    name: Name = Field(description="The preference's name.")
    kind: Literal["VirtualMachinePreference", "VirtualMachineClusterPreference"] = Field(
        "VirtualMachineClusterPreference",
        description="VirtualMachineClusterPreference is one of the cluster, VirtualMachinePreference one of "
        "the Workload's namespace.",
    )


class Firmware(Model):
    """The machine's firmware."""

    model_config = ConfigDict(
        json_schema_extra=validations(
            rule(
                "!self.secureBoot || has(self.bootloader) && self.bootloader == 'UEFI'",
                "secureBoot needs UEFI: set firmware.bootloader to UEFI, or secureBoot to false",
                field="secureBoot",
            ),
            rule(
                "!has(self.persistent) || !self.persistent "
                "|| has(self.bootloader) && self.bootloader == 'UEFI'",
                "persistent needs UEFI: set firmware.bootloader to UEFI, or persistent to false",
                field="persistent",
            ),
        )
    )

    bootloader: Literal["BIOS", "UEFI"] | None = Field(
        None,
        description="The kind of firmware. Without it, the preference's, or else BIOS. A machine that boots "
        "a disk of its own needs the kind with which the disk was installed. There this field is "
        "required, unless a preference is named.",
    )
    secure_boot: bool = Field(
        False,  # noqa: FBT003
        description="Whether the firmware boots signed code only. It needs bootloader UEFI.",
    )
    persistent: bool | None = Field(
        None,
        description="Whether the firmware's variables, such as the order of boot entries, survive a restart. "
        "It needs bootloader UEFI, and storage for KubeVirt's state of machines. KubeVirt deletes them with "
        "the machine.",
    )
    tpm: Literal["None", "Ephemeral", "Persistent"] = Field(
        "None",
        description="The emulated TPM 2.0. Ephemeral is new at each start. Persistent keeps its keys, until "
        "KubeVirt deletes them with the machine.",
    )

    @field_validator("tpm", mode="before")
    @classmethod
    def _formerly_a_boolean(cls, tpm: object) -> object:
        """The field was once a boolean, and objects from that time may still be stored."""
        return {True: "Ephemeral", False: "None"}.get(tpm, tpm) if isinstance(tpm, bool) else tpm


_MAC = r"^[0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2}){5}$"


class NetworkInterface(Model):
    """The machine's network card."""

    mac_address: (
        Annotated[
            str,
            Field(
                pattern=_MAC,
                max_length=17,
                json_schema_extra=validations(
                    matches(
                        _MAC, "write six pairs of hexadecimal digits with colons, such as 00:50:56:01:02:03"
                    ),
                    rule(
                        "!self.matches('^[0-9A-Fa-f][13579BDFbdf]:')",
                        "this is a multicast address, which no card has: make the second digit even (0, 2, "
                        "4, 6, 8, a, c, e)",
                    ),
                    rule(
                        "self != '00:00:00:00:00:00'",
                        "zeros are no card's address: write one such as 00:50:56:01:02:03, or remove "
                        "macAddress for a new one",
                    ),
                ),
            ),
        ]
        | None
    ) = Field(
        None, description="The card's address, such as its address before a migration. Without it, a new one."
    )
    model: Literal["e1000e", "e1000", "rtl8139", "virtio"] | None = Field(
        None, description="The card's model. Without it, as virtualMachine.devices says."
    )


class CloudInit(Model):
    """Data for cloud-init, which the machine reads at its first start (NoCloud)."""

    user_data_secret: SubdomainName | None = Field(
        None, description="The Secret in the Workload's namespace whose key userdata has the user data."
    )
    network_data_secret: SubdomainName | None = Field(
        None, description="The Secret in the Workload's namespace whose key networkdata has the network data."
    )


class Sysprep(Model):
    """An answer file for Windows."""

    secret: SubdomainName = Field(
        description="The Secret in the Workload's namespace whose key autounattend.xml or unattend.xml has "
        "the answers. The machine has it as a CD-ROM."
    )


class SshKeys(Model):
    """Public keys of people who may log in by SSH."""

    secret: SubdomainName = Field(
        description="The Secret in the Workload's namespace whose values are public keys."
    )
    users: (
        Annotated[
            tuple[Annotated[str, Field(min_length=1, max_length=64, description="A user.")], ...],
            Field(max_length=16),
        ]
        | None
    ) = Field(
        None,
        description="The users to whom the guest agent in the machine gives the keys. Without it, cloud-init "
        "gives them to its default user at the first start.",
    )


class VirtioDrivers(Model):
    """The virtio drivers for Windows, as a CD-ROM."""

    image: Annotated[str, Field(min_length=1, max_length=1024)] = Field(
        description="A containerDisk with the drivers' ISO, such as KubeVirt's virtio-container-disk."
    )
    image_pull_secret: SubdomainName | None = Field(
        None, description="The Secret with which nodes pull the image, in the Workload's namespace."
    )


#: How many of a template's claims may be disks. A machine has room for few devices.
MOST_CLAIMS = 16


class AttachedClaim(Model):
    """How the machine has a claim that the template mounts."""

    volume: Annotated[str, Field(min_length=1, max_length=63)] = Field(
        description="The name of a volume of the template, which is a persistentVolumeClaim or ephemeral."
    )
    attached_as: Literal["Disk"] = Field(
        alias="as",
        description="Disk: the machine has the claim as a disk with an ext4 file system, which is made if "
        "the disk is blank. Any user in the machine can own files on it. A Pod can't read this "
        "disk. Without an entry here, KubeVirt shares the claim's files by virtiofs, as user and "
        "group 107.",
    )


_Port: TypeAlias = Annotated[int, Field(ge=1, le=65_535)]


class TcpSocket(Model):
    """A port that accepts connections."""

    port: _Port = Field(description="The port.")


class HttpGet(Model):
    """An HTTP request that is answered with a status from 200 to 399."""

    path: Annotated[str, Field(max_length=1024)] = Field("/", description="The path.")
    port: _Port = Field(description="The port.")
    scheme: Literal["HTTP", "HTTPS"] = Field("HTTP", description="HTTP or HTTPS.")


class Exec(Model):
    """A command that the guest agent runs in the machine."""

    command: Annotated[
        tuple[Annotated[str, Field(max_length=4096, description="A word.")], ...],
        Field(min_length=1, max_length=64),
    ] = Field(description="The command and its arguments.")


class GuestAgentPing(Model):
    """The guest agent answers."""


#: The kinds of probes. Exactly one of them is set.
_PROBES = ("tcpSocket", "httpGet", "exec", "guestAgentPing")
_ONE_PROBE = rule(
    "[" + ", ".join(f"has(self.{probe})" for probe in _PROBES) + "].filter(said, said).size() == 1",
    f"set exactly one of {', '.join(_PROBES)}",
)


class Readiness(Model):
    """When a machine without our guest is ready, asked by KubeVirt from outside."""

    model_config = ConfigDict(json_schema_extra=validations(_ONE_PROBE))

    tcp_socket: TcpSocket | None = Field(None, description="A port that accepts connections.")
    http_get: HttpGet | None = Field(
        None, description="An HTTP request that is answered with a status from 200 to 399."
    )
    exec: Exec | None = Field(None, description="A command that succeeds. It needs the guest agent.")
    guest_agent_ping: GuestAgentPing | None = Field(None, description="The guest agent answers.")
    initial_delay_seconds: Annotated[int, Field(ge=0, le=86_400)] | None = Field(
        None, description="How many seconds after the machine's start it is first asked."
    )
    period_seconds: Annotated[int, Field(ge=1, le=3_600)] | None = Field(
        None, description="How many seconds pass between two probes. Without it, 10."
    )
    timeout_seconds: Annotated[int, Field(ge=1, le=3_600)] | None = Field(
        None, description="How many seconds an answer may take. Without it, 1."
    )
    success_threshold: Annotated[int, Field(ge=1, le=100)] | None = Field(
        None, description="How many probes in a row must succeed. Without it, 1."
    )
    failure_threshold: Annotated[int, Field(ge=1, le=100)] | None = Field(
        None, description="How many probes in a row must fail. Without it, 3."
    )


#: Disks are volumes of one machine, and their claims are named after them: each needs its own name.
_NAMED_ONCE = rule(
    "!has(self.disks) || !has(self.bootDisk) || self.disks.all(disk, disk.name != "
    f"(has(self.bootDisk.name) ? self.bootDisk.name : '{BOOT_DISK}'))",
    f"a disk has the name of the boot disk ({BOOT_DISK}, unless bootDisk.name says another): give it another",
    field="disks",
)
_ORDERED_ONCE = rule(
    "!has(self.disks) || self.disks.all(disk, !has(disk.bootOrder) || "
    "self.disks.exists_one(other, has(other.bootOrder) && other.bootOrder == disk.bootOrder))",
    "two disks have one bootOrder: give each its own, or remove it",
    field="disks",
)

#: The fields that have an effect only on a machine that boots a disk of its own.
_OF_DISK_MACHINES = (
    *("disks", "devices", "cpus", "memory", "networkInterface", "cloudInit", "sysprep", "sshKeys"),
    *("virtioDrivers", "readiness"),
)


class VirtualMachine(Model):
    """How the machine is built. It has no effect while the hull is a Pod."""

    model_config = ConfigDict(
        json_schema_extra=validations(
            *(
                rule(
                    f"!has(self.{field}) || has(self.bootDisk)",
                    f"{field} is for a machine that boots a disk of its own: set bootDisk, or remove {field}",
                    field=field,
                )
                for field in _OF_DISK_MACHINES
            ),
            _NAMED_ONCE,
            _ORDERED_ONCE,
            rule(
                "self.os != 'Windows' || has(self.bootDisk)",
                "a machine without a bootDisk runs Linux: set bootDisk, or os to Linux",
                field="os",
            ),
            *(
                rule(
                    f"!has(self.{field}) || !has(self.bootDisk) || self.os == 'Windows'",
                    f"{field} is for Windows: set os to Windows, or remove {field}{for_linux}",
                    field=field,
                )
                for field, for_linux in (
                    ("sysprep", " (cloudInit is what Linux reads)"),
                    ("virtioDrivers", " (Linux has them)"),
                )
            ),
            rule(
                "!has(self.bootDisk) || has(self.preference) "
                "|| has(self.firmware) && has(self.firmware.bootloader)",
                "set firmware.bootloader to BIOS or UEFI, as the disk was installed (a generation 2 machine "
                "of Hyper-V has UEFI), or name a preference",
                field="firmware.bootloader",
            ),
            rule(
                "!has(self.bootDisk) || has(self.memory) != has(self.instancetype)",
                "a machine with a bootDisk has its size from memory (and cpus), or from an instancetype: set "
                "one of the two",
                field="memory",
            ),
            rule(
                "!has(self.cpus) || !has(self.instancetype)",
                "the instancetype says how many cpus the machine has: remove cpus",
                field="cpus",
            ),
        )
    )

    instancetype: Instancetype | None = Field(
        None,
        description="The size of the machine. Without it, the size is the sum of the containers' resources "
        "and what the guest itself needs.",
    )
    preference: Preference | None = Field(
        None, description="The KubeVirt preference, which says which devices the machine has by default."
    )
    guest_image: Annotated[str, Field(min_length=1, max_length=1024)] | None = Field(
        None,
        description="A containerDisk with the Twinhull guest. Without it, a policy's or the operator's is "
        "used.",
    )
    guest_image_pull_secret: SubdomainName | None = Field(
        None,
        description="The Secret with which nodes pull the guest image from a registry that asks for "
        "credentials. It must be of type kubernetes.io/dockerconfigjson and in the Workload's namespace. "
        "Without it, the Workload's own guestImage is pulled without a Secret. The guest image of a policy, "
        "or of the operator, is pulled with the Secret that the policy or the operator names.",
    )
    registries: Annotated[tuple[Registry, ...], Field(max_length=32)] | None = Field(
        None,
        description="Mirrors and certificate authorities of image registries. A machine pulls its images "
        "itself, and doesn't know the configuration of the nodes. An entry replaces the operator's entry for "
        "the same host.",
        json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["host"]},
    )
    claims: Annotated[tuple[AttachedClaim, ...], Field(max_length=MOST_CLAIMS)] | None = Field(
        None,
        description="How the machine has claims that the template mounts. A claim that isn't named here is "
        "shared by virtiofs.",
        json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["volume"]},
    )
    os: Literal["Linux", "Windows"] = Field(
        "Linux",
        description="The operating system of the machine. Windows gets Hyper-V's enlightenments, clock and "
        "timers, and an hour to shut down. A Linux with a bootDisk has 3 minutes.",
    )
    cpus: Annotated[int, Field(ge=1, le=1024)] | None = Field(
        None, description="How many virtual CPUs a machine with a bootDisk has. Without it, 1."
    )
    memory: Bytes | None = Field(
        None, description="How much memory a machine with a bootDisk has, such as 4Gi."
    )
    devices: Literal["Compatible", "Virtio"] | None = Field(
        None,
        description="Which disk buses and network cards a machine with a bootDisk has. Compatible: SATA and "
        "e1000e, which every system knows. Virtio: faster, and needs its drivers in the system. Without it, "
        "the preference's, or else Compatible.",
    )
    firmware: Firmware | None = Field(None, description="BIOS or UEFI, secure boot and TPM.")
    boot_disk: BootDisk | None = Field(
        None,
        description="The disk that the machine boots, in place of the template. Twinhull's guest doesn't run "
        "in such a machine. If you remove bootDisk, the template runs.",
    )
    disks: Annotated[tuple[DataDisk, ...], Field(max_length=MOST_DISKS)] | None = Field(
        None,
        description="More disks, beside bootDisk.",
        json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]},
    )
    network_interface: NetworkInterface | None = Field(None, description="The machine's network card.")
    cloud_init: CloudInit | None = Field(
        None, description="Data for cloud-init, which a Linux reads at its first start."
    )
    sysprep: Sysprep | None = Field(None, description="An answer file for Windows.")
    ssh_keys: SshKeys | None = Field(None, description="Public keys of people who may log in by SSH.")
    virtio_drivers: VirtioDrivers | None = Field(
        None, description="The virtio drivers for Windows, as a CD-ROM."
    )
    readiness: Readiness | None = Field(
        None,
        description="When a machine with a bootDisk is ready. Without it, it is ready once it runs, which is "
        "before its system has started.",
    )
    overrides: Raw | None = Field(
        None,
        description="A JSON merge patch for the VirtualMachine's spec.template.spec, applied last. It can "
        "set every field that KubeVirt has. A list replaces the whole list. A null removes a field, but "
        "only server-side apply keeps a null in a Workload.",
        json_schema_extra={"type": "object", "x-kubernetes-preserve-unknown-fields": True},
    )

    @field_validator("overrides")
    @classmethod
    def _shallow(cls, overrides: Raw | None) -> Raw | None:
        """Bound the depth of overrides, which no schema can do: code that walks through them must come to an
        end.
        """
        if nested_deeper(overrides, MAX_DEPTH):
            raise PydanticCustomError("too_deep", f"it is nested more than {MAX_DEPTH} deep")
        return overrides

    def disk_volumes(self) -> frozenset[str]:
        """The names of the template's volumes whose claims are disks of the machine."""
        return frozenset(claim.volume for claim in self.claims or ())

    def all_disks(self) -> tuple[Disk, ...]:
        """The boot disk and the other disks. Empty if the machine boots no disk of its own."""
        return (self.boot_disk, *(self.disks or ())) if self.boot_disk else ()
