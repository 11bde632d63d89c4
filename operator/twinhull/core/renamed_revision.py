"""The note on a hull whose revision an earlier operator computed in another way."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from twinhull.core.actions import Change
from twinhull.core.case import Case
from twinhull.hulls.applied import APPLIED_ANNOTATION, RenamedRevision


def note(case: Case) -> Iterator[Change]:
    """Notes on the current hull, once, the present name of its revision, if an earlier operator computed that
    revision in another way. From then on a template that is only written differently doesn't replace the
    hull. The revision label keeps the earlier name, by which the earlier operator would recognize the hull.
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
