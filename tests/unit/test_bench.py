"""The benchmark of golden cases: what it counts, by a clock of its own, so nothing here depends on time."""

from __future__ import annotations

import itertools

from tests.bench.decisions import Timing, measure, table
from tests.unit.core.test_golden import INPUTS, read

_CASE = next(path for path in INPUTS if path.name == "container-ready.input.yaml")


def test_every_rule_up_to_the_one_that_decides_is_timed() -> None:
    ticks = itertools.count(step=1_000)
    timing = measure("container-ready", read(_CASE)[0], runs=2, clock=lambda: next(ticks))
    assert timing.plan == 1
    assert [next(iter(timing.rules)), [*timing.rules][-1]] == ["stopped", "ready"]
    assert set(timing.rules.values()) == {1.0}


def test_cases_and_rules_are_listed_by_what_they_take_with_their_ratios() -> None:
    timings = [
        Timing("quick", 100.0, {"stopped": 20.0, "ready": 30.0}),
        Timing("slow", 300.0, {"stopped": 10.0, "missing": 250.0}),
    ]
    lines = [line.split() for line in table(timings, {"slow": 150.0})]
    assert lines[1:4] == [
        ["slow", "300", "1.50", "2.00", "missing", "250"],
        ["quick", "100", "0.50", "ready", "30"],
        ["median", "200", "1.00", "2.00"],
    ]
    assert lines[6:] == [
        ["missing", "250", "0.62", "250", "slow"],
        ["stopped", "30", "0.07", "20", "quick"],
        ["ready", "30", "0.07", "30", "quick"],
        ["(upkeep,", "status", "and", "Events)", "90", "0.23"],
    ]
