"""The rules for names: an object has the name or label of one of the Workload's own, and isn't its own."""

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
    """Something that isn't ours has our name or our label, and would answer for us.

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
    """A claim has the name of an ephemeral one and wasn't made for this machine, which must not have its
    data: a kubelet doesn't start a Pod with such a one either (k8s.io/component-helpers/storage/ephemeral,
    VolumeIsForPod).

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
    """Whether it is the instance of this Workload's own machine, which itself isn't seen.

    KubeVirt lets no machine go before its instance, so somebody has taken off the label that it is watched
    by. It is found when it is to be created. Should it be gone after all, the instance's name is taken until
    that is gone, too: two never run.
    """
    runs, own = case.workload.spec.state is not State.STOPPED, (case.hull_kind, case.hull_name)
    made_by = type_that_made(hull)
    of_machine = made_by.run_by_kubevirt and hull.owner is not None and hull.owner.kind == made_by.kind
    return runs and of_machine and (hull.kind, hull.name) == own and not hull.deleting


def _named_alike(case: Case) -> Iterator[tuple[str, str, Hull | Companion]]:
    """All that has our label or our name, by kind and name."""
    for hull in case.observed.hulls:
        yield hull.kind, hull.name, hull
    if case.desired.service and case.observed.service:
        yield "Service", case.workload.metadata.name, case.observed.service
    if case.hull_type.has_guest and case.hull_name in case.observed.manifests:
        yield "ConfigMap", case.hull_name, case.observed.manifests[case.hull_name]
