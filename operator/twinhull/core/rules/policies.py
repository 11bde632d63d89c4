"""The rules for what policies forbid. In each situation nothing is created, and what runs is left alone; a
hull that was to take its place is not, since it would go on being started.
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
from twinhull.core.isolation.machine_images import rejected_images
from twinhull.core.rules.start_first import left_to_one
from twinhull.core.steps import Step, how_to_restart, names, stalled, waiting
from twinhull.hulls import diskorigin
from twinhull.hulls.diskstate import DiskState
from twinhull.hulls.evasion import Evasion, started_beside

#: How many of the things that are wrong a message names.
_MOST_NAMED = 8


def namespace_unknown(case: Case) -> Step | None:
    """Which policies concern it can't be told before its namespace's labels are known. There is no deadline:
    they come with the first list of namespaces, before which nothing is decided at all.

    Reasons: NamespaceUnknown.
    """
    if not case.observed.policies or case.observed.namespace_is_known:
        return None
    namespace = case.workload.metadata.namespace
    step = waiting(Reason.NAMESPACE_UNKNOWN, f"waiting to see the labels of namespace {namespace}")
    return replace(step, isolated=False)


def rejected_by_policy(case: Case) -> Step | None:
    """A policy lets no hull be made that is as weak as what was asked for, or can't be read.

    Reasons: RejectedByPolicy, PolicyUnreadable.
    """
    if not case.blueprint.resolution.rejected or case.history.exit is not None:
        return None
    step = stalled(case.blueprint.resolution.reason, case.blueprint.resolution.message)
    why = f"IsolationPolicy {case.blueprint.resolution.policy} doesn't let it start"
    return left_to_one(case, replace(step, isolated=False), why)


def evades_floor(case: Case) -> Step | None:
    """A policy requires an isolation, and the spec reaches past it.

    Reasons: EvadesFloor.
    """
    floor = case.blueprint.resolution.floor
    if floor is None or case.history.exit is not None:
        return None
    if not case.blueprint.evasions:
        return None
    named = _listed(case.blueprint.evasions, "{0.path} ({0.why})")
    step = stalled(
        Reason.EVADES_FLOOR,
        f"IsolationPolicy {floor.name} requires {floor.requirement}, and these fields reach past that "
        f"isolation: {named}: remove them",
    )
    return left_to_one(case, step, f"IsolationPolicy {floor.name} doesn't let it start")


def image_rejected(case: Case) -> Step | None:
    """It is to be a machine, and policies don't allow its images.

    Reasons: ImageRejected.
    """
    if not case.hull_type.run_by_kubevirt or case.history.exit is not None:
        return None
    rejected = rejected_images(
        case.workload.spec, case.blueprint.resolution.policies, case.blueprint.machine_references
    )
    rejected = (*rejected, *_unknown_disks(case))
    if rejected:
        step = stalled(Reason.IMAGE_REJECTED, _with_remedies(rejected))
    elif (started := _started_otherwise(case)) is not None:
        step = started
    else:
        return None
    return left_to_one(case, step, "an IsolationPolicy doesn't allow its images")


def _started_otherwise(case: Case) -> Step | None:
    """The machine was started with more than the spec and what it refers to have by now. Who may write
    instancetypes or preferences could change one between the check and the start, and change it back.
    """
    hull, ruling = case.current, _ruling(case)
    beside = tuple(started_beside(hull)) if hull and ruling else ()
    if not hull or not ruling or not beside:
        return None
    sentence = (
        f"{names([hull])} was started with {_listed(beside, '{0.path} ({0.why})')}, which an instancetype or "
        f"preference of the namespace has brought, and IsolationPolicy {ruling.name} has rules for images"
    )
    return stalled(Reason.IMAGE_REJECTED, f"{sentence}: {how_to_restart(case)}")


def _ruling(case: Case) -> Policy | None:
    """The first policy with rules for images."""
    return next((policy for policy in case.blueprint.resolution.policies if policy.spec.machines), None)


def _unknown_disks(case: Case) -> Iterator[Evasion]:
    """The disks that the machine may boot and that CDI need not have filled from the image that the Workload
    names. Anybody may have made such a claim, and filled it with anything.
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
    """Why a disk may hold something else than its source says; empty if nothing speaks for that. A machine is
    made for a disk that is filled, or whose storage waits for the machine: before, it needn't have a claim.
    """
    if state.is_lone:
        return f"PersistentVolumeClaim {state.claim} is there without a DataVolume"
    volume, claim = case.observed.data_volumes.get(state.claim), case.observed.claims.get(state.claim)
    if volume is None or (claim is None and not (state.filled or state.waits_for_consumer)):
        return ""
    return diskorigin.doubt(volume.obj, claim.obj if claim else None)


def _listed(evasions: Sequence[Evasion], form: str) -> str:
    """Some of them, and how many more there are: a Workload may have thousands."""
    return "; ".join(form.format(one) for one in evasions[:_MOST_NAMED]) + _more(evasions)


def _with_remedies(evasions: Sequence[Evasion]) -> str:
    """The same, with what to do about each. Neighbours with the same remedy share it."""
    groups = (
        f"{'; '.join(f'{one.path}: {one.why}' for one in alike)}: {remedy}"
        for remedy, alike in groupby(evasions[:_MOST_NAMED], attrgetter("remedy"))
    )
    return "; ".join(groups) + _more(evasions)


def _more(evasions: Sequence[Evasion]) -> str:
    """How many are beyond those that a message names, empty if none."""
    return f"; and {len(evasions) - _MOST_NAMED} more" if len(evasions) > _MOST_NAMED else ""
