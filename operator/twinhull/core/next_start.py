"""Changes of a VirtualMachine that take effect when its machine starts the next time."""

from __future__ import annotations

from collections.abc import Iterator

from twinhull.api.reasons import Reason
from twinhull.core import disks
from twinhull.core.actions import Change, Event
from twinhull.core.case import Case
from twinhull.hulls import next_spec, startnote, switching
from twinhull.hulls.evasion import start_of
from twinhull.hulls.hull import Hull
from twinhull.hulls.objectmeta import version_of


def changes_taken_back(case: Case) -> Iterator[Change]:
    """Takes back the change for the next start of a machine that boots a disk, if the spec went back to the
    running revision before that start.
    """
    hull = case.current
    if hull is not None and case.hull_type.lasts and not hull.leaving:
        yield from changed_for_next_start(case, hull)


def changed_for_next_start(case: Case, hull: Hull) -> Iterator[Change]:
    """The patch with which a machine that boots a disk starts as the wanted revision the next time.

    Nothing if its VirtualMachine has that revision already, or if somebody replaced one of its disks.
    """
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
