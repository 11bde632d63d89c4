"""How much an object may hold to be read."""

from __future__ import annotations

from typing import Any

import pytest

from twinhull.api import bounds
from twinhull.api.bounds import MAX_DEPTH, MAX_VALUES, excess


def nested(depth: int, *, array: bool) -> object:
    value: object = [] if array else {}
    for _ in range(depth - 1):
        value = [value] if array else {"x": value}
    return value


@pytest.mark.parametrize("array", [True, False])
@pytest.mark.parametrize("depth", [1, 2, MAX_DEPTH])
def test_what_people_nest_is_read(depth: int, *, array: bool) -> None:
    assert excess(nested(depth, array=array)) == ""


@pytest.mark.parametrize("array", [True, False])
@pytest.mark.parametrize("depth", [MAX_DEPTH + 1, 1_500, 10_000])
def test_what_nests_deeper_is_named(depth: int, *, array: bool) -> None:
    assert excess(nested(depth, array=array)) == "it nests more than 100 levels deep"


@pytest.mark.parametrize("values", [[0] * MAX_VALUES, {str(at): {} for at in range(MAX_VALUES)}])
def test_as_many_values_as_anybody_has_are_read(values: Any) -> None:
    assert excess({"x": values}) == "it has more than 50,000 values"
    assert excess(values) == ""


def test_what_stands_at_many_places_counts_at_each() -> None:
    """As YAML's aliases do: ten levels of ten are a few lines."""
    value: object = "x"
    for _ in range(10):
        value = [value] * 10
    assert excess(value) == "it has more than 50,000 values"


def test_what_contains_itself_is_too_deep() -> None:
    value: list[object] = []
    value.append(value)
    assert excess(value) == "it nests more than 100 levels deep"


def test_it_takes_no_more_steps_than_an_object_may_have_values(monkeypatch: pytest.MonkeyPatch) -> None:
    class Counted(list[object]):
        steps = 0

        def __iter__(self) -> Any:
            Counted.steps += 1
            return super().__iter__()

    monkeypatch.setattr(bounds, "MAX_VALUES", 100)
    value: object = "x"
    for _ in range(30):
        value = Counted([value] * 2)
    assert excess(value)
    assert Counted.steps <= 200
