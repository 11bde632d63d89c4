"""What policies say of a machine's images (`spec.machines`): those that it boots, and those of its Pod.

A webhook that looks at Pods sees the launcher Pod. The images of the Workload's own Pod are in a ConfigMap,
and the guest pulls them. Guest images that administrators name, in policies or for the operator, are allowed.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain
from typing import Any

from twinhull.api.base import Raw
from twinhull.api.workload import WorkloadSpec
from twinhull.core.isolation import disk_images
from twinhull.core.isolation.images import allowed, parse, pinned
from twinhull.core.isolation.overrides import at, images, listed
from twinhull.core.isolation.policy import Policy
from twinhull.hulls.evasion import Evasion, running_beside
from twinhull.hulls.machine import GUEST_DEVICE, disk_of
from twinhull.hulls.manifest import MANIFEST_DEVICE, TRUST_DEVICE
from twinhull.hulls.parity import containers

_OVERRIDES = "spec.virtualMachine.overrides"
_KERNEL = ("domain", "firmware", "kernelBoot", "container", "image")
_BOOTS_ELSE = "without it the machine boots something that no image contains"
_ALLOWED = "name an image that the policy's guestImages allow"
_PINNED = "write the image as name@digest"
_FROM_IMAGE = "have the disk come from an image (source.registry or source.containerDisk)"
_OTHER_REFERENCE = "name another one, or have its owner remove the annotation"
#: What a volume, or a disk's serial, of that name takes the place of.
_TAKES = {
    MANIFEST_DEVICE: "it replaces the Workload's own Pod",
    TRUST_DEVICE: "it replaces the operator's check of the Workload's own Pod",
}
_DEVICES = (GUEST_DEVICE, *_TAKES)
#: The fields of an interface by which a machine boots from the network.
_FROM_NETWORK = ("bootOrder", "dhcpOptions")

#: An image, and the field that names it, from the Workload's root on.
_Named = tuple[str, str]
#: An instancetype or preference of the Workload's namespace: the field of spec.virtualMachine that names it,
#: its kind, and the object.
Reference = tuple[str, str, Raw]


def rejected_images(
    spec: WorkloadSpec, policies: Iterable[Policy], references: Sequence[Reference] = ()
) -> tuple[Evasion, ...]:
    """What policies have against the images of a machine of this spec, the Workload's own, and against what
    has the machine boot or run something beside them, in its overrides, annotations and `references`.
    """
    return tuple(evasion for policy in policies for evasion in _by(policy, spec, references))


def _by(policy: Policy, spec: WorkloadSpec, references: Sequence[Reference]) -> Iterator[Evasion]:
    rules, overrides = policy.spec.machines, spec.virtual_machine.overrides or {}
    if rules is None:
        return
    booted = tuple(_booted(spec, overrides))
    if rules.guest_images is not None:
        for path, image in booted:
            if not allowed(rules.guest_images, parse(image)):
                why = f"{image} matches none of the guestImages of IsolationPolicy {policy.name}"
                yield Evasion(path, why, _ALLOWED)
    if rules.images_must_be_pinned:
        pulled = () if spec.virtual_machine.boot_disk else _of_pod(spec.template["spec"])
        for path, image in (*pulled, *booted):
            if not pinned(image):
                why = (
                    f"IsolationPolicy {policy.name} requires an image as name@digest, and this is "
                    f"{image or 'empty'}"
                )
                yield Evasion(path, why, _PINNED)
    boots_disk = spec.virtual_machine.boot_disk is not None
    beside = (
        Evasion(f"{_OVERRIDES}.{path}", why) for path, why in _beside_images(overrides, boots_disk=boots_disk)
    )
    elsewhere = _from_elsewhere(spec, listed(overrides, "volumes"))
    for evasion in chain(beside, elsewhere, _beside_machine(spec.template, references)):
        yield replace(evasion, why=f"{evasion.why}, and IsolationPolicy {policy.name} has rules for images")


def _of_pod(pod_spec: Raw) -> Iterator[_Named]:
    """The images that the guest pulls."""
    for kind, container in containers(pod_spec):
        yield f"spec.template.spec.{kind}[{container['name']}].image", container.get("image") or ""
    for volume in pod_spec.get("volumes") or ():
        if volume.get("image"):
            path = f"spec.template.spec.volumes[{volume['name']}].image.reference"
            yield path, volume["image"].get("reference") or ""


def _booted(spec: WorkloadSpec, overrides: Raw) -> Iterator[_Named]:
    """The images that the Workload itself has the machine boot, or gives it as disks."""
    if spec.virtual_machine.boot_disk:
        yield from disk_images.named(spec.virtual_machine.raw())
    elif spec.virtual_machine.guest_image is not None:
        yield "spec.virtualMachine.guestImage", spec.virtual_machine.guest_image
    yield from images(overrides)


def _beside_images(overrides: Raw, *, boots_disk: bool) -> Iterator[tuple[str, str]]:
    """What overrides make of the machine so that it boots or runs something that no image of its names."""
    for length in range(1, len(_KERNEL) + 1):
        below = at(overrides, *_KERNEL[: length - 1])
        if isinstance(below, dict) and _KERNEL[length - 1] in below and below[_KERNEL[length - 1]] is None:
            yield ".".join(_KERNEL[:length]), _BOOTS_ELSE
    if at(overrides, "domain", "firmware", "kernelBoot", "kernelArgs") is not None:
        yield "domain.firmware.kernelBoot.kernelArgs", "it decides what the kernel starts"
    for volume in listed(overrides, "volumes"):
        if volume.get("name") == GUEST_DEVICE and volume.get("containerDisk") is None:
            yield f"volumes[{GUEST_DEVICE}]", _BOOTS_ELSE
        if isinstance(name := volume.get("name"), str) and name in _TAKES:
            yield f"volumes[{name}]", _TAKES[name]
    if boots_disk:
        yield from _beside_boot_disk(at(overrides, "domain"))
    else:
        yield from _beside_disks(listed(at(overrides, "domain", "devices"), "disks"))


def _beside_boot_disk(domain: Any) -> Iterator[tuple[str, str]]:  # noqa: ANN401
    """What of overrides of `domain` may have a machine boot anything before its boot disk. A list of disks
    takes the place of the rendered one, with its order; without one KubeVirt has an order of its own.
    """
    devices = at(domain, "devices")
    if isinstance(domain, dict) and "devices" in domain and devices is None:
        yield "domain.devices", "without them the machine may boot another disk"
    if isinstance(devices, dict) and "disks" in devices:
        yield "domain.devices.disks", "the machine may boot another disk"
    for index, interface in enumerate(listed(devices, "interfaces")):
        for field in _FROM_NETWORK:
            if interface.get(field) is not None:
                path = f"domain.devices.interfaces[{interface.get('name', index)}].{field}"
                yield path, "the machine may boot from the network"


def _beside_disks(disks: list[Raw]) -> Iterator[tuple[str, str]]:
    """What is wrong with disks that take the place of the rendered ones. A guest looks at virtio disks only.
    One that finds no disk `trust` runs any manifest; one that finds no disk `manifest` runs nothing.
    """
    serials = [str(disk.get("serial") or "").strip() for disk in disks]
    for index, (disk, serial) in enumerate(zip(disks, serials, strict=True)):
        if serial in _DEVICES and disk.get("name") != serial:
            path = f"domain.devices.disks[{disk.get('name', index)}].serial"
            yield path, f"it replaces the disk {serial}"
    trust = disk_of(TRUST_DEVICE)
    if MANIFEST_DEVICE in serials and trust not in disks:
        yield "domain.devices.disks", f"without the disk {json.dumps(trust)} the guest runs any manifest"


def _from_elsewhere(spec: WorkloadSpec, volumes: list[Raw]) -> Iterator[Evasion]:
    """The disks that the machine may boot and that come from no image: of the spec, and of the overrides."""
    for path, why in disk_images.from_elsewhere(spec.virtual_machine.raw(), volumes):
        yield Evasion(path, why) if path.startswith(_OVERRIDES) else Evasion(path, why, _FROM_IMAGE)


def _beside_machine(template: Raw, references: Sequence[Reference]) -> Iterator[Evasion]:
    """Annotations by which KubeVirt or a webhook runs a program beside the machine, or changes its boot."""
    for key, why in running_beside(template.get("metadata") or {}):
        yield Evasion(f"spec.template.metadata.annotations[{key}]", why)
    for field, kind, obj in references:
        for key, why in running_beside(obj["spec"]):
            annotated = f"{kind} {obj['metadata']['name']} has the annotation {key}: {why}"
            yield Evasion(f"spec.virtualMachine.{field}", annotated, _OTHER_REFERENCE)
