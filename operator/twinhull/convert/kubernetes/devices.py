"""Converts the disks, network cards and other devices of a VirtualMachine into those of a Workload.

Fields and their defaults: kubevirt.io/api/core/v1, schema.go; kubevirt.io/kubevirt/pkg/defaults, where a disk
has the bus sata (virtio on other processors than amd64) and a card the model virtio.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field

from twinhull.api.base import Raw
from twinhull.api.disks import BOOT_DISK, RESERVED_PREFIX
from twinhull.convert.conversion import CannotConvert, Left
from twinhull.convert.kubernetes.datavolumes import DataVolumeTemplates
from twinhull.convert.kubernetes.fields import Fields
from twinhull.convert.kubernetes.source import Draft, Source
from twinhull.convert.kubernetes.untyped import map_at, maps_at
from twinhull.hulls.diskmachine import CLOUD_INIT

#: The fields of a volume that a Workload's disk has as well.
_OWN_FIELDS = {
    "containerDisk": {"image", "imagePullSecret", "path"},
    "dataVolume": {"name"},
    "persistentVolumeClaim": {"claimName"},
}
#: The kinds of volumes that a Workload has fields for.
_KINDS = {*_OWN_FIELDS, "cloudInitNoCloud"}
_BUSES = {"sata", "scsi", "virtio"}
_CARDS = {"e1000e", "e1000", "rtl8139", "virtio"}
_TARGETS = ("disk", "cdrom", "lun")
#: For each of cloud-init's two texts: the Workload's field, the field that names a Secret, the Secret's key,
#: and the fields with the text itself, each with its field in a Secret.
_TEXTS = (
    (
        *("userDataSecret", "secretRef", "userdata"),
        {"userData": "stringData", "userDataBase64": "data"},
    ),
    (
        *("networkDataSecret", "networkDataSecretRef", "networkdata"),
        {"networkData": "stringData", "networkDataBase64": "data"},
    ),
)


@dataclass(slots=True)
class Devices:
    """The devices for which a Workload has fields, and their names in its VirtualMachine."""

    #: The fields of spec.virtualMachine.
    machine: Raw = field(default_factory=dict)
    #: The names of the rendered volumes, by those in the input.
    names: dict[str, str] = field(default_factory=dict)
    #: The name of the disk that the machine boots.
    boot: str = ""
    #: The bus of a disk that names none.
    bus: str = ""
    #: Whether the machine's only network card is like the Workload's.
    has_own_card: bool = False

    def wanted(self, vmi_spec: Raw, rendered: Raw) -> Raw:
        """The spec of the template with the rendered machine's names, and with the rendered devices where
        both mean the same.
        """
        domain = dict(map_at(vmi_spec, "domain"))
        devices = dict(map_at(domain, "devices"))
        disks = [self._named(disk) for disk in maps_at(devices, "disks")]
        rendered_disks = rendered["domain"]["devices"]["disks"]
        orders = [device.get("bootOrder") for device in (*disks, *maps_at(devices, "interfaces"))]
        lone = not any(order for order, disk in zip(orders, disks, strict=False) if disk["name"] != self.boot)
        lone = lone and not any(orders[len(disks) :])
        same = [self._canonical(disk, lone=lone) for disk in disks]
        devices["disks"] = (
            rendered_disks if same == [self._canonical(disk, lone=lone) for disk in rendered_disks] else disks
        )
        spec = {**vmi_spec, "domain": domain}
        domain["devices"] = devices
        volumes = [self._volume(volume, rendered["volumes"]) for volume in maps_at(vmi_spec, "volumes")]
        keyed = {volume["name"]: volume for volume in volumes}
        same_volumes = keyed == {volume["name"]: volume for volume in rendered["volumes"]}
        spec["volumes"] = rendered["volumes"] if same_volumes else volumes
        if self.has_own_card:
            spec["networks"] = rendered["networks"]
            devices["interfaces"] = rendered["domain"]["devices"]["interfaces"]
        if "sshKeys" in self.machine:
            spec["accessCredentials"] = rendered["accessCredentials"]
        cpu = map_at(domain, "cpu")
        if cpu.keys() & {"sockets", "cores", "threads"} and "cpu" in rendered["domain"]:
            domain["cpu"] = {**cpu, "sockets": cpu.get("sockets") or 1, "cores": cpu.get("cores") or 1}
        return spec

    def _named(self, disk: Raw) -> Raw:
        return {**disk, "name": self.names.get(disk["name"], disk["name"])}

    def _canonical(self, disk: Raw, *, lone: bool) -> Raw:
        """A disk with KubeVirt's defaults for the fields that it lacks. `lone` says that no other device has
        a place in the boot order.
        """
        kind = target_of(disk)
        target = map_at(disk, kind)
        other_fields = {key: value for key, value in disk.items() if key not in {*_TARGETS, "bootOrder"}}
        order = 1 if lone and disk["name"] == self.boot else disk.get("bootOrder")
        bus = {**target, "bus": target.get("bus") or self.bus}
        return {**other_fields, kind: bus, **({"bootOrder": order} if order else {})}

    def _volume(self, volume: Raw, rendered: Iterable[Raw]) -> Raw:
        """A volume in the form of the rendered machine, with the fields that only the input has."""
        name = self.names.get(volume["name"])
        match = next((one for one in rendered if one["name"] == name), None)
        if match is None:
            return volume
        kind = kind_of(volume)
        more = {
            key: value
            for key, value in map_at(volume, kind).items()
            if kind in _OWN_FIELDS and key not in _OWN_FIELDS[kind]
        }
        beside = {key: value for key, value in volume.items() if key not in {"name", kind}}
        return {**beside, **match, kind_of(match): {**match[kind_of(match)], **more}}


def kind_of(volume: Raw) -> str:
    """A volume's kind, such as dataVolume; empty if only overrides can have it."""
    return next((key for key in volume if key in _KINDS), "")


