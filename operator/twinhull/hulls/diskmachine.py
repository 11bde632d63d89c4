"""The machine that boots a disk of its own: rendering a KubeVirt VirtualMachine without a Twinhull guest."""

from __future__ import annotations

from collections.abc import Collection

from twinhull.api.base import Raw
from twinhull.api.disks import RESERVED_PREFIX, DataDisk, Disk
from twinhull.api.virtualmachine import Firmware, Readiness, VirtualMachine
from twinhull.api.workload import RESTART_ANNOTATION, ObjectMeta, WorkloadSpec
from twinhull.hulls import windows
from twinhull.hulls.datavolume import claim_name, has_data_volume
from twinhull.hulls.firmware import bootloader, features, tpm
from twinhull.hulls.hull import (
    HULL_LABEL,
    HULL_NAME_LABEL,
    REVISION_LABEL,
    WORKLOAD_LABEL,
    given_by,
    owner_reference,
)
from twinhull.hulls.machine import API_VERSION
from twinhull.hulls.machine_settings import MIGRATES_IF_POSSIBLE
from twinhull.hulls.merge import merge_patch

#: The buses of disks and the models of network cards, by `devices`.
_BUS = {"Compatible": "sata", "Virtio": "virtio"}
_CARD = {"Compatible": "e1000e", "Virtio": "virtio"}
#: The grace period of a Linux machine, in seconds. After it, KubeVirt cuts the power, by default after 30
#: (kubevirt.io/api/core/v1, DefaultGracePeriodSeconds). systemd gives each service 90
#: (systemd-system.conf(5), DefaultTimeoutStopSec). `virtctl create vm` sets the same value
#: (kubevirt.io/kubevirt 1.9.0, pkg/virtctl/create/vm/vm.go).
GRACE = 180
#: The fields that the operator sets without being asked, with their values, by their paths below the
#: template's spec. Earlier operators didn't set them, and some depend on KubeVirt's version.
CHOSEN: dict[tuple[str, ...], object] = {
    ("evictionStrategy",): MIGRATES_IF_POSSIBLE,
    ("terminationGracePeriodSeconds",): GRACE,
    ("domain", "devices", "video"): windows.VIDEO,
}
#: The names of the machine's volumes that aren't disks of the Workload. KubeVirt requires DNS labels, without
#: dots.
CLOUD_INIT, _SYSPREP, _DRIVERS = (
    f"{RESERVED_PREFIX}{name}" for name in ("cloud-init", "sysprep", "virtio-drivers")
)


def render(  # noqa: PLR0913  one for each source
    workload: ObjectMeta,
    spec: WorkloadSpec,
    *,
    revision: str,
    eviction: str,
    video: bool = False,
    lone_claims: Collection[str] = (),
) -> Raw:
    """The VirtualMachine of a Workload that names a boot disk. It has the Workload's own name.

    `eviction` is KubeVirt's evictionStrategy, empty for KubeVirt's own default. `video` says whether a
    machine may name its graphics card. `lone_claims` are the names of the disks whose claim exists without a
    DataVolume.
    """
    built = spec.virtual_machine
    known = {
        WORKLOAD_LABEL: workload.name,
        HULL_NAME_LABEL: workload.name,
        REVISION_LABEL: revision,
    }
    restart = {RESTART_ANNOTATION: workload.restart} if workload.restart else {}
    annotations = {**given_by(spec.template, "annotations"), **restart}
    return {
        "apiVersion": API_VERSION,
        "kind": "VirtualMachine",
        "metadata": {
            "name": workload.name,
            "namespace": workload.namespace,
            "labels": {**known, HULL_LABEL: "VirtualMachine"},
            "ownerReferences": [owner_reference(workload)],
        },
        "spec": {
            "runStrategy": "Always",
            **({"instancetype": built.instancetype.raw()} if built.instancetype else {}),
            **({"preference": built.preference.raw()} if built.preference else {}),
            "template": {
                "metadata": {
                    "labels": {**given_by(spec.template, "labels"), **known},
                    **({"annotations": annotations} if annotations else {}),
                },
                "spec": merge_patch(
                    _spec(workload, built, eviction, lone_claims, video=video), built.overrides or {}
                ),
            },
        },
    }


