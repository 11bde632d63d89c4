"""The objects that a Workload's spec refers to and that others create, with the fields that name them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

from twinhull.api.base import Raw

#: The kind and name of an object in the Workload's own namespace, or of a cluster-wide one.
KindAndName: TypeAlias = tuple[str, str]

#: The kinds that a machine's settings may refer to.
OF_MACHINES = {
    "VirtualMachineInstancetype",
    "VirtualMachineClusterInstancetype",
    "VirtualMachinePreference",
    "VirtualMachineClusterPreference",
}


@dataclass(frozen=True, slots=True)
class Reference:
    """A reference to an object."""

    kind: str
    name: str
    #: The path of the field that names the object, from spec on.
    path: str

    @property
    def target(self) -> KindAndName:
        """The kind and name of the object."""
        return self.kind, self.name


def of_template(template: Raw) -> Iterator[Reference]:
    """The claims and StorageClasses that the template refers to. Its ConfigMaps and Secrets are left out: the
    kubelet, or the guest, waits for those.
    """
    for index, volume in enumerate(template["spec"].get("volumes") or ()):
        path = f"template.spec.volumes[{volume.get('name', index)}]"
        if claim := volume.get("persistentVolumeClaim"):
            name = f"{path}.persistentVolumeClaim.claimName"
            yield Reference("PersistentVolumeClaim", claim["claimName"], name)
        made = ((volume.get("ephemeral") or {}).get("volumeClaimTemplate") or {}).get("spec") or {}
        if storage_class := made.get("storageClassName"):
            name = f"{path}.ephemeral.volumeClaimTemplate.spec.storageClassName"
            yield Reference("StorageClass", storage_class, name)


def of_machine(machine: Raw) -> Iterator[Reference]:
    """The instancetype and the preference that the machine's settings refer to."""
    for field, kind in (
        ("instancetype", "VirtualMachineClusterInstancetype"),
        ("preference", "VirtualMachineClusterPreference"),
    ):
        if reference := machine.get(field):
            yield Reference(reference.get("kind", kind), reference["name"], f"virtualMachine.{field}")


def of_disks(machine: Raw) -> Iterator[Reference]:
    """The objects that the disks of a machine refer to: claims to be taken over, and StorageClasses."""
    disks = [("bootDisk", machine.get("bootDisk")), *_named_disks(machine)]
    for field, disk in disks:
        path = f"virtualMachine.{field}"
        claim = ((disk or {}).get("source") or {}).get("claim")
        if claim:
            yield Reference("PersistentVolumeClaim", claim["name"], f"{path}.source.claim.name")
        if storage_class := (disk or {}).get("storageClassName"):
            yield Reference("StorageClass", storage_class, f"{path}.storageClassName")


def _named_disks(machine: Raw) -> Iterator[tuple[str, Raw]]:
    for index, disk in enumerate(machine.get("disks") or ()):
        yield f"disks[{disk.get('name', index)}]", disk


def of_spec(spec: Raw) -> Iterator[Reference]:
    """All objects that a Workload's spec refers to, whatever the hull's type."""
    machine = spec.get("virtualMachine") or {}
    if template := spec.get("template"):
        yield from of_template(template)
    yield from of_machine(machine)
    yield from of_disks(machine)
