"""The rules for Workloads that policies refuse. No hull is created, and the running hull is left alone. A new
hull beside it is ended, since otherwise its start would go on.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from operator import attrgetter

from twinhull.api.reasons import Reason
from twinhull.core import disks
from twinhull.core.case import Case
from twinhull.core.isolation import Policy
from twinhull.core.rules.start_first import keep_one_hull
from twinhull.core.steps import Step, how_to_restart, names, stalled, waiting
from twinhull.hulls import diskorigin
from twinhull.hulls.diskstate import DiskState
from twinhull.hulls.evasion import Evasion, started_beside

#: The most evasions that a message names.
_MOST_NAMED = 8


def namespace_unknown(case: Case) -> Step | None:
    """The labels of the Workload's namespace aren't known, and with them the policies that concern it. There
    is no deadline: the operator decides nothing before its first list of namespaces, so this concerns only a
    namespace whose watch event is late.

    Reasons: NamespaceUnknown.
    """
    if not case.observed.policies or case.observed.namespace_is_known:
        return None
    namespace = case.workload.metadata.namespace
    step = waiting(Reason.NAMESPACE_UNKNOWN, f"waiting to see the labels of namespace {namespace}")
    return replace(step, isolated=False)


def rejected_by_policy(case: Case) -> Step | None:
    """A policy rejects the isolation that is asked for, or can't be read.

    Reasons: RejectedByPolicy, PolicyUnreadable.
    """
    if not case.blueprint.resolution.rejected or case.history.exit is not None:
        return None
    step = stalled(case.blueprint.resolution.reason, case.blueprint.resolution.message)
    why = f"IsolationPolicy {case.blueprint.resolution.policy} doesn't let it start"
    return keep_one_hull(case, replace(step, isolated=False), why)


def evades_floor(case: Case) -> Step | None:
    """A policy requires an isolation, and a field of the spec reaches past it.

    Reasons: EvadesFloor.
    """
    floor = case.blueprint.resolution.floor
    if floor is None or case.history.exit is not None:
        return None
    if not case.blueprint.evasions:
        return None
    named = _in_words(case.blueprint.evasions)
    step = stalled(
        Reason.EVADES_FLOOR,
        f"IsolationPolicy {floor.name} requires {floor.requirement}, and these fields reach past that "
        f"isolation: {named}: remove them",
    )
    return keep_one_hull(case, step, f"IsolationPolicy {floor.name} doesn't let it start")


def image_rejected(case: Case) -> Step | None:
    """The hull is a machine, and policies don't allow its images, its disks, or what it was started with.

    Reasons: ImageRejected.
    """
    if not case.hull_type.run_by_kubevirt or case.history.exit is not None:
        return None
    rejected = (*case.blueprint.rejected_images, *_unknown_disks(case))
    if rejected:
        step = stalled(Reason.IMAGE_REJECTED, _with_remedies(rejected))
    elif (started := _started_otherwise(case)) is not None:
        step = started
    else:
        return None
    return keep_one_hull(case, step, "an IsolationPolicy doesn't allow its images")


def _started_otherwise(case: Case) -> Step | None:
    """The step if a program runs beside the machine by an annotation that an instancetype or preference of
    the namespace may have brought; else None. The spec and these objects have been checked, but whoever may
    write such an object could change it between the check and the machine's start, and change it back.
    """
    hull, ruling = case.current, _ruling(case)
    beside = tuple(started_beside(hull)) if hull and ruling else ()
    if not hull or not ruling or not beside:
        return None
    sentence = (
        f"{names([hull])} was started with {_in_words(beside)}, which an instancetype or preference of the "
        f"namespace has brought, and IsolationPolicy {ruling.name} has rules for images"
    )
    return stalled(Reason.IMAGE_REJECTED, f"{sentence}: {how_to_restart(case)}")


def _ruling(case: Case) -> Policy | None:
    """The first policy that has rules for images of machines, None if there is none."""
    return next((policy for policy in case.blueprint.resolution.policies if policy.spec.machines), None)


def _unknown_disks(case: Case) -> Iterator[Evasion]:
    """The disks that the machine may boot and that may hold something else than the image that the Workload
    names: somebody else may have made their claims, and filled them with anything.
    """
    ruling = _ruling(case)
    if ruling is None:
        return
    for disk, state in disks.with_states(case):
        if disk.may_be_booted and (doubt := _doubt(case, state)):
            yield Evasion(
                f"spec.virtualMachine.{disk.field}",
                f"{doubt}, so that nobody knows which image is in it, and IsolationPolicy {ruling.name} has "
                "rules for images",
                "give the disk another name, so that CDI fills a new one",
            )


def _doubt(case: Case, state: DiskState) -> str:
    """Why a disk may hold something else than its source says; empty if there is no sign of that. A missing
    claim is a sign only once the disk is filled, or if its storage waits for the machine: before that, no
    machine is made.
    """
    if state.is_lone:
        return f"PersistentVolumeClaim {state.claim} is there without a DataVolume"
    volume, claim = case.observed.data_volumes.get(state.claim), case.observed.claims.get(state.claim)
    if volume is None or (claim is None and not (state.filled or state.waits_for_consumer)):
        return ""
    return diskorigin.doubt(volume.obj, claim.obj if claim else None)


def _in_words(evasions: Sequence[Evasion]) -> str:
    """The first evasions, and how many more there are: a Workload may have thousands."""
    return "; ".join(f"{one.path} ({one.why})" for one in evasions[:_MOST_NAMED]) + _more(evasions)


def _with_remedies(evasions: Sequence[Evasion]) -> str:
    """The same with a remedy for each evasion. Evasions in a row with the same remedy share it."""
    groups = (
        f"{'; '.join(f'{one.path}: {one.why}' for one in alike)}: {remedy}"
        for remedy, alike in groupby(evasions[:_MOST_NAMED], attrgetter("remedy"))
    )
    return "; ".join(groups) + _more(evasions)


def _more(evasions: Sequence[Evasion]) -> str:
    """How many evasions a message leaves out, such as `; and 3 more`; empty if it names all."""
    return f"; and {len(evasions) - _MOST_NAMED} more" if len(evasions) > _MOST_NAMED else ""