def target_of(disk: Raw) -> str:
    """The kind of device of a disk: disk, cdrom or lun."""
    return next((kind for kind in _TARGETS if kind in disk), "disk")


def read_devices(source: Source, spec: Fields, vmi_spec: Raw, made: Draft, machine: Raw) -> Devices:
    """The devices of a template. `machine` has the fields for its size and its preference.

    Raises CannotConvert for a machine that boots none of its disks.
    """
    where = f"{spec.at('template')}.spec"
    domain_devices = map_at(map_at(vmi_spec, "domain"), "devices")
    volumes = {volume["name"]: volume for volume in _named(vmi_spec, "volumes", f"{where}.volumes")}
    disks = _named(domain_devices, "disks", f"{where}.domain.devices.disks")
    own = _own_disks(disks, volumes, f"{where}.domain.devices.disks")
    boot = min(own, key=lambda disk: (target_of(disk) == "cdrom", _order(disk) or math.inf))
    has_preference = "preference" in machine
    devices = Devices(boot=boot["name"], bus="" if has_preference else _default_bus(vmi_spec))
    is_virtio = not has_preference and (_bus(boot) or devices.bus) == "virtio"
    if is_virtio:
        devices.machine["devices"] = "Virtio"
    devices.machine["bootDisk"] = {}  # the boot disk comes first, wherever it stands in the list
    templates = DataVolumeTemplates(source, spec, made)
    for disk in own:
        name = disk["name"]
        fields = {
            "name": name,
            **templates.source_of(volumes[name], name),
            **_unusual_bus(disk, devices.bus, has_preference=has_preference, is_virtio=is_virtio),
        }
        _use_disk(devices, disk, fields)
    templates.finish()
    _use_data(devices, disks, volumes, made)
    _use_keys(devices, vmi_spec)
    _use_card(devices, vmi_spec, has_preference=has_preference, is_virtio=is_virtio)
    if devices.has_own_card and not domain_devices.get("interfaces"):
        why = (
            "a Workload's machine has one card behind a masquerade, and without a card KubeVirt gives it "
            "what the cluster's defaultNetworkInterface says (a bridge, unless it is set): add the card and "
            "its network to say which"
        )
        spec.left.append(Left(f"{where}.domain.devices.interfaces", why))
    return devices


def _own_disks(disks: Iterable[Raw], volumes: dict[str, Raw], where: str) -> list[Raw]:
    """The disks that a Workload's machine can have. Raises CannotConvert if there is none, or if one has a
    reserved name.
    """
    own = [disk for disk in disks if kind_of(volumes.get(disk["name"], {})) in _OWN_FIELDS]
    if not own:
        raise CannotConvert(
            f"{where} has none that a Workload can boot: give one a volume of the kind dataVolume, "
            "persistentVolumeClaim or containerDisk"
        )
    for disk in own:
        if disk["name"].startswith(RESERVED_PREFIX):
            raise CannotConvert(
                f"{where}[{disk['name']}]: names that begin with {RESERVED_PREFIX} are kept for what a "
                "machine has beside its disks: rename the disk and its volume"
            )
    return own


def _use_disk(devices: Devices, disk: Raw, fields: Raw) -> None:
    """Take over a disk. `fields` are those that a boot disk and a data disk have in common."""
    name = disk["name"]
    devices.names[name] = name
    if name == devices.boot:
        devices.machine["bootDisk"] = {
            key: value for key, value in fields.items() if (key, value) != ("name", BOOT_DISK)
        }
        return
    order = _order(disk)
    devices.machine.setdefault("disks", []).append(
        {
            **fields,
            **({"cdrom": True} if target_of(disk) == "cdrom" else {}),
            **({"bootOrder": order} if order > 1 else {}),
        }
    )


def _default_bus(vmi_spec: Raw) -> str:
    return "sata" if vmi_spec.get("architecture") in (None, "", "amd64") else "virtio"


def _order(disk: Raw) -> int:
    """Its place in the boot order, 0 if it has none."""
    order = disk.get("bootOrder")
    return order if isinstance(order, int) and not isinstance(order, bool) else 0


def _bus(disk: Raw) -> str:
    return str(map_at(disk, target_of(disk)).get("bus") or "")


