"""What goes with a hull: the Service, which outlives it; its manifest and ephemeral claims, which don't; and
its own labels.

What somebody else has changed of them is put back, and told.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from twinhull.api.base import Raw
from twinhull.api.reading import UNREAD
from twinhull.api.reasons import Reason
from twinhull.api.workload import State
from twinhull.core import claims, disks
from twinhull.core.actions import Action, Change, Create, Delete, Event
from twinhull.core.case import Case
from twinhull.core.ephemeral import missing_claims
from twinhull.core.observed import Companion, Refusal
from twinhull.hulls import manifest, next_spec, pod, service, startnote, switching
from twinhull.hulls.applied import APPLIED_ANNOTATION, RenamedRevision
from twinhull.hulls.evasion import start_of
from twinhull.hulls.hull import HULL_LABEL, HULL_NAME_LABEL, WORKLOAD_LABEL, Hull, revision_of
from twinhull.hulls.merge import difference
from twinhull.hulls.objectmeta import version_of
from twinhull.hulls.types import type_that_made


def upkeep(case: Case) -> Iterator[Action]:
    """What the Workload's objects need, whatever situation its hull is in."""
    yield from companions(case)
    yield from _present_name(case)
    yield from _next_start(case)


def companions(case: Case) -> Iterator[Action]:
    """What its companions need, and the labels that it is known by: what it serves by."""
    yield from _service(case)
    yield from _manifests(case)
    yield from (_creation(case, claim) for claim in missing_claims(case))
    yield from _labels(case)
    yield from disks.upkeep(case)
    yield from _disks_of_template(case)


def _disks_of_template(case: Case) -> Iterator[Change]:
    """The marks on claims that are disks of the machine, which somebody may have removed."""
    machine = case.current
    if machine is None or machine.leaving or machine.ended:
        return
    yield from (replace(mark, blocks_ready=False) for mark in claims.marks(case))


def _next_start(case: Case) -> Iterator[Change]:
    """What keeps a machine that lasts as it is, when a change for its next start was taken back before."""
    hull = case.current
    if hull is not None and case.hull_type.lasts and not hull.leaving:
        yield from changed_for_next_start(case, hull)


def changed_for_next_start(case: Case, hull: Hull) -> Iterator[Change]:
    """What has a machine that lasts start as the present revision the next time, if it wouldn't."""
    if switching.next_revision(hull.obj) == case.revision or disks.replaced(case):
        return
    wanted = case.desired.hull_objects[-1]
    changes = next_spec.edits_of(hull.obj, wanted).in_words("set", "removed")
    sentence = f"changed {hull.kind} {hull.name} for its next start" + (f": {changes}" if changes else "")
    patch, event = next_spec.patch_for_next_start(hull.obj, wanted), Event("Normal", Reason.CHANGED, sentence)
    start = startnote.note(hull.obj, hull.revision, start_of(hull.obj))
    patch["metadata"]["annotations"] |= start
    # As it was seen: KubeVirt may put a restored claim into it at any moment.
    yield Change(hull.kind, hull.name, hull.uid, patch, event, version=version_of(hull.obj))


def refused_companions(case: Case) -> Iterator[tuple[Action, Refusal]]:
    """What its companions need and the API server has refused, each with the refusal."""
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
        yield _creation(case, desired)
        return
    if service.is_of_another_kind(desired, seen.obj):
        yield Delete("Service", case.workload.metadata.name, seen.uid, _recreation_event(case))
        return
    yield from _service_change(case, desired, seen)


def service_to_be(case: Case) -> Iterator[Change]:
    """The change that the Service is given once the hull that is to be is there, if it needs one."""
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
    """The Service that is to be. While a hull of another revision serves, it is where that listens."""
    seen, spec = case.observed.service, case.workload.spec
    if seen is None or not _former_serves(case):
        return case.desired.service
    hull = case.pinned.name if case.pinned else None
    return service.render(case.workload.metadata, spec.service, service.ports_of(seen.obj), hull)


def _former_serves(case: Case) -> bool:
    """Whether a hull of another revision is what the Service leads to: under StartFirst until the new one is
    ready, and always for as long as something keeps the new one from being made.
    """
    return case.is_replacing or (case.current is None and bool(case.standing))


def _patch(case: Case, desired: Raw, seen: Raw) -> Raw:
    """What makes the Service what it is to be, and notes since when it leads to one hull alone."""
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


