"""The options for the operator's settings know each isolation, though they don't import the enumeration."""

from __future__ import annotations

from twinhull.api.isolation import Isolation
from twinhull.cli.operatoroptions import ISOLATIONS


def test_the_options_have_each_isolation_the_weakest_first() -> None:
    assert tuple(isolation.value for isolation in Isolation) == ISOLATIONS
