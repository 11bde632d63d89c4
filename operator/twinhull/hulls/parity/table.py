"""The parity table: every field of a PodTemplateSpec, and what each hull does with it.

`status.unsupportedFields`, `twinhull render` and docs/parity.md are made from it. A test walks the schema of
the CRD. It fails for a field without a row, and for a row without a field.
"""

from __future__ import annotations

from twinhull.hulls.changeable import CHANGEABLE
from twinhull.hulls.parity.container_fields import CONTAINER
from twinhull.hulls.parity.pod_fields import METADATA, POD
from twinhull.hulls.parity.row import ChangeEffect, ParityRow, changes
from twinhull.hulls.parity.volume_fields import VOLUME


def _of_container(row: ParityRow) -> ParityRow:
    grows = CHANGEABLE.get(row.path)
    return row if grows is None else changes(row, ChangeEffect.IN_PLACE, ChangeEffect.LIVE, grows=grows)


TABLE: tuple[ParityRow, ...] = (
    *METADATA,
    *POD,
    *(_of_container(row).at("spec.containers[].") for row in CONTAINER),
    *(row.at("spec.initContainers[].") for row in CONTAINER),
    *(row.at("spec.volumes[].") for row in VOLUME),
)

BY_PATH = {row.path: row for row in TABLE}


def speaking_for(path: str) -> ParityRow | None:
    """The row of a field, whose path has `[]` for list elements: the field's own row, or that of a field
    above it that applies to all fields within.
    """
    if row := BY_PATH.get(path):
        return row
    while "." in path:
        path = path.rpartition(".")[0].removesuffix("[]")
        if row := BY_PATH.get(path):
            return row if row.below else None
    return None
