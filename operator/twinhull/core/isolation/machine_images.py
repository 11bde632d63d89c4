"""The rules of policies for images of machines (`spec.machines`): images that a machine boots, and images
that its guest pulls.

Webhooks that check images of Pods see the launcher Pod only. The images of the Workload's own Pod are in a
ConfigMap, and the guest pulls them. A guest image that a policy or the operator's options name is allowed.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain
from typing import Any

from twinhull.api.base import Raw
from twinhull.api.workload import WorkloadSpec
from twinhull.core.isolation import disk_images, overrides
from twinhull.core.isolation.images import allowed, parse, pinned
from twinhull.core.isolation.overrides import KERNEL_IMAGE, at, dicts_of
from twinhull.core.isolation.policy import Policy
from twinhull.hulls.evasion import Evasion, running_beside
from twinhull.hulls.machine import GUEST_DEVICE, disk_of
from twinhull.hulls.manifest import MANIFEST_DEVICE, TRUST_DEVICE
from twinhull.hulls.parity import containers

_BOOTS_NO_IMAGE = "without it the machine boots something that no image contains"
_ALLOWED = "name an image that the policy's guestImages allow"
_PINNED = "write the image as name@digest"
_FROM_IMAGE = "have the disk come from an image (source.registry or source.containerDisk)"
_OTHER_PART = "name another instancetype or preference, or have its owner remove the annotation"
#: What a volume of that name replaces.
_REPLACES = {
    MANIFEST_DEVICE: "it replaces the Workload's own Pod",
    TRUST_DEVICE: "it replaces the operator's check of the Workload's own Pod",
}
#: The serials of the disks that the operator renders.
_DEVICES = (GUEST_DEVICE, *_REPLACES)
#: The fields of an interface by which a machine boots from the network.
_FROM_NETWORK = ("bootOrder", "dhcpOptions")

#: A field of a Workload, by its path, and the image that the field names.
_PathAndImage = tuple[str, str]
#: An instancetype or preference of the Workload's namespace: the field of spec.virtualMachine that names it,
#: its kind, and the object.
MachinePart = tuple[str, str, Raw]


def rejected_images(
    spec: WorkloadSpec, policies: Iterable[Policy], parts: Sequence[MachinePart] = ()
) -> tuple[Evasion, ...]:
    """The objections of policies with `machines` to the spec of a Workload that runs in a machine: images
    that they don't allow; and overrides, annotations and `parts` by which the machine would boot or run
    something that isn't in these images. `spec` is without the settings that policies add.
    """
    return tuple(evasion for policy in policies for evasion in _of_policy(policy, spec, parts))


def _of_policy(policy: Policy, spec: WorkloadSpec, parts: Sequence[MachinePart]) -> Iterator[Evasion]:
    """The objections of one policy."""
    rules, overridden = policy.spec.machines, spec.virtual_machine.overrides or {}
    if rules is None:
        return
    booted = tuple(_booted(spec, overridden))
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
        Evasion(f"{overrides.PATH}.{path}", why)
        for path, why in _beside_images(overridden, boots_disk=boots_disk)
    )
    elsewhere = _from_elsewhere(spec, dicts_of(overridden, "volumes"))
    for evasion in chain(beside, elsewhere, _beside_machine(spec.template, parts)):
        yield replace(evasion, why=f"{evasion.why}, and IsolationPolicy {policy.name} has rules for images")


def _of_pod(pod_spec: Raw) -> Iterator[_PathAndImage]:
    """The images of the template's containers and image volumes, which the guest pulls."""
    for kind, container in containers(pod_spec):
        yield f"spec.template.spec.{kind}[{container['name']}].image", container.get("image") or ""
    for volume in pod_spec.get("volumes") or ():
        if volume.get("image"):
            path = f"spec.template.spec.volumes[{volume['name']}].image.reference"
            yield path, volume["image"].get("reference") or ""