def _manifests(case: Case) -> Iterator[Action]:
    """A machine's manifest is kept for as long as its machine is there, and no longer."""
    needed = {hull.name for hull in case.own if type_that_made(hull).has_guest}
    stays = (
        case.hull_type.has_guest
        and case.workload.spec.state is not State.STOPPED
        and case.history.exit is None
    )
    if stays:
        needed.add(case.hull_name)
    for name, seen in case.observed.manifests.items():
        if name not in needed and case.owns(seen) and not seen.deleting:
            yield Delete("ConfigMap", name, seen.uid)
    if stays and case.current is not None and not case.current.deleting:
        yield from _manifest(case, case.current)


def _manifest(case: Case, hull: Hull) -> Iterator[Action]:
    """A machine's manifest is the one that the machine notes, which another operator may have rendered. If it
    has to be written anew, the machine notes first what it is then.
    """
    present = case.observed.manifests.get(hull.name)
    if present is not None and not case.owns(present):
        return
    if present is not None and hull.manifest and _is_whole(case, present, hull.manifest):
        return
    wanted, notes = case.desired.hull_objects[0], case.desired.manifest_notes(hull.name)
    if hull.manifest != notes[manifest.DIGEST_ANNOTATION]:
        inside = {"metadata": {"annotations": notes}}
        yield Change(hull.kind, hull.name, hull.uid, {"spec": {"template": inside}}, is_upkeep=True)
    if present is None:
        yield _creation(case, wanted)
    else:
        yield from put_right(case, present, _rewritten(hull))


def put_right(case: Case, present: Companion, event: Event | None = None) -> Iterator[Action]:
    """What makes a ConfigMap of this Workload's the manifest that is wanted: nothing, if it is. One that is
    immutable, or holds so much that it isn't known what, is deleted, and made again once it is gone.

    That it is owned by the Workload says nothing: who may write ConfigMaps may write that, too.
    """
    wanted, seen = case.desired.hull_objects[0], present.obj
    if _is_whole(case, present, manifest.digest(manifest.text(wanted))):
        return
    name = wanted["metadata"]["name"]
    if seen.get("immutable") or UNREAD in seen:
        if not present.deleting:
            yield Delete("ConfigMap", name, present.uid, event)
        return
    patch: Raw = {
        "metadata": {"labels": wanted["metadata"]["labels"]},
        "data": difference(seen.get("data") or {}, wanted["data"]),
        "binaryData": None,
    }
    yield Change("ConfigMap", name, present.uid, patch, event, is_upkeep=True)


def _is_whole(case: Case, present: Companion, digest: str) -> bool:
    """Whether a ConfigMap has that manifest, and says of which revision it is."""
    return manifest.carries(present.obj, digest) and revision_of(present.obj) == case.revision


def _labels(case: Case) -> Iterator[Action]:
    """The labels by which a hull is known. Those that are watched by are put back when it is looked for; what
    a machine is called is its launcher Pod's label as well, which nobody can give to one that runs.
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


def _present_name(case: Case) -> Iterator[Action]:
    """Of a hull whose revision an earlier operator worked out it is noted, once, how that is called now. From
    then on it isn't replaced because its template is written in another way. Its label stays, by which that
    operator would know it again.
    """
    hull = case.current
    if hull is None or hull.leaving or hull.ended or hull.revision == case.blueprint.revision:
        return
    renamed = RenamedRevision(hull.revision, case.blueprint.revision, case.blueprint.applied.fixed)
    if hull.renamed_revision == renamed:
        return
    noted = hull.applied or replace(case.blueprint.applied, fixed=case.blueprint.formerly_fixed)
    annotations = {APPLIED_ANNOTATION: replace(noted, renamed_revision=renamed).as_annotation()}
    patch = {"metadata": {"annotations": annotations}}
    yield Change(hull.kind, hull.name, hull.uid, patch, is_upkeep=True, blocks_ready=False)


def _creation(case: Case, obj: Raw) -> Create:
    """Creates what is to be there. Of one that was there it is told that it was made again, or had lost its
    labels.
    """
    if not case.history.was_settled:
        return Create(obj, is_upkeep=True)
    what = f"{obj['kind']} {obj['metadata']['name']}"
    if_made = Event("Warning", Reason.DRIFT_CORRECTED, f"created {what} again, which somebody had deleted")
    if_there = Event("Warning", Reason.DRIFT_CORRECTED, f"restored the labels of {what}")
    return Create(obj, if_made, if_there, is_upkeep=True)


def _rewritten(hull: Hull) -> Event | None:
    """What is told of a manifest that is written anew. While its machine is changed that is no drift; and if
    an earlier operator left no note, what it rendered otherwise can't be told from what was edited.
    """
    if hull.pending or not hull.manifest:
        return None
    return Event("Warning", Reason.DRIFT_CORRECTED, f"restored the manifest in ConfigMap {hull.name}")