def _spec(
    workload: ObjectMeta,
    built: VirtualMachine,
    eviction: str,
    lone_claims: Collection[str],
    *,
    video: bool,
) -> Raw:
    return {
        **({"evictionStrategy": eviction} if eviction else {}),
        **_grace(built),
        **({"readinessProbe": _probe(built.readiness)} if built.readiness else {}),
        **({"accessCredentials": _credentials(built)} if built.ssh_keys else {}),
        "domain": _domain(built, video=video),
        "networks": [{"name": "default", "pod": {}}],
        "volumes": [
            *(_volume(workload.name, disk, lone_claims) for disk in built.all_disks()),
            *_other_volumes(built),
        ],
    }


def _grace(built: VirtualMachine) -> Raw:
    """The machine's grace period. For a Linux machine a preference may set it: KubeVirt takes the
    preference's value only if the machine sets none (kubevirt.io/kubevirt,
    pkg/instancetype/preference/apply).
    """
    if built.os == "Windows":
        return {"terminationGracePeriodSeconds": windows.GRACE}
    return {} if built.preference else {"terminationGracePeriodSeconds": GRACE}


def _domain(built: VirtualMachine, *, video: bool) -> Raw:
    """The domain of the machine. With a preference, only the fields that the Workload sets: the preference
    sets the others.
    """
    is_windows = built.os == "Windows" and not built.preference
    devices = {
        "interfaces": [_interface(built)],
        "disks": [*(_disk(disk, built) for disk in built.all_disks()), *_other_disks(built)],
        **({"inputs": windows.inputs(virtio=built.devices == "Virtio")} if is_windows else {}),
        **({"video": windows.VIDEO} if video and is_windows and _has_virtio_screen(built) else {}),
        **tpm(built.firmware),
        "rng": {},
    }
    needed = {**(windows.features() if is_windows else {}), **features(built.firmware)}
    return {
        **_size(built),
        **_firmware(built.firmware),
        **(
            {"clock": windows.clock(has_zone=bool(_overridden(built, "clock", "timezone")))}
            if is_windows
            else {}
        ),
        **({"features": needed} if needed else {}),
        "devices": devices if built.os == "Linux" else {key: devices[key] for key in devices if key != "rng"},
    }


def _has_virtio_screen(built: VirtualMachine) -> bool:
    """Whether the machine has a graphics card on virtio. KubeVirt refuses a named graphics card in a machine
    without one (validateVideoConfig).
    """
    return (
        built.devices == "Virtio" and _overridden(built, "devices", "autoattachGraphicsDevice") is not False
    )


def _overridden(built: VirtualMachine, *path: str) -> object:
    """The value of a field of the domain in the overrides, None if they don't set it."""
    value: object = built.overrides
    for key in ("domain", *path):
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _size(built: VirtualMachine) -> Raw:
    """CPU and memory. KubeVirt refuses both beside an instancetype. The CPUs are cores of one socket: a
    Windows for desktops uses two sockets at most.
    """
    if built.instancetype:
        return {}
    return {"cpu": {"sockets": 1, "cores": built.cpus or 1}, "memory": {"guest": built.memory}}


def _firmware(firmware: Firmware | None) -> Raw:
    """The bootloader; nothing if the Workload leaves it to the preference."""
    if firmware is None or firmware.bootloader is None:
        return {}
    return {"firmware": {"bootloader": bootloader(firmware)}}


def _interface(built: VirtualMachine) -> Raw:
    interface = built.network_interface
    card = (interface.model if interface else None) or _default(built, _CARD)
    return {
        "name": "default",
        "masquerade": {},
        **({"model": card} if card else {}),
        **({"macAddress": interface.mac_address} if interface and interface.mac_address else {}),
    }


