"""The situations that policies make. In each nothing is created, and what runs is left alone; a hull that was
to take its place is not, since it would go on being started.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from twinhull.api.reasons import Reason
from twinhull.core.case import Case
from twinhull.core.isolation.evasion import Evasion
from twinhull.core.isolation.machine_images import rejected_images
from twinhull.core.replacing import left_to_one
from twinhull.core.steps import Step, stalled, waiting

#: How much of what is wrong a message tells of.
_TOLD = 8


def unplaced(case: Case) -> Step | None:
    """Which policies concern it can't be told before its namespace's labels are known. There is no deadline:
    they come with the first list of namespaces, before which nothing is decided at all.
    """
    if not case.observed.policies or case.observed.namespace_labels is not None:
        return None
    namespace = case.workload.metadata.namespace
    step = waiting(Reason.NAMESPACE_UNKNOWN, f"waiting to see the labels of namespace {namespace}")
    return replace(step, isolated=False)


def rejected(case: Case) -> Step | None:
    """A policy lets no hull be made that is as weak as what was asked for."""
    if not case.resolution.rejected or case.exit is not None:
        return None
    step = stalled(case.resolution.reason, case.resolution.message)
    why = f"IsolationPolicy {case.resolution.policy} doesn't let it start"
    return left_to_one(case, replace(step, isolated=False), why)


def evading(case: Case) -> Step | None:
    """A policy requires an isolation, and the spec reaches past it."""
    floor = case.resolution.floor
    if floor is None or case.exit is not None:
        return None
    if not case.evasions:
        return None
    named = _listed(case.evasions, "{0.path} ({0.why})")
    step = stalled(
        Reason.EVADES_FLOOR,
        f"IsolationPolicy {floor.name} requires {floor.requirement}, and these fields reach past that "
        f"isolation: {named}: remove them",
    )
    return left_to_one(case, step, f"IsolationPolicy {floor.name} doesn't let it start")


def image_rejected(case: Case) -> Step | None:
    """It is to be a machine, and policies don't allow its images."""
    if not case.is_machine or case.exit is not None:
        return None
    found = rejected_images(case.workload.spec, case.resolution.policies, case.references)
    if not found:
        return None
    step = stalled(Reason.IMAGE_REJECTED, f"{_listed(found, '{0.path}: {0.why}')}: correct it")
    return left_to_one(case, step, "an IsolationPolicy doesn't allow its images")


def _listed(found: Sequence[Evasion], form: str) -> str:
    """Some of them, and how many more there are: a Workload may have thousands."""
    more = f"; and {len(found) - _TOLD} more" if len(found) > _TOLD else ""
    return "; ".join(form.format(one) for one in found[:_TOLD]) + more
