"""The images from which the disks of a machine are made, if the machine boots a disk of its own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from twinhull.api.base import Raw
from twinhull.api.disks import REGISTRY_SCHEME
from twinhull.core.isolation import overrides

_SECTION = "spec.virtualMachine"
#: The sources of a disk that are images, and `blank`, which makes an empty disk.
_IMAGES_OR_BLANK = {"registry", "containerDisk", "blank"}
#: The volumes by which overrides can't give a machine a disk that comes from no image
#: (kubevirt.io/api/core/v1, type VolumeSource).
_NO_FOREIGN_DISK = {
    *("containerDisk", "cloudInitNoCloud", "cloudInitConfigDrive", "sysprep", "emptyDisk", "configMap"),
    *("secret", "serviceAccount", "downwardAPI", "downwardMetrics"),
}


def named(built: Raw) -> Iterator[tuple[str, str]]:
    """The fields of spec.virtualMachine that name an image of a disk: the path of each, and the image. One of
    the images may have the VDDK library: CDI runs that image to import the disk.
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
        yield f"{_SECTION}.virtioDrivers.image", str(built["virtioDrivers"]["image"])


def images(built: Raw) -> tuple[str, ...]:
    """The images of the disks in spec.virtualMachine, and those in its overrides."""
    in_overrides = overrides.images(built.get("overrides") or {})
    return tuple(image for _, image in (*named(built), *in_overrides) if image)


def from_elsewhere(built: Raw, volumes: Iterable[Raw]) -> Iterator[tuple[str, str]]:
    """The fields by which a machine with a bootDisk may boot a disk that comes from no image: the path of
    each, and why. They are the source of a disk that the firmware tries to boot, and `volumes` of the
    overrides.
    """
    for path, disk in _disks(built):
        is_booted = path.endswith(".bootDisk") or "bootOrder" in disk
        for kind in sorted((disk.get("source") or {}).keys() - _IMAGES_OR_BLANK) if is_booted else ():
            yield f"{path}.source.{kind}", "the machine boots a disk that no image contains"
    for index, volume in enumerate(volumes if built.get("bootDisk") else ()):
        kinds = volume.keys() - {"name"} - _NO_FOREIGN_DISK
        if any(volume[kind] is not None for kind in kinds):
            path = f"{overrides.PATH}.volumes[{volume.get('name', index)}]"
            yield path, "the machine may boot a disk that no image contains"


def _disks(built: Raw) -> Iterator[tuple[str, dict[str, Any]]]:
    if built.get("bootDisk"):
        yield f"{_SECTION}.bootDisk", built["bootDisk"]
    for disk in built.get("disks") or ():
        yield f"{_SECTION}.disks[{disk['name']}]", disk
