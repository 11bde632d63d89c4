"""The claims of a machine that boots a disk: those that the operator gave to its VirtualMachine, and those
that others have put in their place since.

KubeVirt writes another claim into a VirtualMachine when it restores a snapshot, and so does whoever moves a
disk to other storage (kubevirt.io/kubevirt 1.9.0, pkg/storage/snapshot/restore.go, generateRestoredVMSpec;
updateVolumesStrategy: Migration). Only that claim has what the machine has written since, so the operator
never replaces it by its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from twinhull.api.base import GROUP, Raw
from twinhull.hulls.hull import REVISION_LABEL
from twinhull.hulls.objectmeta import labels

#: On a VirtualMachine: the claims that the operator gave to it, by their volumes.
CLAIMS_ANNOTATION = f"{GROUP}/claims"
#: On a VirtualMachine that KubeVirt restored from a snapshot: the uid of the VirtualMachineRestore.
_RESTORED_ANNOTATION = "restore.kubevirt.io/lastRestoreUID"


@dataclass(frozen=True, slots=True)
class Replaced:
    """A volume of a machine in which somebody else has put another claim than the Workload names."""

    #: The name of the volume, which is the name of the disk.
    volume: str
    #: The claim that the VirtualMachine names.
    claim: str
    #: The claim that the Workload names.
    wanted: str


def claim_of(volume: Raw) -> str | None:
    """The name of a volume's claim, which is also the name of its DataVolume; None if the volume has no
    claim, or overrides have something else in its place.
    """
    sources = ((volume.get("persistentVolumeClaim"), "claimName"), (volume.get("dataVolume"), "name"))
    names = (source.get(key) for source, key in sources if isinstance(source, dict))
    return next((name for name in names if name and isinstance(name, str)), None)


def by_volume(vm: Raw) -> dict[str, str]:
    """The claims in the template of a VirtualMachine, by the names of their volumes."""
    volumes = ((vm["spec"].get("template") or {}).get("spec") or {}).get("volumes")
    named = [one for one in volumes if isinstance(one, dict)] if isinstance(volumes, list) else []
    return {str(one.get("name")): claim for one in named if (claim := claim_of(one))}


def note(vm: Raw) -> Raw:
    """The annotation with the claims that a VirtualMachine is given. Kubernetes allows no comma and no = in
    names.
    """
    return {CLAIMS_ANNOTATION: ",".join(f"{volume}={claim}" for volume, claim in by_volume(vm).items())}


def with_note(vm: Raw) -> Raw:
    """A VirtualMachine that is about to be created, with the annotation of its claims."""
    metadata = vm["metadata"]
    return {**vm, "metadata": {**metadata, "annotations": {**metadata.get("annotations", {}), **note(vm)}}}


def replaced(present: Raw, wanted: Raw) -> Iterator[Replaced]:
    """The volumes of a VirtualMachine in which somebody else has replaced the operator's claim.

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
    """The claims that the operator gave to a VirtualMachine, by their volumes; None if an earlier operator
    made the VirtualMachine, without the annotation.
    """
    noted = (vm["metadata"].get("annotations") or {}).get(CLAIMS_ANNOTATION)
    if noted is None:
        return None
    pairs = (pair.partition("=") for pair in noted.split(","))
    return {volume: claim for volume, _, claim in pairs}


def _may_be_given(present: Raw, wanted: Raw, volume: str) -> bool:
    """Whether an operator may have given the present claim of a volume to a VirtualMachine without the
    annotation: the VirtualMachine is of another revision, and nothing says that it was restored or its disks
    were moved.
    """
    if labels(present).get(REVISION_LABEL) == labels(wanted).get(REVISION_LABEL):
        return False
    noted = present["metadata"].get("annotations") or {}
    is_moved = _RESTORED_ANNOTATION in noted or present["spec"].get("updateVolumesStrategy") == "Migration"
    return not is_moved or by_volume(present)[volume] == f"{wanted['metadata']['name']}-{volume}"
