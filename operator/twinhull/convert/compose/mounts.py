"""`volumes` of a service."""

from __future__ import annotations

from twinhull.convert.compose import typed
from twinhull.convert.conversion import CannotConvert
from twinhull.convert.docker.amounts import whole_bytes
from twinhull.convert.docker.givenoptions import InputValue
from twinhull.convert.docker.mounts import Mount, kind_of, mount, short


def mounts(volume: InputValue) -> Mount:
    """A mount in the short or the long form. Raises CannotConvert for an invalid one, and Refused for one
    without a counterpart in Kubernetes.
    """
    if not isinstance(volume.value, dict):
        return short(InputValue(volume.path, typed.text(volume)))
    keys = typed.mapping(volume)
    if "type" not in keys or "target" not in keys:
        raise CannotConvert(f"{volume.path} has no type or no target: add it")
    parts = {name: typed.mapping(keys[name]) for name in ("bind", "volume", "tmpfs", "image") if name in keys}
    subpath = parts.get("volume", {}).get("subpath") or parts.get("image", {}).get("subpath")
    size, propagation = parts.get("tmpfs", {}).get("size"), parts.get("bind", {}).get("propagation")
    return mount(
        volume,
        kind_of(volume, typed.text(keys["type"])),
        typed.text(keys["target"]),
        source=typed.text(keys["source"]) if keys.get("source") and keys["source"].value is not None else "",
        read_only="read_only" in keys and typed.truth(keys["read_only"]),
        subpath=typed.text(subpath) if subpath else "",
        size=whole_bytes(InputValue(size.path, typed.text(size))) if size else None,
        propagation=typed.text(propagation) if propagation else "",
    )
