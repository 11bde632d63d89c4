"""What goes with a hull: the Service, which outlives it, and the manifest, which doesn't; and its own labels.

What somebody else has changed of them is put back, and told.
"""

from __future__ import annotations

from collections.abc import Iterator

from twinhull.api.base import Raw
from twinhull.api.reasons import Reason
from twinhull.api.workload import State
from twinhull.core.actions import Action, Change, Create, Delete, Note
from twinhull.core.case import Case
from twinhull.hulls import manifest, pod, service
from twinhull.hulls.hull import HULL_LABEL, HULL_NAME_LABEL, revision_of
from twinhull.hulls.merge import difference


def upkeep(case: Case) -> Iterator[Action]:
    """What the Workload's companions need, whatever situation its hull is in."""
    yield from _service(case)
    yield from _manifests(case)
    yield from _labels(case)


def _service(case: Case) -> Iterator[Action]:
    seen = case.observed.service
    if seen is not None and (seen.deleting or not case.owns(seen)):
        return
    desired = _desired_service(case)
    if desired is None:
        if seen is not None:
            yield Delete("Service", case.workload.metadata.name, seen.uid)
        return
    if seen is None:
        yield Create(desired, *_restored(case, "Service", case.workload.metadata.name))
        return
    unmarked = case.pinned and service.pinned_since(seen.obj, case.pinned.name) is None
    different = service.differences(desired, seen.obj)
    if unmarked or different:
        yield Change(
            "Service",
            case.workload.metadata.name,
            seen.uid,
            _patch(case, desired, seen.obj),
            _note(case, seen.obj, different),
        )


def _desired_service(case: Case) -> Raw | None:
    """The Service that is to be. While a hull of another revision serves, it is where that listens."""
    seen, spec = case.observed.service, case.workload.spec
    if seen is None or not _former_serves(case):
        return case.service
    hull = case.pinned.name if case.pinned else None
    return service.render(case.workload.metadata, spec.service, service.ports_of(seen.obj), hull)


def _former_serves(case: Case) -> bool:
    """Whether a hull of another revision is what the Service leads to: under StartFirst until the new one is
    ready, and always for as long as something keeps the new one from being made.
    """
    return case.replacing or (case.current is None and bool(case.standing))


def _patch(case: Case, desired: Raw, seen: Raw) -> Raw:
    """What makes the Service what it is to be.

    A merge patch leaves what it doesn't name: a label too many in the selector finds no Pod.
    """
    pins = case.pinned or service.is_pinned(seen)
    since = case.now.isoformat(timespec="milliseconds") if case.pinned else None
    return {
        "metadata": {
            "labels": desired["metadata"]["labels"],
            **({"annotations": {service.PINNED_ANNOTATION: since}} if pins else {}),
        },
        "spec": {
            **desired["spec"],
            "selector": difference(seen["spec"].get("selector") or {}, desired["spec"]["selector"]),
        },
    }


def _note(case: Case, seen: Raw, different: tuple[str, ...]) -> Note | None:
    name = case.workload.metadata.name
    if case.pinned:
        sentence = f"Service {name} sends new connections to {case.pinned.kind} {case.pinned.name} alone"
        return Note("Normal", Reason.TRAFFIC_MOVED, sentence)
    if service.is_pinned(seen):
        return None
    if case.settled:
        return Note("Warning", Reason.DRIFT_CORRECTED, f"put back {', '.join(different)} of Service {name}")
    return Note("Normal", Reason.SERVICE_CHANGED, f"changed Service {name} to match the spec")


def _manifests(case: Case) -> Iterator[Action]:
    """A machine's manifest is kept for as long as its machine is there, and no longer."""
    needed = {hull.name for hull in case.own if hull.kind == "VirtualMachine"}
    if case.is_machine and case.workload.spec.state is not State.STOPPED and case.exit is None:
        needed.add(case.hull_name)
    for name, seen in case.observed.manifests.items():
        if name not in needed and case.owns(seen) and not seen.deleting:
            yield Delete("ConfigMap", name, seen.uid)
    if case.hull_name not in needed or case.current is None or case.current.deleting:
        return
    present = case.observed.manifests.get(case.hull_name)
    if present is None:
        yield Create(case.hull_objects[0], *_restored(case, "ConfigMap", case.hull_name))
    elif case.owns(present) and not present.deleting and manifest.is_outdated(present.obj, case.revision):
        wanted = case.hull_objects[0]
        metadata = {key: wanted["metadata"][key] for key in ("labels", "annotations")}
        patch: Raw = {"metadata": metadata, "data": wanted["data"]}
        yield Change("ConfigMap", case.hull_name, present.uid, patch, _rewritten(case, present.obj))


def _labels(case: Case) -> Iterator[Action]:
    """The labels by which a hull is known. Those that are watched by are put back when it is looked for; what
    a machine is called is its launcher Pod's label as well, which nobody can give to one that runs.
    """
    hull = case.current
    if hull is None or hull.deleting:
        return
    known = {**pod.identity(case.workload.metadata, hull.name, case.revision), HULL_LABEL: hull.kind}
    if hull.kind == "VirtualMachine":
        del known[HULL_NAME_LABEL]
    lost = {label: value for label, value in known.items() if hull.labels.get(label) != value}
    if lost:
        sentence = f"put back the labels {', '.join(lost)} of {hull.kind} {hull.name}"
        note = Note("Warning", Reason.DRIFT_CORRECTED, sentence)
        yield Change(hull.kind, hull.name, hull.uid, {"metadata": {"labels": lost}}, note)


def _restored(case: Case, kind: str, name: str) -> tuple[Note, Note] | tuple[()]:
    """What is told of an object that was there: that it was made again, or had lost its labels."""
    if not case.settled:
        return ()
    return (
        Note("Warning", Reason.DRIFT_CORRECTED, f"created {kind} {name} again, which somebody had deleted"),
        Note("Warning", Reason.DRIFT_CORRECTED, f"put back the labels of {kind} {name}"),
    )


def _rewritten(case: Case, seen: Raw) -> Note | None:
    """What is told of a manifest of this very revision: another's is brought up to it, which is no drift."""
    if revision_of(seen) != case.revision:
        return None
    return Note("Warning", Reason.DRIFT_CORRECTED, f"put back the manifest in ConfigMap {case.hull_name}")
