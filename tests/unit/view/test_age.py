"""Ages as kubectl writes them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.unit.view.objects import BEGAN, NOW
from twinhull.view.age import UNKNOWN, age, lasting


@pytest.mark.parametrize(
    ("seconds", "written"),
    [
        (-5, "0s"),
        (0, "0s"),
        (119, "119s"),
        (120, "2m"),
        (330, "5m30s"),
        (600, "10m"),
        (10_799, "179m"),
        (10_800, "3h"),
        (11_100, "3h5m"),
        (28_800, "8h"),
        (172_799, "47h"),
        (172_800, "2d"),
        (176_400, "2d1h"),
        (691_200, "8d"),
        (63_071_999, "729d"),
        (63_072_000, "2y"),
        (63_158_400, "2y1d"),
        (252_288_000, "8y"),
    ],
)
def test_a_duration_has_two_units_at_most(seconds: int, written: str) -> None:
    assert lasting(timedelta(seconds=seconds)) == written


@pytest.mark.parametrize("since", [None, "", "soon", 5, "2026-01-01T00:00:00"])
def test_what_is_no_time_has_no_age(since: object) -> None:
    assert age(since, NOW) == UNKNOWN


def test_a_time_of_kubernetes_has_one() -> None:
    assert age(BEGAN, NOW) == "5m"
    assert age("2026-01-01T00:04:59.999999Z", NOW) == "0s"