def _unusual_bus(disk: Raw, default: str, *, has_preference: bool, is_virtio: bool) -> Raw:
    """The bus of a disk, if a Workload's disk wouldn't have it by default."""
    bus = _bus(disk) or default
    usual = (
        "sata" if target_of(disk) == "cdrom" else "" if has_preference else "virtio" if is_virtio else "sata"
    )
    return {"bus": bus} if bus in _BUSES and bus != usual else {}


def _use_data(devices: Devices, disks: Iterable[Raw], volumes: dict[str, Raw], made: Draft) -> None:
    """Take over the data of the first cloud-init. Data that is in the machine's own template goes into a
    Secret, which the Workload's machine then uses. Sysprep stays a volume: a Workload has it only with os
    Windows, which would set more than the machine has.
    """
    for disk in disks:
        volume = volumes.get(disk["name"], {})
        kind, data = kind_of(volume), map_at(volume, kind_of(volume))
        is_first = kind == "cloudInitNoCloud" and "cloudInit" not in devices.machine
        if is_first and (cloud_init := _cloud_init(data, made)) is not None:
            devices.machine["cloudInit"] = cloud_init
            devices.names[disk["name"]] = CLOUD_INIT


def _cloud_init(data: Raw, made: Draft) -> Raw | None:
    """The Workload's fields for a cloudInitNoCloud, None if they can't express all of it."""
    cloud_init: Raw = {}
    secret: Raw = {}
    name = f"{made.name}-cloud-init"
    known = set()
    for target, reference, entry, texts in _TEXTS:
        keys = [key for key in (reference, *texts) if data.get(key)]
        known.update(keys)
        if len(keys) > 1:
            return None
        if keys == [reference]:
            if data[reference].keys() != {"name"}:
                return None
            cloud_init[target] = data[reference]["name"]
        elif keys:
            secret.setdefault(texts[keys[0]], {})[entry] = data[keys[0]]
            cloud_init[target] = name
    if data.keys() != known:
        return None
    if secret:
        namespace = made.metadata.get("namespace")
        metadata = {"name": name, **({"namespace": namespace} if namespace else {})}
        made.needs.append({"apiVersion": "v1", "kind": "Secret", "metadata": metadata, **secret})
    return cloud_init


def _use_keys(devices: Devices, vmi_spec: Raw) -> None:
    """Take over the Secret with SSH keys, if there is one and a Workload can have it in the same way."""
    credentials = vmi_spec.get("accessCredentials")
    if not isinstance(credentials, list) or len(credentials) != 1:
        return
    key = map_at(credentials[0] if isinstance(credentials[0], dict) else {}, "sshPublicKey")
    secret = map_at(map_at(key, "source"), "secret").get("secretName")
    users = map_at(map_at(key, "propagationMethod"), "qemuGuestAgent").get("users")
    way: Raw = {"qemuGuestAgent": {"users": users}} if users else {"noCloud": {}}
    expected = {"sshPublicKey": {"source": {"secret": {"secretName": secret}}, "propagationMethod": way}}
    if secret and credentials[0] == expected and (users or "cloudInit" in devices.machine):
        devices.machine["sshKeys"] = {"secret": secret, **({"users": users} if users else {})}


def _use_card(devices: Devices, vmi_spec: Raw, *, has_preference: bool, is_virtio: bool) -> None:
    """Take over the network card, if there is only one and it is on the Pod's network. Other cards stay as
    they are, by overrides.
    """
    domain_devices = map_at(map_at(vmi_spec, "domain"), "devices")
    networks, cards = maps_at(vmi_spec, "networks"), maps_at(domain_devices, "interfaces")
    usual = "" if has_preference else "virtio" if is_virtio else "e1000e"
    if not networks and not cards:
        if domain_devices.get("autoattachPodInterface") is not False:
            devices.has_own_card = True
            _say_model(devices, "" if has_preference else "virtio", usual)
        return
    if len(networks) != 1 or len(cards) != 1:
        return
    (network,), (card,) = networks, cards
    is_pods = {key: value for key, value in network.items() if key != "name"} == {"pod": {}}
    model = card.get("model") or ("" if has_preference else "virtio")
    if (
        not is_pods
        or card.get("name") != network.get("name")
        or not card.keys() <= {"name", "masquerade", "model", "macAddress"}
        or card.get("masquerade") != {}
        or model not in (*_CARDS, "")
    ):
        return
    devices.has_own_card = True
    _say_model(devices, model, usual)
    if isinstance(address := card.get("macAddress"), str):
        devices.machine.setdefault("networkInterface", {})["macAddress"] = address.replace("-", ":")


def _say_model(devices: Devices, model: str, usual: str) -> None:
    if model and model != usual:
        devices.machine["networkInterface"] = {"model": model}


def _named(fields: Raw, key: str, where: str) -> list[Raw]:
    """The maps of a list, each with a unique name. Raises CannotConvert otherwise."""
    listed = fields.get(key) or []
    seen = set()
    for index, element in enumerate(listed if isinstance(listed, list) else [None]):
        name = element.get("name") if isinstance(element, dict) else None
        if not isinstance(name, str) or name in seen:
            raise CannotConvert(f"{where}[{index}] must be a map with a name of its own: correct it")
        seen.add(name)
    return list(listed)
