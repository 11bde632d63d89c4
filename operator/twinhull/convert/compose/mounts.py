"""`volumes` of a service."""

from __future__ import annotations

from twinhull.convert.compose import typed
from twinhull.convert.conversion import CannotConvert
from twinhull.convert.docker.amounts import whole_bytes
from twinhull.convert.docker.mounts import Mount, kind_of, mount, short
from twinhull.convert.docker.settings import InputValue


def mounts(said: InputValue) -> Mount:
    """A mount in the short or the long form. Raises CannotConvert for what is none, and Refused for one that
    Kubernetes has nothing like.
    """
    if not isinstance(said.value, dict):
        return short(InputValue(said.path, typed.text(said)))
    keys = typed.mapping(said)
    if "type" not in keys or "target" not in keys:
        raise CannotConvert(f"{said.path} has no type or no target: add it")
    parts = {name: typed.mapping(keys[name]) for name in ("bind", "volume", "tmpfs", "image") if name in keys}
    subpath = parts.get("volume", {}).get("subpath") or parts.get("image", {}).get("subpath")
    size, propagation = parts.get("tmpfs", {}).get("size"), parts.get("bind", {}).get("propagation")
    return mount(
        said,
        kind_of(said, typed.text(keys["type"])),
        typed.text(keys["target"]),
        source=typed.text(keys["source"]) if keys.get("source") and keys["source"].value is not None else "",
        read_only="read_only" in keys and typed.truth(keys["read_only"]),
        subpath=typed.text(subpath) if subpath else "",
        size=whole_bytes(InputValue(size.path, typed.text(size))) if size else None,
        propagation=typed.text(propagation) if propagation else "",
    )
