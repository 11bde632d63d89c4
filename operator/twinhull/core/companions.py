"""What goes with a hull: the Service, which outlives it, and the manifest, which doesn't."""

from __future__ import annotations

from collections.abc import Iterator

from twinhull.api.workload import State
from twinhull.core.actions import Action, Change, Create, Delete, Note
from twinhull.core.case import Case
from twinhull.hulls import service
from twinhull.hulls.merge import difference


def upkeep(case: Case) -> Iterator[Action]:
    """What the Workload's companions need, whatever situation its hull is in."""
    yield from _service(case)
    yield from _manifests(case)


def _service(case: Case) -> Iterator[Action]:
    desired, seen = case.service, case.observed.service
    if seen is not None and (seen.deleting or not case.owns(seen)):
        return
    if desired is None:
        if seen is not None:
            yield Delete("Service", case.workload.metadata.name, seen.uid)
        return
    if seen is None:
        yield Create(desired)
    elif service.differs(desired, seen.obj):
        # A merge patch leaves what it doesn't name: a label too many in the selector finds no Pod.
        selector = difference(seen.obj["spec"].get("selector") or {}, desired["spec"]["selector"])
        patch = {
            "metadata": {"labels": desired["metadata"]["labels"]},
            "spec": {**desired["spec"], "selector": selector},
        }
        note = Note(
            "Normal", "ServiceChanged", f"changed Service {case.workload.metadata.name} to match the spec"
        )
        yield Change("Service", case.workload.metadata.name, seen.uid, patch, note)


def _manifests(case: Case) -> Iterator[Action]:
    """A machine's manifest is kept for as long as its machine is there, and no longer."""
    needed = {hull.name for hull in case.own if hull.kind == "VirtualMachine"}
    if case.is_machine and case.workload.spec.state is not State.STOPPED and case.exit is None:
        needed.add(case.hull_name)
    for name, seen in case.observed.manifests.items():
        if name not in needed and case.owns(seen) and not seen.deleting:
            yield Delete("ConfigMap", name, seen.uid)
    if (
        case.is_machine
        and case.current
        and not case.current.deleting
        and case.hull_name not in case.observed.manifests
    ):
        yield Create(case.hull_objects[0])
