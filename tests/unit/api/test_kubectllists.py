"""Lists of objects are taken apart as kubectl does."""

from __future__ import annotations

import pytest

from twinhull.api.kubectllists import items_of


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ({"kind": "List", "items": [{"kind": "Pod"}, "text"]}, [{"kind": "Pod"}, "text"]),
        ({"kind": "List", "items": None}, []),
        ({"kind": "List"}, []),
        ({"kind": "List", "items": "text"}, None),
        (
            {"kind": "PodList", "apiVersion": "v1", "items": [{"spec": {}}]},
            [{"apiVersion": "v1", "kind": "Pod", "spec": {}}],
        ),
        ({"kind": "PodList", "items": None}, None),
        ({"kind": "Pod", "items": []}, None),
        ({"kind": ["List"], "items": []}, None),
        ("List", None),
    ],
)
def test_a_list_is_told_by_its_kind_and_items(document: object, expected: list[object] | None) -> None:
    listed = items_of(document)
    assert (None if listed is None else list(listed)) == expected
