"""The ConfigMap with a machine's manifest: created, restored, and deleted after its machine."""

from __future__ import annotations

from collections.abc import Iterator

from twinhull.api.base import Raw
from twinhull.api.reading import UNREAD
from twinhull.api.reasons import Reason
from twinhull.api.workload import State
from twinhull.core.actions import Action, Change, Delete, Event
from twinhull.core.case import Case
from twinhull.core.observed import Companion
from twinhull.core.recreation import creation
from twinhull.hulls import manifest
from twinhull.hulls.hull import Hull, revision_of
from twinhull.hulls.merge import difference
from twinhull.hulls.types import type_that_made


def manifests(case: Case) -> Iterator[Action]:
    """Keeps the ConfigMap of each machine's manifest, and deletes it once the machine is gone."""
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
    """Keeps the manifest that the machine's annotations name, which an earlier operator may have rendered.

    A manifest that is missing or changed is rendered anew. The annotations are changed first, if they name
    another manifest than the new one.
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
        yield creation(case, wanted)
    else:
        yield from manifest_corrections(case, present, _restored(hull))


def manifest_corrections(case: Case, present: Companion, event: Event | None = None) -> Iterator[Action]:
    """Brings the manifest's ConfigMap up to date, if it differs. An immutable ConfigMap, or one that is too
    large to be kept in memory, is deleted, and created anew once it is gone.

    The Workload's ownerReference doesn't show who wrote it: whoever may write ConfigMaps may set that, too.
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
    """Whether a ConfigMap has the manifest of that digest, and the label of the wanted revision."""
    return manifest.carries(present.obj, digest) and revision_of(present.obj) == case.revision


def _restored(hull: Hull) -> Event | None:
    """The Event of a manifest that is written anew. None while its machine is being changed; and none if the
    machine has no note of its manifest, since an earlier operator may have rendered it otherwise.
    """
    if hull.pending or not hull.manifest:
        return None
    return Event("Warning", Reason.DRIFT_CORRECTED, f"restored the manifest in ConfigMap {hull.name}")
