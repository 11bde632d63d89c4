"""The fields of a machine's overrides that policies look at. Overrides may be any JSON."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from twinhull.api.base import Raw

#: The path of the overrides in a Workload.
PATH = "spec.virtualMachine.overrides"
#: The keys that lead to the image of a machine's kernel in its overrides.
KERNEL_IMAGE = ("domain", "firmware", "kernelBoot", "container", "image")


def images(overrides: Raw) -> Iterator[tuple[str, str]]:
    """The fields by which overrides give a machine a container disk or a kernel: the path of each in the
    Workload, and the image; the image is empty if the field has none.
    """
    for index, volume in enumerate(dicts_of(overrides, "volumes")):
        disk = volume.get("containerDisk")
        if disk is not None:
            path = f"{PATH}.volumes[{volume.get('name', index)}].containerDisk.image"
            yield path, str(disk.get("image") or "") if isinstance(disk, dict) else ""
    kernel = at(overrides, *KERNEL_IMAGE)
    if kernel is not None:
        yield f"{PATH}.{'.'.join(KERNEL_IMAGE)}", str(kernel)


def kernel_image(machine: Raw) -> str:
    """The image in the spec of a machine from which it boots its kernel; empty if there is none."""
    image = at(machine, *KERNEL_IMAGE)
    return image if isinstance(image, str) else ""


def accounts(machine: Raw) -> tuple[str, ...]:
    """The ServiceAccounts in the spec of a machine, or in overrides of the spec: that of the launcher Pod,
    and those that volumes give to the guest.

    Source: kubevirt.io/kubevirt v1.9.0, pkg/virt-controller/services/template.go; KubeVirt before 1.9 knows
    the volume only.
    """
    volumes = dicts_of(machine, "volumes")
    of_volumes = (at(volume, "serviceAccount", "serviceAccountName") for volume in volumes)
    named = (at(machine, "serviceAccountName"), *of_volumes)
    return tuple(dict.fromkeys(name for name in named if name and isinstance(name, str)))


def at(value: Any, *keys: str) -> Any:  # noqa: ANN401
    """The value at a path of nested maps, None if there is no such value."""
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def dicts_of(value: Any, key: str) -> list[Raw]:  # noqa: ANN401
    """The dicts in the list value[key]; none if it isn't a list. Other elements are left out: KubeVirt
    refuses them.
    """
    elements = at(value, key)
    return [one for one in elements if isinstance(one, dict)] if isinstance(elements, list) else []
