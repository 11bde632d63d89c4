"""The claims in a machine that lasts: those that the operator gave to its VirtualMachine, and others that
have taken their place since.

KubeVirt itself writes another claim into a VirtualMachine when it restores a snapshot of it, and whoever
moves a disk to other storage does the same (kubevirt.io/kubevirt 1.9.0, pkg/storage/snapshot/restore.go,
generateRestoredVMSpec; updateVolumesStrategy: Migration). What the machine has written since is on that claim
alone, so the operator never puts its own in that place again.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from twinhull.api.base import GROUP, Raw
from twinhull.hulls.hull import REVISION_LABEL, labels

#: On a VirtualMachine: the claims that it was given, by their volumes.
CLAIMS_ANNOTATION = f"{GROUP}/claims"
#: On a VirtualMachine that KubeVirt restored from a snapshot: by which VirtualMachineRestore.
_RESTORED_ANNOTATION = "restore.kubevirt.io/lastRestoreUID"


@dataclass(frozen=True, slots=True)
class Replaced:
    """A volume of a machine that names another claim than the Workload does, by somebody else's hand."""

    #: The name of the volume, which is that of the disk.
    volume: str
    #: The claim that it names.
    claim: str
    #: The claim that the Workload names for it.
    wanted: str


def claim_of(volume: Raw) -> str | None:
    """The claim of a volume, which has the name of its DataVolume; None for one without. Overrides may have
    anything in a volume's place.
    """
    sources = ((volume.get("persistentVolumeClaim"), "claimName"), (volume.get("dataVolume"), "name"))
    names = (source.get(key) for source, key in sources if isinstance(source, dict))
    return next((name for name in names if name and isinstance(name, str)), None)


def by_volume(vm: Raw) -> dict[str, str]:
    """The claims in the template of a VirtualMachine, by their volumes."""
    volumes = ((vm["spec"].get("template") or {}).get("spec") or {}).get("volumes")
    named = [one for one in volumes if isinstance(one, dict)] if isinstance(volumes, list) else []
    return {str(one.get("name")): claim for one in named if (claim := claim_of(one))}


def note(vm: Raw) -> Raw:
    """The annotation that says which claims a VirtualMachine was given. No name has a comma or a = in it."""
    return {CLAIMS_ANNOTATION: ",".join(f"{volume}={claim}" for volume, claim in by_volume(vm).items())}


def with_note(vm: Raw) -> Raw:
    """A VirtualMachine that is to be made, with that note."""
    metadata = vm["metadata"]
    return {**vm, "metadata": {**metadata, "annotations": {**metadata.get("annotations", {}), **note(vm)}}}


def replaced(present: Raw, wanted: Raw) -> Iterator[Replaced]:
    """The volumes of a VirtualMachine whose claim somebody else has put in the place of the operator's.

    `wanted` is the VirtualMachine as the operator would write it.
    """
    names, given = by_volume(present), _given(present)
    for volume, claim in by_volume(wanted).items():
        name = names.get(volume)
        if name is None or name == claim:
            continue
        is_given = _may_be_given(present, wanted, volume) if given is None else name == given.get(volume)
        if not is_given:
            yield Replaced(volume, name, claim)


def _given(vm: Raw) -> dict[str, str] | None:
    """The claims that a VirtualMachine was given, by its note; None if it has none, since an earlier operator
    made it.
    """
    noted = (vm["metadata"].get("annotations") or {}).get(CLAIMS_ANNOTATION)
    if noted is None:
        return None
    pairs = (pair.partition("=") for pair in noted.split(","))
    return {volume: claim for volume, _, claim in pairs}


def _may_be_given(present: Raw, wanted: Raw, volume: str) -> bool:
    """Whether the claim of a volume may be one that the operator gave to a VirtualMachine without the note,
    which then has it by a former spec: nothing says that the machine was restored, or its disks were moved.
    """
    if labels(present).get(REVISION_LABEL) == labels(wanted).get(REVISION_LABEL):
        return False
    noted = present["metadata"].get("annotations") or {}
    is_moved = _RESTORED_ANNOTATION in noted or present["spec"].get("updateVolumesStrategy") == "Migration"
    return not is_moved or by_volume(present)[volume] == f"{wanted['metadata']['name']}-{volume}"
