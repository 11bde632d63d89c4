"""What goes with a hull: the Service, which outlives it; its manifest and ephemeral claims, which don't; and
its own labels.

What somebody else has changed of them is put back, and told.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from twinhull.api.base import Raw
from twinhull.api.reasons import Reason
from twinhull.core import claims, disks, renamed_revision
from twinhull.core.actions import Action, Change, Delete, Event
from twinhull.core.case import Case
from twinhull.core.ephemeral import missing_claims
from twinhull.core.manifests import manifests
from twinhull.core.next_start import changes_taken_back
from twinhull.core.observed import Companion, Refusal
from twinhull.core.recreation import creation
from twinhull.hulls import pod, service
from twinhull.hulls.hull import HULL_LABEL, HULL_NAME_LABEL, WORKLOAD_LABEL
from twinhull.hulls.types import type_that_made


def upkeep(case: Case) -> Iterator[Action]:
    """The actions that keep the Workload's objects up to date, whichever rule decides about its hull."""
    yield from companions(case)
    yield from renamed_revision.note(case)
    yield from changes_taken_back(case)


def companions(case: Case) -> Iterator[Action]:
    """The actions for the Service, manifests, claims, disks and the hull's labels."""
    yield from _service(case)
    yield from manifests(case)
    yield from (creation(case, claim) for claim in missing_claims(case))
    yield from _labels(case)
    yield from disks.upkeep(case)
    yield from _disks_of_template(case)


def _disks_of_template(case: Case) -> Iterator[Change]:
    """Restores the marks on claims that are disks of the machine, if somebody removed them."""
    machine = case.current
    if machine is None or machine.leaving or machine.ended:
        return
    yield from (replace(mark, blocks_ready=False) for mark in claims.marks(case))


def refused_companions(case: Case) -> Iterator[tuple[Action, Refusal]]:
    """The actions of `companions` that the API server has refused, each with its refusal."""
    for action in companions(case) if case.observed.refusals else ():
        if refusal := case.refusal(action.key):
            yield action, refusal


def _service(case: Case) -> Iterator[Action]:
    seen = case.observed.service
    # One that is being deleted goes on to serve, however long that takes.
    if seen is not None and (seen.deleting or not case.owns(seen)):
        return
    desired = _desired_service(case)
    if desired is None:
        if seen is not None:
            yield Delete("Service", case.workload.metadata.name, seen.uid)
        return
    if seen is None:
        yield creation(case, desired)
        return
    if service.is_of_another_kind(desired, seen.obj):
        yield Delete("Service", case.workload.metadata.name, seen.uid, _recreation_event(case))
        return
    yield from _service_change(case, desired, seen)


def service_to_be(case: Case) -> Iterator[Change]:
    """The change of the Service for the new hull, if it needs one, to be rehearsed before that is made."""
    wanted, seen = case.desired.service, case.observed.service
    if wanted is None or seen is None or seen.deleting or not case.owns(seen):
        return
    if not service.is_of_another_kind(wanted, seen.obj):
        yield from _service_change(case, wanted, seen)


def _service_change(case: Case, desired: Raw, seen: Companion) -> Iterator[Change]:
    unmarked = case.pinned and service.pinned_since(seen.obj, case.pinned.name) is None
    different = service.differences(desired, seen.obj)
    if unmarked or different:
        yield Change(
            "Service",
            case.workload.metadata.name,
            seen.uid,
            _patch(case, desired, seen.obj),
            _service_event(case, seen.obj, different),
            is_upkeep=True,
            blocks_ready=bool(unmarked) or not {"spec.selector", "spec.ports"}.isdisjoint(different),
        )


def _desired_service(case: Case) -> Raw | None:
    """The wanted Service. While a hull of another revision serves, it keeps the ports of that hull."""
    seen, spec = case.observed.service, case.workload.spec
    if seen is None or not _former_serves(case):
        return case.desired.service
    hull = case.pinned.name if case.pinned else None
    return service.render(case.workload.metadata, spec.service, service.ports_of(seen.obj), hull)


def _former_serves(case: Case) -> bool:
    """Whether a hull of another revision serves: under StartFirst until the new hull is ready, otherwise
    while the new hull doesn't exist and the old one runs.
    """
    return case.is_replacing or (case.current is None and bool(case.standing))


def _patch(case: Case, desired: Raw, seen: Raw) -> Raw:
    """The patch for the wanted Service, with a note since when it selects one hull alone."""
    patch = service.change(desired, seen)
    if case.pinned or service.is_pinned(seen):
        since = case.now.isoformat(timespec="milliseconds") if case.pinned else None
        annotations = {**patch["metadata"].get("annotations", {}), service.PINNED_ANNOTATION: since}
        patch = {**patch, "metadata": {**patch["metadata"], "annotations": annotations}}
    return patch


def _recreation_event(case: Case) -> Event:
    name, headless = case.workload.metadata.name, case.workload.spec.service.headless
    kind = "without a cluster IP" if headless else "with a cluster IP"
    return Event("Normal", Reason.SERVICE_CHANGED, f"deleted Service {name}, to make it again {kind}")


def _service_event(case: Case, seen: Raw, different: tuple[str, ...]) -> Event | None:
    name = case.workload.metadata.name
    if case.pinned:
        sentence = f"Service {name} sends new connections to {case.pinned.kind} {case.pinned.name} alone"
        return Event("Normal", Reason.TRAFFIC_MOVED, sentence)
    if service.is_pinned(seen):
        return None
    if case.history.was_settled:
        return Event("Warning", Reason.DRIFT_CORRECTED, f"restored {', '.join(different)} of Service {name}")
    return Event("Normal", Reason.SERVICE_CHANGED, f"changed Service {name} to match the spec")


def _labels(case: Case) -> Iterator[Action]:
    """Restores the labels of the current hull. Without the label that the watches select, the operator
    doesn't see the hull at all: RestoreLabels puts that one back. A machine's hull-name label isn't restored,
    since its running launcher Pod would still lack it.
    """
    hull = case.current
    if hull is None or hull.deleting:
        return
    known = {**pod.identity(case.workload.metadata, hull.name, case.revision), HULL_LABEL: hull.kind}
    if type_that_made(hull).run_by_kubevirt:
        del known[HULL_NAME_LABEL]
    lost = {label: value for label, value in known.items() if hull.labels.get(label) != value}
    if lost:
        sentence = f"restored the labels {', '.join(lost)} of {hull.kind} {hull.name}"
        event = Event("Warning", Reason.DRIFT_CORRECTED, sentence)
        patch, serves_by = {"metadata": {"labels": lost}}, WORKLOAD_LABEL in lost
        yield Change(hull.kind, hull.name, hull.uid, patch, event, is_upkeep=True, blocks_ready=serves_by)
