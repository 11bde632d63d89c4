"""The note on a hull of the values that it was given: read, or ignored if somebody else wrote nonsense."""

from __future__ import annotations

import json

import pytest

from tests.unit.core.objects import case, workload
from twinhull.api.base import Raw
from twinhull.hulls.applied import APPLIED_ANNOTATION, Applied

SAID: Raw = {
    "fixed": "1a",
    "labels": ["a"],
    "annotations": [],
    "images": {"web": "nginx"},
    "resources": {"web": {"limits": {"cpu": "1", "memory": 5}}},
    "outgoing": {"web": {"id": "nginx"}},
    "volumes": ["data"],
    "same": {"of": "1a", "revision": "2a", "fixed": "2a"},
}


def read(text: str) -> Applied | None:
    return Applied.read({"metadata": {"annotations": {APPLIED_ANNOTATION: text}}})


def test_it_reads_what_it_writes() -> None:
    found = read(json.dumps(SAID))
    assert found is not None
    assert read(found.as_annotation()) == found
    (made,) = case(workload({"isolationPolicy": "Container"})).desired.hull_objects
    assert Applied.read(made) is not None


@pytest.mark.parametrize("text", ["", "null", "[]", "3", "{", "[" * 100_000, '{"fixed": "1a"}'])
def test_what_is_no_note_counts_as_none(text: str) -> None:
    assert read(text) is None


WRONG: dict[str, list[object]] = {
    "resources": [
        *({"web": None}, {"web": "x"}, {"web": {"limits": []}}, [["web", 1]]),
        *({"web": {"limits": {"cpu": amount}}} for amount in (*("x", "1e", ""), None, {"a": 1})),
    ],
    "outgoing": [[], None, {"web": None}, {"web": ["id"]}, {"web": {"id": None}}],
    "images": [{}, None, [], {"web": None}, {"web": []}],
    "labels": [None, "a", [["a"]], [1], {"a": "b"}],
    "same": ["x", [], {"of": "1a"}, {"of": [], "revision": "2a", "fixed": "2a"}],
    "fixed": [None, [], 1],
    "attempted": ["web"],
    "volumes": [[None]],
    "init_containers": ["a"],
    "pending": ["yes"],
}


@pytest.mark.parametrize(("part", "value"), [(part, value) for part in WRONG for value in WRONG[part]])
def test_a_note_with_something_else_in_it_counts_as_none(part: str, value: object) -> None:
    assert read(json.dumps({**SAID, part: value})) is None