def _default(built: VirtualMachine, kinds: dict[str, str]) -> str:
    """The value for `devices`; empty if the preference chooses it."""
    return kinds[built.devices or "Compatible"] if built.devices or not built.preference else ""


def _disk(disk: Disk, built: VirtualMachine) -> Raw:
    """A disk among the machine's devices. A CD-ROM drive is never on virtio, which firmware can't read."""
    is_cdrom = isinstance(disk, DataDisk) and bool(disk.cdrom)
    bus = disk.bus or ("sata" if is_cdrom else _default(built, _BUS))
    order = disk.boot_order if isinstance(disk, DataDisk) else 1
    return {
        "name": disk.disk_name,
        "cdrom" if is_cdrom else "disk": {"bus": bus} if bus else {},
        **({"bootOrder": order} if order else {}),
    }


def _volume(workload: str, disk: Disk, lone_claims: Collection[str]) -> Raw:
    if disk.source.container_disk:
        return {"name": disk.disk_name, "containerDisk": disk.source.container_disk.raw()}
    name = claim_name(workload, disk)
    if has_data_volume(disk) and disk.disk_name not in lone_claims:
        return {"name": disk.disk_name, "dataVolume": {"name": name}}
    return {"name": disk.disk_name, "persistentVolumeClaim": {"claimName": name}}


def _other_volumes(built: VirtualMachine) -> list[Raw]:
    """The volumes of the machine that aren't disks of the Workload."""
    volumes: list[Raw] = []
    if built.cloud_init or _keys_by_cloud_init(built):
        volumes.append({"name": CLOUD_INIT, "cloudInitNoCloud": _cloud_init(built)})
    if built.sysprep:
        volumes.append({"name": _SYSPREP, "sysprep": {"secret": {"name": built.sysprep.secret}}})
    if built.virtio_drivers:
        volumes.append({"name": _DRIVERS, "containerDisk": built.virtio_drivers.raw()})
    return volumes


def _other_disks(built: VirtualMachine) -> list[Raw]:
    bus = _default(built, _BUS)
    disks: list[Raw] = []
    if built.cloud_init or _keys_by_cloud_init(built):
        disks.append({"name": CLOUD_INIT, "disk": {"bus": bus} if bus else {}})
    if built.sysprep:
        disks.append({"name": _SYSPREP, "cdrom": {"bus": "sata"}})
    if built.virtio_drivers:
        disks.append({"name": _DRIVERS, "cdrom": {"bus": "sata"}})
    return disks


def _cloud_init(built: VirtualMachine) -> Raw:
    """The NoCloud data, from Secrets only. Without user data it has an empty cloud-config, to which KubeVirt
    adds the SSH keys.
    """
    data = built.cloud_init
    user, network = (data.user_data_secret, data.network_data_secret) if data else (None, None)
    return {
        **({"secretRef": {"name": user}} if user else {"userData": "#cloud-config\n"}),
        **({"networkDataSecretRef": {"name": network}} if network else {}),
    }


def _keys_by_cloud_init(built: VirtualMachine) -> bool:
    return built.ssh_keys is not None and not built.ssh_keys.users


def _credentials(built: VirtualMachine) -> list[Raw]:
    """The SSH keys that may log in (kubevirt.io/api/core/v1, type SSHPublicKeyAccessCredential)."""
    if built.ssh_keys is None:
        return []
    users = list(built.ssh_keys.users or ())
    way: Raw = {"qemuGuestAgent": {"users": users}} if users else {"noCloud": {}}
    source = {"secret": {"secretName": built.ssh_keys.secret}}
    return [{"sshPublicKey": {"source": source, "propagationMethod": way}}]


def _probe(readiness: Readiness) -> Raw:
    """The readiness probe in KubeVirt's form (kubevirt.io/api/core/v1, type Probe)."""
    return readiness.raw()
