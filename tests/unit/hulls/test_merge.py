from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twinhull.api.base import Raw
from twinhull.hulls.merge import difference, merge_patch

_LEAVES: st.SearchStrategy[object] = st.one_of(
    st.text("xy", max_size=2), st.integers(-2, 2), st.booleans(), st.just([]), st.just([{"a": 1}])
)
_INNER = st.dictionaries(st.sampled_from("abc"), _LEAVES, max_size=3)
_MIDDLE = st.dictionaries(st.sampled_from("abc"), st.one_of(_LEAVES, _INNER), max_size=3)
OBJECTS = st.dictionaries(st.sampled_from("abc"), st.one_of(_LEAVES, _MIDDLE), max_size=3)


@pytest.mark.parametrize(
    ("target", "patch", "merged"),
    [  # RFC 7396, appendix A: the rows whose target and patch are objects
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b"}, {"a": None}, {}),
        ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
    ],
)
def test_rfc_7396(target: Raw, patch: Raw, merged: Raw) -> None:
    assert merge_patch(target, patch) == merged


@settings(max_examples=100)
@given(OBJECTS, OBJECTS)
def test_difference_makes_the_one_of_the_other(before: Raw, after: Raw) -> None:
    assert merge_patch(before, difference(before, after)) == after


@pytest.mark.slow
@settings(max_examples=100)
@given(OBJECTS)
def test_there_is_no_difference_between_the_same(value: Raw) -> None:
    assert difference(value, value) == {}


def test_difference_is_small() -> None:
    before = {"conditions": [1], "hull": {"ready": False, "node": "n1"}, "exit": {}}
    after = {"conditions": [1], "hull": {"ready": True, "node": "n1"}}
    assert difference(before, after) == {"hull": {"ready": True}, "exit": None}


def test_merging_changes_neither() -> None:
    target: Raw = {"a": {"b": 1}}
    merge_patch(target, {"a": {"c": 2}})
    assert target == {"a": {"b": 1}}
