"""The differences between an existing VirtualMachine that boots a disk and the operator's rendering of it.

When the operator changes the machine, it keeps volumes that were hot-plugged persistently (virtctl addvolume
--persist, virtctl memory-dump), with their disks: KubeVirt itself writes them into the VirtualMachine, and
unplugs from the running machine one that is missing there (kubevirt.io/kubevirt,
pkg/controller/controller.go, ApplyVolumeRequestOnVMISpec, and pkg/storage/hotplug). Everything else is
overwritten with the Workload's spec.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from twinhull.api.base import GROUP, Raw
from twinhull.api.brevity import listed
from twinhull.hulls import quantity
from twinhull.hulls.machineclaims import claim_of

#: The sources of volumes that can be plugged in while a machine runs (kubevirt.io/api/core/v1, VolumeSource).
_PLUGGABLE = ("persistentVolumeClaim", "dataVolume", "memoryDump")
#: The fields of a VirtualMachine's spec by which it is switched on and off. They aren't compared, since
#: others may set them.
_SWITCH = {"runStrategy", "running"}


@dataclass(frozen=True, slots=True)
class Edits:
    """The differences between a VirtualMachine and the operator's rendering of it, as paths of fields."""

    #: The fields that the operator sets, and that are missing or have another value.
    other: tuple[str, ...] = ()
    #: The fields that the operator doesn't set.
    added: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.other or self.added)

    def in_words(self, of_other: str, of_added: str) -> str:
        """Both kinds of fields as a part of a sentence, each after its verb; empty if nothing differs."""
        parts = ((of_other, self.other), (of_added, self.added))
        return "; ".join(f"{verb} {listed(list(paths), ', ')}" for verb, paths in parts if paths)


def of(present: Raw, target: Raw) -> Edits:
    """The differences between the spec of an existing VirtualMachine and the operator's spec for it, which
    already contains what is kept. Without differences if KubeVirt has expanded an instancetype into the spec
    (referencePolicy expand): such a spec can't be compared.
    """
    if "instancetype" in target and not present.get("instancetype"):
        return Edits()
    own, wanted = ({key: spec[key] for key in spec if key not in _SWITCH} for spec in (present, target))
    # The operator's own labels and annotations differ with the revision, which is told elsewhere.
    differences = [
        (path, is_ours) for path, is_ours in _differences(own, wanted, "spec") if f".{GROUP}/" not in path
    ]
    return Edits(
        tuple(path for path, is_ours in differences if is_ours),
        tuple(path for path, is_ours in differences if not is_ours),
    )


def with_plugged(present: Raw, wanted: Raw) -> Raw:
    """The wanted spec of a machine's template with the volumes that were plugged into the present one, except
    those whose name or claim the wanted spec has as well. The plugged disks lose their bootOrder, so that the
    firmware doesn't try to boot them.
    """
    ours = {_name(volume) for volume in _volumes(wanted)}
    claims = {claim_of(volume) for volume in _volumes(wanted)}
    kept = [
        volume
        for volume in _volumes(present)
        if _is_plugged(volume) and _name(volume) not in ours and claim_of(volume) not in claims
    ]
    if not kept:
        return wanted
    names = {_name(volume) for volume in kept}
    disks = [
        {key: value for key, value in disk.items() if key != "bootOrder"}
        for disk in _disks(present)
        if _name(disk) in names
    ]
    domain = _dict(wanted.get("domain"))
    devices = {**_dict(domain.get("devices")), "disks": [*_disks(wanted), *disks]}
    return {
        **wanted,
        "domain": {**domain, "devices": devices},
        "volumes": [*_volumes(wanted), *kept],
    }


def _volumes(spec: Raw) -> list[Raw]:
    return _dicts(spec.get("volumes"))


def _disks(spec: Raw) -> list[Raw]:
    return _dicts(_dict(_dict(spec.get("domain")).get("devices")).get("disks"))


def _dicts(value: object) -> list[Raw]:
    return [element for element in value if isinstance(element, dict)] if isinstance(value, list) else []


def _dict(value: object) -> Raw:
    """The value if it is a dict, otherwise an empty one: overrides may have anything there."""
    return value if isinstance(value, dict) else {}


def _name(element: Raw) -> str:
    """The name of an element as text: overrides may have anything as a name."""
    return str(element.get("name"))


def _is_plugged(volume: Raw) -> bool:
    return any(_dict(volume.get(source)).get("hotpluggable") is True for source in _PLUGGABLE)


def _differences(present: Raw, target: Raw, at: str) -> Iterator[tuple[str, bool]]:
    """The path of each field that differs, and whether the operator sets that field."""
    for key, wanted in target.items():
        path, got = f"{at}.{key}", present.get(key)
        if isinstance(wanted, dict):
            yield from _differences(got if isinstance(got, dict) else {}, wanted, path)
            if not wanted and got is None:
                yield path, True
        elif _is_named(wanted) and isinstance(got, list):
            yield from _named_differences(_dicts(got), wanted, path)
        elif not _same(wanted, got):
            yield path, True
    for key, got in present.items():
        if key not in target and not _is_empty(got):
            yield f"{at}.{key}", False


def _named_differences(present: list[Raw], target: list[Raw], at: str) -> Iterator[tuple[str, bool]]:
    """The differences between two lists whose elements have names, in whatever order they are."""
    elements = {_name(one): one for one in present}
    for wanted in target:
        name = _name(wanted)
        path, got = f"{at}[{name}]", elements.pop(name, None)
        if got is None:
            yield path, True
        elif claim_of(wanted) is None or claim_of(wanted) != claim_of(got):
            yield from _differences(got, wanted, path)
    for name in elements:
        yield f"{at}[{name}]", False


def _is_named(value: object) -> bool:
    return (
        isinstance(value, list)
        and bool(value)
        and all(isinstance(element, dict) and "name" in element for element in value)
    )


def _same(wanted: object, got: object) -> bool:
    """Whether two values are equal for KubeVirt, which writes quantities in a form of its own and omits empty
    values.
    """
    if wanted == got or (_is_empty(wanted) and _is_empty(got)):
        return True
    if isinstance(wanted, str) and isinstance(got, str):
        try:
            return quantity.parse(wanted) == quantity.parse(got)
        except ValueError:
            return False
    if isinstance(wanted, list) and isinstance(got, list) and len(wanted) == len(got):
        return all(_same_element(*pair) for pair in zip(wanted, got, strict=True))
    return False


def _same_element(wanted: object, got: object) -> bool:
    if isinstance(wanted, dict) and isinstance(got, dict):
        return not any(True for _ in _differences(got, wanted, ""))
    return _same(wanted, got)


def _is_empty(value: object) -> bool:
    if isinstance(value, dict):
        return all(_is_empty(below) for below in value.values())
    return not value
