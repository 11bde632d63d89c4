"""The images that the disks of a machine come from, for a machine that boots one of its own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from twinhull.api.base import Raw
from twinhull.api.disks import REGISTRY_SCHEME
from twinhull.core.isolation import overrides

_BUILT = "spec.virtualMachine"
#: The sources that are images, and one that is nothing.
_OF_IMAGES = {"registry", "containerDisk", "blank"}
#: The volumes that overrides may give a machine and that hold no disk from elsewhere
#: (kubevirt.io/api/core/v1, type VolumeSource).
_HARMLESS = {
    *("containerDisk", "cloudInitNoCloud", "cloudInitConfigDrive", "sysprep", "emptyDisk", "configMap"),
    *("secret", "serviceAccount", "downwardAPI", "downwardMetrics"),
}


def named(built: Raw) -> Iterator[tuple[str, str]]:
    """The fields of `spec.virtualMachine` that name an image of a disk, by their paths, and the images. Among
    them is one with the VDDK library: CDI runs that image to import the disk.
    """
    for path, disk in _disks(built):
        source = disk.get("source") or {}
        if "registry" in source:
            yield f"{path}.source.registry.url", str(source["registry"]["url"]).removeprefix(REGISTRY_SCHEME)
        if "containerDisk" in source:
            yield f"{path}.source.containerDisk.image", str(source["containerDisk"]["image"])
        if (source.get("vddk") or {}).get("initImageURL"):
            yield f"{path}.source.vddk.initImageURL", str(source["vddk"]["initImageURL"])
    if built.get("virtioDrivers"):
        yield f"{_BUILT}.virtioDrivers.image", str(built["virtioDrivers"]["image"])


def images(built: Raw) -> tuple[str, ...]:
    """The images alone, with those that overrides name."""
    in_overrides = overrides.images(built.get("overrides") or {})
    return tuple(image for _, image in (*named(built), *in_overrides) if image)


def from_elsewhere(built: Raw, volumes: Iterable[Raw]) -> Iterator[tuple[str, str]]:
    """The fields by which a machine that boots a disk of its own boots one that no image contains: the source
    of a disk that the firmware tries, and the `volumes` of its overrides. Each with why.
    """
    for path, disk in _disks(built):
        is_booted = path.endswith(".bootDisk") or "bootOrder" in disk
        for kind in sorted((disk.get("source") or {}).keys() - _OF_IMAGES) if is_booted else ():
            yield f"{path}.source.{kind}", "the machine boots a disk that no image contains"
    for index, volume in enumerate(volumes if built.get("bootDisk") else ()):
        kinds = volume.keys() - {"name"} - _HARMLESS
        if any(volume[kind] is not None for kind in kinds):
            path = f"{_BUILT}.overrides.volumes[{volume.get('name', index)}]"
            yield path, "the machine may boot a disk that no image contains"


def _disks(built: Raw) -> Iterator[tuple[str, dict[str, Any]]]:
    if built.get("bootDisk"):
        yield f"{_BUILT}.bootDisk", built["bootDisk"]
    for disk in built.get("disks") or ():
        yield f"{_BUILT}.disks[{disk['name']}]", disk
