"""How long the demo says that its first builds still take."""

from __future__ import annotations

import pytest

from tests.controlplane import build
from tests.demo.building import SECONDS, TRUST, Estimate

ALL = tuple(SECONDS)
TOTAL = sum(SECONDS.values())


def test_the_table_has_what_the_demo_builds() -> None:
    assert set(ALL) == {*build.KUBERNETES, *build.KUBEVIRT, "cdi-manifests"}


def test_at_first_the_table_is_all_that_is_known() -> None:
    estimate = Estimate(ALL, began=100.0)
    assert estimate.left(set(), 100.0) == TOTAL
    assert estimate.left(set(), 130.0) == TOTAL - 30


def test_then_it_is_as_fast_as_it_was_so_far() -> None:
    estimate = Estimate(ALL, began=0.0)
    built = set(ALL) - {"kwok"}
    done = TOTAL - SECONDS["kwok"]
    pace = (3 * done + TRUST) / (done + TRUST)
    assert estimate.left(built, 3 * done) == pytest.approx(pace * SECONDS["kwok"])
    assert estimate.left(built, 3 * done + 10) == pytest.approx(pace * SECONDS["kwok"] - 10)


def test_the_first_program_alone_says_little() -> None:
    """It is the smallest, and may be built while sources are downloaded."""
    rest = TOTAL - SECONDS["etcd"]
    assert Estimate(ALL, began=0.0).left({"etcd"}, 1.5 * SECONDS["etcd"]) < 1.2 * rest


def test_it_never_says_that_nothing_is_left_while_something_is() -> None:
    estimate = Estimate(("etcd", "kwok"), began=0.0)
    assert estimate.left({"etcd"}, 40.0) > 0
    assert estimate.left({"etcd"}, 4_000.0) > 0


def test_only_what_is_to_be_built_counts() -> None:
    assert Estimate(("kwok",), began=0.0).left(set(), 0.0) == SECONDS["kwok"]
