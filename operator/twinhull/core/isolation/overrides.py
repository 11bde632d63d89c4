"""What policies look at in the overrides of a machine, which are whatever JSON people write."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from twinhull.api.base import Raw

_OVERRIDES = "spec.virtualMachine.overrides"
_KERNEL = ("domain", "firmware", "kernelBoot", "container", "image")


def images(overrides: Raw) -> Iterator[tuple[str, str]]:
    """The fields that give a machine a container disk or its kernel, by their paths from the Workload's root
    on, and the images; an empty one if the field names none.
    """
    for index, volume in enumerate(listed(overrides, "volumes")):
        disk = volume.get("containerDisk")
        if disk is not None:
            path = f"{_OVERRIDES}.volumes[{volume.get('name', index)}].containerDisk.image"
            yield path, str(disk.get("image") or "") if isinstance(disk, dict) else ""
    kernel = at(overrides, *_KERNEL)
    if kernel is not None:
        yield f"{_OVERRIDES}.{'.'.join(_KERNEL)}", str(kernel)


def kernel_image(machine: Raw) -> str:
    """The image that a machine, by its spec, boots its kernel from; empty if it boots none of an image."""
    image = at(machine, *_KERNEL)
    return image if isinstance(image, str) else ""


def accounts(machine: Raw) -> tuple[str, ...]:
    """The ServiceAccounts that the spec of a machine, or overrides of it, give to its launcher Pod or, by a
    volume, to its guest.

    Source: kubevirt.io/kubevirt v1.9.0, pkg/virt-controller/services/template.go; KubeVirt before 1.9 knows
    the volume only.
    """
    volumes = listed(machine, "volumes")
    of_volumes = (at(volume, "serviceAccount", "serviceAccountName") for volume in volumes)
    named = (at(machine, "serviceAccountName"), *of_volumes)
    return tuple(dict.fromkeys(name for name in named if name and isinstance(name, str)))


def at(value: Any, *keys: str) -> Any:  # noqa: ANN401
    """What lies in maps within maps, None if nothing does."""
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def listed(value: Any, key: str) -> list[Raw]:  # noqa: ANN401
    """The objects of a list; what is none there, KubeVirt refuses."""
    elements = at(value, key)
    return [one for one in elements if isinstance(one, dict)] if isinstance(elements, list) else []
