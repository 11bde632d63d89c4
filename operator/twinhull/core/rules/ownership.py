"""The rules for names: a foreign object has the name or the label of an object of the Workload."""

from __future__ import annotations

from collections.abc import Iterator

from twinhull.api.reasons import Reason
from twinhull.api.workload import State
from twinhull.core.case import Case
from twinhull.core.observed import Companion
from twinhull.core.ownership import obstacle
from twinhull.core.steps import Step, stalled, waiting_for_object
from twinhull.hulls.ephemeral import claim_name
from twinhull.hulls.hull import Hull
from twinhull.hulls.parity import claim_templates
from twinhull.hulls.types import type_that_made


def name_conflict(case: Case) -> Step | None:
    """A foreign object has the Workload's label, or the name of its hull, Service or ConfigMap.

    Reasons: NameConflict, Waiting, TerminationDeadlineExceeded.
    """
    for kind, name, obj in _named_alike(case):
        if isinstance(obj, Hull) and _is_of_own_machine(case, obj):
            continue
        what = f"{kind} {name}"
        in_the_way = obstacle(what, case.workload.metadata.uid, obj.owner, deleting=obj.deleting)
        if in_the_way is None:
            continue
        if in_the_way.goes:
            return waiting_for_object(case, Reason.WAITING, in_the_way.message, what, obj)
        return stalled(Reason.NAME_CONFLICT, in_the_way.message)
    return None


def claim_name_conflict(case: Case) -> Step | None:
    """A claim has the name of an ephemeral claim of the machine, and wasn't made for this machine. The
    machine must not get its data. A kubelet doesn't start a Pod with such a claim either
    (k8s.io/component-helpers/storage/ephemeral, VolumeIsForPod).

    Reasons: NameConflict, Waiting, TerminationDeadlineExceeded.
    """
    if (
        not case.hull_type.has_guest
        or case.history.exit is not None
        or (case.current and case.current.leaving)
    ):
        return None
    machine = case.current.uid if case.current else ""
    for volume in claim_templates(case.workload.spec.template["spec"]):
        name = claim_name(case.hull_name, volume)
        claim, what = case.observed.claims.get(name), f"PersistentVolumeClaim {name}"
        in_the_way = obstacle(what, machine, claim.owner, deleting=claim.deleting) if claim else None
        if claim is None or in_the_way is None:
            continue
        if in_the_way.goes:
            return waiting_for_object(case, Reason.WAITING, in_the_way.message, what, claim)
        return stalled(
            Reason.NAME_CONFLICT,
            f"spec.template.spec.volumes[{volume}].ephemeral: {what} exists and wasn't made for "
            f"{case.hull_kind} {case.hull_name}: delete it, or give the volume another name",
        )
    return None


def _is_of_own_machine(case: Case, hull: Hull) -> bool:
    """Whether a hull is a VirtualMachineInstance whose VirtualMachine has the name of this Workload's
    machine, but isn't seen.

    KubeVirt removes a VirtualMachine only after its instance, so somebody has removed the label that the
    watches select. The operator then finds the VirtualMachine when it tries to create it. If it is gone after
    all, a new one can't run before the old instance is gone, since both instances have the same name.
    """
    runs, own = case.workload.spec.state is not State.STOPPED, (case.hull_kind, case.hull_name)
    made_by = type_that_made(hull)
    of_machine = made_by.run_by_kubevirt and hull.owner is not None and hull.owner.kind == made_by.kind
    return runs and of_machine and (hull.kind, hull.name) == own and not hull.deleting


def _named_alike(case: Case) -> Iterator[tuple[str, str, Hull | Companion]]:
    """The objects with the Workload's label, and those with the name of its Service or ConfigMap: the kind
    and name of each, and the object.
    """
    for hull in case.observed.hulls:
        yield hull.kind, hull.name, hull
    if case.desired.service and case.observed.service:
        yield "Service", case.workload.metadata.name, case.observed.service
    if case.hull_type.has_guest and case.hull_name in case.observed.manifests:
        yield "ConfigMap", case.hull_name, case.observed.manifests[case.hull_name]
