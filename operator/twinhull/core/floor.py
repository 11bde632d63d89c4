"""The situations that policies make. In each nothing is created, and what runs is left alone; a hull that was
to take its place is not, since it would go on being started.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from twinhull.api.reasons import Reason
from twinhull.core.case import Case
from twinhull.core.isolation.evasion import Evasion, evasions, of_reference
from twinhull.core.replacing import left_to_one
from twinhull.core.steps import Step, stalled, waiting

_OF_NAMESPACE = {"VirtualMachineInstancetype", "VirtualMachinePreference"}


def unplaced(case: Case) -> Step | None:
    """Which policies concern it can't be told before its namespace's labels are known."""
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
    why = f"IsolationPolicy {case.resolution.policy} lets nothing start"
    return left_to_one(case, replace(step, isolated=False), why)


def evading(case: Case) -> Step | None:
    """A policy requires an isolation, and the spec reaches past it."""
    floor = case.resolution.floor
    if floor is None or case.exit is not None:
        return None
    found = [*evasions(case.spec, case.resolution.resolved), *_of_references(case)]
    if not found:
        return None
    named = "; ".join(f"{evasion.path} ({evasion.why})" for evasion in found)
    step = stalled(
        Reason.EVADES_FLOOR,
        f"IsolationPolicy {floor.name} requires {floor.requirement}, past which this would reach: {named}: "
        "remove it",
    )
    return left_to_one(case, step, f"IsolationPolicy {floor.name} lets nothing start")


def _of_references(case: Case) -> Iterator[Evasion]:
    """What instancetype and preference bring, which whoever may write them in the Workload's namespace may
    change.
    """
    built = case.spec.virtual_machine
    for field, named in (("instancetype", built.instancetype), ("preference", built.preference)):
        if case.is_machine and named and named.kind in _OF_NAMESPACE:
            found = case.observed.find(named.kind, named.name)
            yield from of_reference(field, named.kind, found) if found else ()
