"""Claims of the template that are disks of its machine. A mark on each claim says whose disk it is.

No Pod can read the content of such a disk, and two machines that mount it destroy it. So the operator marks
the claim before the first machine mounts it, and leaves the mark when the machine is gone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from twinhull.api.base import Raw
from twinhull.api.reasons import Reason
from twinhull.core.actions import Change, Event
from twinhull.core.case import Case
from twinhull.hulls.attachments import DISK_OF_ANNOTATION
from twinhull.hulls.hull import DISK_LABEL, WORKLOAD_LABEL, Hull
from twinhull.hulls.machineclaims import claim_of
from twinhull.hulls.objectmeta import labels, version_of
from twinhull.hulls.types import type_that_made


@dataclass(frozen=True, slots=True)
class MountedClaim:
    """A claim of the template, as it was last seen."""

    #: The name of the template's volume.
    volume: str
    #: The claim's own name.
    name: str
    #: The claim.
    obj: Raw
    #: Whether it is to be a disk of the machine.
    is_disk: bool

    @property
    def holder(self) -> str:
        """The name of the Workload that the claim's mark names, empty if the claim has no mark."""
        return str((self.obj["metadata"].get("annotations") or {}).get(DISK_OF_ANNOTATION) or "")

    @property
    def disk_of(self) -> str:
        """The name of the Workload whose boot disk or data disk the claim is, by its label; empty if none."""
        return labels(self.obj).get(DISK_LABEL, "")

    @property
    def made_for(self) -> str:
        """The name of the Workload for whose ephemeral volume the claim was made, empty if for none."""
        return labels(self.obj).get(WORKLOAD_LABEL, "")

    @property
    def modes(self) -> tuple[str, ...]:
        """Its accessModes."""
        return tuple((self.obj.get("spec") or {}).get("accessModes") or ())


def of_template(case: Case) -> Iterator[MountedClaim]:
    """The claims that the template names and that exist, without those of ephemeral volumes."""
    spec = case.blueprint.spec
    disks = spec.virtual_machine.disk_volumes() if case.hull_type.has_guest else frozenset()
    for volume in spec.template["spec"].get("volumes") or ():
        name = str((volume.get("persistentVolumeClaim") or {}).get("claimName") or "")
        obj = case.observed.referred.get(("PersistentVolumeClaim", name))
        if obj and "metadata" in obj:
            yield MountedClaim(volume["name"], name, obj, volume["name"] in disks)


def user_of(case: Case, claim: MountedClaim) -> Hull | None:
    """A former hull of the Workload that still runs and mounts the claim; None if there is none."""
    return next((hull for hull in case.standing if claim.name in claims_of(hull)), None)


def claims_of(hull: Hull) -> frozenset[str]:
    """The names of the claims that a hull mounts, by themselves or by their DataVolumes. A machine mounts
    those of its VirtualMachineInstance; if that doesn't exist or can't be read, those of its VirtualMachine.
    """
    return frozenset(claim for _, claim in volumes_of(hull))


def volumes_of(hull: Hull) -> Iterator[tuple[str, str]]:
    """The claims of `claims_of`: each with the name of its volume in the hull, which comes first."""
    spec = hull.obj.get("spec") or {}
    is_machine = type_that_made(hull).run_by_kubevirt
    template = (spec.get("template") or {}).get("spec") or {} if is_machine else spec
    volumes = ((hull.instance or {}).get("spec") or template).get("volumes") or ()
    for volume in volumes:
        if claim := claim_of(volume):
            yield volume.get("name", ""), claim


def marks(case: Case) -> Iterator[Change]:
    """Marks the claims that are disks of the machine and have no mark. If two Workloads mark a claim at the
    same time, the API server refuses the second, since each change names the claim's resourceVersion.
    """
    workload = case.workload.metadata.name
    for claim in of_template(case):
        if not claim.is_disk or claim.holder:  # another's is never taken over (rules/claims)
            continue
        sentence = (
            f"PersistentVolumeClaim {claim.name} is a disk of the machine: no Pod can read what is on it"
        )
        yield Change(
            "PersistentVolumeClaim",
            claim.name,
            claim.obj["metadata"]["uid"],
            {"metadata": {"annotations": {DISK_OF_ANNOTATION: workload}}},
            Event("Normal", Reason.CHANGED, sentence),
            version=version_of(claim.obj),
        )