def _booted(spec: WorkloadSpec, overridden: Raw) -> Iterator[_PathAndImage]:
    """The images that the Workload's own spec has the machine boot, or gives the machine as disks."""
    if spec.virtual_machine.boot_disk:
        yield from disk_images.named(spec.virtual_machine.raw())
    elif spec.virtual_machine.guest_image is not None:
        yield "spec.virtualMachine.guestImage", spec.virtual_machine.guest_image
    yield from overrides.images(overridden)


def _beside_images(overridden: Raw, *, boots_disk: bool) -> Iterator[tuple[str, str]]:
    """The overrides by which a machine boots or runs something that is in none of its images: the path of
    each in the overrides, and why.
    """
    for length in range(1, len(KERNEL_IMAGE) + 1):
        parent, key = at(overridden, *KERNEL_IMAGE[: length - 1]), KERNEL_IMAGE[length - 1]
        if isinstance(parent, dict) and key in parent and parent[key] is None:
            yield ".".join(KERNEL_IMAGE[:length]), _BOOTS_NO_IMAGE
    if at(overridden, "domain", "firmware", "kernelBoot", "kernelArgs") is not None:
        yield "domain.firmware.kernelBoot.kernelArgs", "it decides what the kernel starts"
    for volume in dicts_of(overridden, "volumes"):
        if volume.get("name") == GUEST_DEVICE and volume.get("containerDisk") is None:
            yield f"volumes[{GUEST_DEVICE}]", _BOOTS_NO_IMAGE
        if isinstance(name := volume.get("name"), str) and name in _REPLACES:
            yield f"volumes[{name}]", _REPLACES[name]
    if boots_disk:
        yield from _beside_boot_disk(at(overridden, "domain"))
    else:
        yield from _beside_disks(dicts_of(at(overridden, "domain", "devices"), "disks"))


def _beside_boot_disk(domain: Any) -> Iterator[tuple[str, str]]:  # noqa: ANN401
    """The overrides of `domain` by which a machine may boot something else before its boot disk: the path of
    each, and why. A list of disks replaces the rendered list and its boot order; if overrides remove all
    devices, KubeVirt boots the disks in an order of its own.
    """
    devices = at(domain, "devices")
    if isinstance(domain, dict) and "devices" in domain and devices is None:
        yield "domain.devices", "without them the machine may boot another disk"
    if isinstance(devices, dict) and "disks" in devices:
        yield "domain.devices.disks", "the machine may boot another disk"
    for index, interface in enumerate(dicts_of(devices, "interfaces")):
        for field in _FROM_NETWORK:
            if interface.get(field) is not None:
                path = f"domain.devices.interfaces[{interface.get('name', index)}].{field}"
                yield path, "the machine may boot from the network"


def _beside_disks(disks: list[Raw]) -> Iterator[tuple[str, str]]:
    """What is wrong with the overrides' disks, which replace the rendered ones: the path of each, and why.
    The guest looks at virtio disks only. It runs any manifest if there is no disk `trust`, and nothing if
    there is no disk `manifest`.
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
    """The disks that the machine may boot and that come from no image, in the spec and in the `volumes` of
    its overrides.
    """
    for path, why in disk_images.from_elsewhere(spec.virtual_machine.raw(), volumes):
        yield Evasion(path, why) if path.startswith(overrides.PATH) else Evasion(path, why, _FROM_IMAGE)


def _beside_machine(template: Raw, parts: Sequence[MachinePart]) -> Iterator[Evasion]:
    """The annotations, of the template and of `parts`, by which KubeVirt or a webhook runs a program beside
    the machine, or changes its boot.
    """
    for key, why in running_beside(template.get("metadata") or {}):
        yield Evasion(f"spec.template.metadata.annotations[{key}]", why)
    for field, kind, obj in parts:
        for key, why in running_beside(obj["spec"]):
            annotated = f"{kind} {obj['metadata']['name']} has the annotation {key}: {why}"
            yield Evasion(f"spec.virtualMachine.{field}", annotated, _OTHER_PART)
