"""Prerequisites: what a hull needs of the cluster. All missing ones are told together, each with a remedy.

The class of a hull type knows what all hulls of the type need, such as KubeVirt (hulls/types). This module
looks for the objects that the spec names.
"""

from __future__ import annotations

from collections.abc import Iterator

from twinhull.api.reasons import Reason
from twinhull.api.workloadstatus import Lack
from twinhull.core import disks, references
from twinhull.core.case import Case
from twinhull.hulls.datavolume import has_data_volume
from twinhull.hulls.types import GOES_ON, Needs, SpecSection

#: The reason if an object that the spec names doesn't exist, by the object's kind.
_MISSING = {
    "PersistentVolumeClaim": Reason.CLAIM_MISSING,
    "StorageClass": Reason.STORAGE_CLASS_MISSING,
    "VirtualMachineInstancetype": Reason.INSTANCETYPE_MISSING,
    "VirtualMachineClusterInstancetype": Reason.INSTANCETYPE_MISSING,
    "VirtualMachinePreference": Reason.PREFERENCE_MISSING,
    "VirtualMachineClusterPreference": Reason.PREFERENCE_MISSING,
}
#: The reasons for missing objects that people may apply together with a Workload.
APPLIED_WITH = {*_MISSING.values(), Reason.RUNTIME_CLASS_MISSING}
#: The reasons for components that are being deployed: nobody has to do anything.
COME_BY_THEMSELVES = {Reason.KUBEVIRT_DEPLOYING, Reason.CDI_DEPLOYING}


def missing_prerequisites(case: Case) -> tuple[Lack, ...]:
    """Everything that the cluster lacks for the hull."""
    resolution = case.blueprint.resolution
    needs = Needs(
        spec=case.blueprint.spec,
        runtime_class=resolution.runtime_class,
        floor=resolution.floor.name if resolution.floor else "",
        guest_image=case.defaults.guest_image,
        capabilities=case.observed.capabilities,
        has_disk_to_fill=case.hull_type.lasts and _has_disk_to_fill(case),
    )
    return (*case.hull_type.prerequisites(needs), *_referred(case))


def _has_disk_to_fill(case: Case) -> bool:
    """Whether CDI still has to create or fill a disk. For a filled disk KubeVirt doesn't need CDI."""
    return any(has_data_volume(disk) and not state.filled for disk, state in disks.with_states(case))


def _of_disks(case: Case) -> Iterator[references.Reference]:
    """The objects that the disks refer to, without StorageClasses of filled disks: their volumes exist."""
    filled = {
        f"virtualMachine.{disk.field}.storageClassName"
        for disk, state in disks.with_states(case)
        if state.filled
    }
    named = references.of_disks(case.blueprint.spec.virtual_machine.raw())
    yield from (reference for reference in named if reference.path not in filled)


def _referred(case: Case) -> Iterator[Lack]:
    """A Lack for each object that the Workload refers to and that doesn't exist."""
    spec, kubevirt = case.blueprint.spec, case.observed.capabilities.kubevirt
    named = [*references.of_template(spec.template)] if case.hull_type.runs_template else []
    if case.hull_type.lasts:
        named += _of_disks(case)
    # Without KubeVirt there are no instancetypes to speak of.
    if case.hull_type.spec_section is SpecSection.VIRTUAL_MACHINE and kubevirt is not None:
        named += references.of_machine(spec.virtual_machine.raw())
    for reference in named:
        if reference.kind in case.observed.capabilities.hidden:
            continue  # the API server will say whether it is there
        if reference.target not in case.observed.referred:
            yield Lack(
                reason=_MISSING[reference.kind],
                message=f"spec.{reference.path}: {reference.kind} {reference.name} does not exist: "
                f"create it{GOES_ON}",
            )
