"""What a hull needs of the cluster and doesn't find: all of it at once, each with what to do."""

from __future__ import annotations

from collections.abc import Iterator

from twinhull.api.reasons import Reason
from twinhull.api.workload import Lack
from twinhull.core import references
from twinhull.core.case import Case
from twinhull.hulls.types import GOES_ON, Needs, Settings

#: Why a hull isn't made, by the kind of what it refers to and isn't there.
_MISSING = {
    "PersistentVolumeClaim": Reason.CLAIM_MISSING,
    "StorageClass": Reason.STORAGE_CLASS_MISSING,
    "VirtualMachineInstancetype": Reason.INSTANCETYPE_MISSING,
    "VirtualMachineClusterInstancetype": Reason.INSTANCETYPE_MISSING,
    "VirtualMachinePreference": Reason.PREFERENCE_MISSING,
    "VirtualMachineClusterPreference": Reason.PREFERENCE_MISSING,
}
#: What people apply together with a Workload.
APPLIED_WITH = {*_MISSING.values(), Reason.RUNTIME_CLASS_MISSING}
#: What comes by itself.
PASSING = {Reason.KUBEVIRT_DEPLOYING}


def lacks(case: Case) -> tuple[Lack, ...]:
    """Everything that keeps the hull that is to be from being made."""
    floor = case.resolution.floor
    needs = Needs(
        spec=case.spec,
        runtime_class=case.resolution.runtime_class,
        floor=floor.name if floor else "",
        guest_image=case.defaults.guest_image,
        capabilities=case.observed.capabilities,
    )
    return (*case.hull_type.prerequisites(needs), *_referred(case))


def _referred(case: Case) -> Iterator[Lack]:
    """What the Workload refers to and isn't there."""
    spec, kubevirt = case.spec, case.observed.capabilities.kubevirt
    found = [*references.of_template(spec.template)]
    # Without KubeVirt there are no instancetypes to speak of.
    if case.hull_type.settings is Settings.VIRTUAL_MACHINE and kubevirt is not None:
        found += references.of_machine(spec.virtual_machine.raw())
    for reference in found:
        if reference.kind in case.observed.capabilities.hidden:
            continue  # the API server will say whether it is there
        if case.observed.find(reference.kind, reference.name) is None:
            yield Lack(
                reason=_MISSING[reference.kind],
                message=f"spec.{reference.path}: {reference.kind} {reference.name} does not exist: "
                f"create it{GOES_ON}",
            )
