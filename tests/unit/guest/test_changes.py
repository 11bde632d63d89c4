"""changes.json: what the operator expects of a machine when a field of its template changes."""

from __future__ import annotations

import json
from pathlib import Path

from twinhull.hulls.parity import TABLE, ChangeEffect

_FILE = Path(__file__).parents[3] / "guest/agent/internal/manifest/changes.json"
_CHANGES = {"in place", "live", "replaced"}


def test_it_has_each_field_of_the_parity_table_and_no_other() -> None:
    changes = json.loads(_FILE.read_text(encoding="utf-8"))["changes"]

    assert set(changes.values()) == _CHANGES
    assert {_row(path) for path in changes} == {row.path for row in TABLE}


def _row(path: str) -> str:
    """The row that speaks for a field: amounts of a container's resources have one for all."""
    above, _, _ = path.rpartition(".")
    return above if above.endswith((".resources.limits", ".resources.requests")) else path


def test_a_guest_can_be_given_what_the_parity_table_says() -> None:
    changes = json.loads(_FILE.read_text(encoding="utf-8"))["changes"]
    live = {path for path, change in changes.items() if change != "replaced"}

    assert {_row(path) for path in live} == {
        row.path for row in TABLE if row.in_machines is ChangeEffect.LIVE
    }
