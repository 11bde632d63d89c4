"""What the parity table says that a change of a field does, against what a hull notes as unchangeable."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.unit.hulls.test_parity import samples, template
from twinhull.api.isolation import Isolation
from twinhull.api.workload import WorkloadSpec
from twinhull.core.revision import Content
from twinhull.hulls.parity import TABLE, ChangeEffect, ParityRow
from twinhull.hulls.types import HullType, hull_types

#: Fields of which not any value will do.
_VALUES: dict[str, list[Any]] = {
    f"{at}resources.{kind}": [{"cpu": "2", "memory": "2Gi"}]
    for at in ("spec.", "spec.containers[].", "spec.initContainers[].")
    for kind in ("limits", "requests")
}
#: What they are before, where that isn't nothing.
_BEFORE = {path: {"cpu": "1", "memory": "1Gi"} for path in _VALUES}


def content(row: ParityRow, value: Any, hull_type: HullType) -> Content:
    """What a hull of that type is made from whose template has that value in that field."""
    made = template(row.path, value)
    made["spec"].setdefault("containers", [{"name": "x"}])
    machine = {"instancetype": {"name": "large"}}  # else its size comes from the containers, and stays
    spec = WorkloadSpec.model_validate({"template": made, "virtualMachine": machine})
    return Content(spec, hull_type.isolation, None)


def fixed(found: Content, hull_type: HullType) -> str:
    return found.fixed_in_machine if hull_type.has_guest else found.fixed


def change(row: ParityRow, hull_type: HullType) -> ChangeEffect:
    """What setting or changing a field does, by what a hull of that type notes."""
    values = _VALUES.get(row.path) or samples(row)
    before = content(row, _BEFORE.get(row.path), hull_type)
    after = [content(row, value, hull_type) for value in values]
    if any(fixed(found, hull_type) != fixed(before, hull_type) for found in after):
        return ChangeEffect.REPLACED
    if any(found.revision != before.revision for found in after):
        return ChangeEffect.LIVE if hull_type.has_guest else ChangeEffect.IN_PLACE
    return ChangeEffect.NOTHING


#: Those that run the template: what it says means nothing to any other.
TYPES = [one for one in hull_types() if one.runs_template]


@pytest.mark.parametrize("hull_type", TYPES, ids=lambda one: str(one.isolation))
def test_change_does_what_the_table_says(hull_type: HullType) -> None:
    expected = {row.path: hull_type.change_of(row) for row in TABLE}
    found = {row.path: change(row, hull_type) for row in TABLE}
    assert found == expected


def test_sandbox_may_not_grow_and_a_container_may() -> None:
    (row,) = (row for row in TABLE if row.path == "spec.containers[].resources.limits")
    changes = {one.isolation: one.change_of(row) for one in TYPES}
    assert changes == {
        Isolation.CONTAINER: ChangeEffect.IN_PLACE,
        Isolation.SANDBOX: ChangeEffect.REPLACED,
        Isolation.VIRTUAL_MACHINE: ChangeEffect.LIVE,
    }


def test_page_of_flips_says_the_same() -> None:
    page = (Path(__file__).parents[3] / "docs/flips.md").read_text(encoding="utf-8")
    lines = [
        [cell.strip() for cell in line.split("|")[1:-1]] for line in page.splitlines() if line[:1] == "|"
    ]
    by_field = {line[0]: line[1:] for line in lines}
    fields = {
        "labels, annotations": "metadata.labels",
        "images of containers": "spec.containers[].image",
        "CPU and memory of containers": "spec.containers[].resources.limits",
    }
    rows = {row.path: row for row in TABLE}
    for what, path in fields.items():
        cells = [by_field[what][0] if cell == "the same" else cell for cell in by_field[what]]
        replaced = [cell.startswith("another") for cell in cells]
        assert replaced == [one.change_of(rows[path]) is ChangeEffect.REPLACED for one in TYPES], what


def test_page_of_parity_says_it_of_containers_and_what_is_otherwise_in_init_containers() -> None:
    page = (Path(__file__).parents[3] / "docs/parity.md").read_text(encoding="utf-8")
    containers = page.partition("## Containers and initContainers\n")[2].partition("\n## ")[0]
    lines = [[cell.strip() for cell in line.split("|")[1:-1]] for line in containers.splitlines()]
    changes = {line[0]: (line[4], line[5].split("<br>")[-1]) for line in lines if len(line) > 5}
    assert changes["`image`"] == ("in place, in place, live", "of an init container: replaced")
    assert changes["`resources.limits`<br>`resources.requests`"] == (
        "in place, replaced, live",
        "of an init container: replaced",
    )
    assert changes["`command`<br>`args`<br>`workingDir`"][0] == "replaced"
