"""What others have changed of a machine that lasts: what of that stays when the operator writes the machine
anew, and what is lost then.

Volumes that were hot-plugged persistently (virtctl addvolume --persist, virtctl memory-dump) stay, with
their disks: KubeVirt itself writes them into the VirtualMachine, and takes one that is missing there from the
running machine (kubevirt.io/kubevirt, pkg/controller/controller.go, ApplyVolumeRequestOnVMISpec, and
pkg/storage/hotplug). Everything else is what the Workload says.
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
#: What of a VirtualMachine's spec isn't compared: whether it is on, which others may change.
_SWITCH = {"runStrategy", "running"}


@dataclass(frozen=True, slots=True)
class Edits:
    """What differs between a VirtualMachine and what the operator would write, by the paths of fields."""

    #: Fields that the operator sets, and that have another value or are missing.
    other: tuple[str, ...] = ()
    #: Fields that the operator doesn't set.
    added: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.other or self.added)

    def in_words(self, of_other: str, of_added: str) -> str:
        """Both in a sentence's part, each with its verb; empty if nothing differs."""
        parts = ((of_other, self.other), (of_added, self.added))
        return "; ".join(f"{verb} {listed(list(paths), ', ')}" for verb, paths in parts if paths)


def of(present: Raw, target: Raw) -> Edits:
    """How the spec of a VirtualMachine that is there differs from the one that the operator would write,
    which has what stays in it already. What KubeVirt has expanded into the spec (its referencePolicy expand)
    can't be compared.
    """
    if "instancetype" in target and not present.get("instancetype"):
        return Edits()
    own, wanted = ({key: spec[key] for key in spec if key not in _SWITCH} for spec in (present, target))
    # The operator's own labels and annotations say what is to run, which is told elsewhere.
    differences = [
        (path, is_ours) for path, is_ours in _differences(own, wanted, "spec") if f".{GROUP}/" not in path
    ]
    return Edits(
        tuple(path for path, is_ours in differences if is_ours),
        tuple(path for path, is_ours in differences if not is_ours),
    )


def with_plugged(present: Raw, wanted: Raw) -> Raw:
    """The spec of a machine's template as it is wanted, with the volumes that are plugged into the present
    one. One of a name or a claim that the wanted one has as well is that one. The firmware tries none.
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
    """An object of overrides, which may be anything; empty if it is none."""
    return value if isinstance(value, dict) else {}


def _name(element: Raw) -> str:
    """The name of an element, which overrides may have given anything for a name."""
    return str(element.get("name"))


def _is_plugged(volume: Raw) -> bool:
    return any(_dict(volume.get(source)).get("hotpluggable") is True for source in _PLUGGABLE)


def _differences(present: Raw, target: Raw, at: str) -> Iterator[tuple[str, bool]]:
    """The paths that differ, and whether each is the operator's."""
    for key, wanted in target.items():
        path, got = f"{at}.{key}", present.get(key)
        if isinstance(wanted, dict):
            yield from _differences(got if isinstance(got, dict) else {}, wanted, path)
            if not wanted and got is None:
                yield path, True
        elif _is_named(wanted) and isinstance(got, list):
            yield from _of_named(_dicts(got), wanted, path)
        elif not _same(wanted, got):
            yield path, True
    for key, got in present.items():
        if key not in target and not _is_empty(got):
            yield f"{at}.{key}", False


def _of_named(present: list[Raw], target: list[Raw], at: str) -> Iterator[tuple[str, bool]]:
    """The same of a list of what has names, whatever their order."""
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
    """Whether two values are the same to KubeVirt, which writes quantities in its own way, and leaves out
    what is empty.
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
