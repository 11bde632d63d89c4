"""What always holds can be seen not to: wrong operators are found out by the very same sequences."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import Phase, settings

from twinhull.core import isolation, rules
from twinhull.core.case import Case
from twinhull.core.rules import in_place, policies, start_first

from . import test_properties as properties
from .simulation import Simulation

Patch = Callable[[pytest.MonkeyPatch], None]


def replaced(owner: object, name: str, value: object) -> Patch:
    return lambda patch: patch.setattr(owner, name, value)


def without(rule: str) -> Patch:
    return replaced(rules, "RULES", tuple(found for found in rules.RULES if found.__name__ != rule))


_relist = Simulation.relist

#: What is wrong with the operator, what is tried on it, and what is then seen.
WRONG: dict[str, tuple[Patch, Any, str]] = {
    "it deletes the old hull first": (
        replaced(Case, "starts_first", property(lambda _: False)),
        properties.test_start_first_never_leaves_a_gap,
        "the new hull before the old one goes",
    ),
    "it doesn't drain": (
        replaced(start_first, "_drain", lambda _: timedelta()),
        properties.test_start_first_never_leaves_a_gap,
        "a hull is drained before it goes",
    ),
    "it moves the Service too early": (
        replaced(Case, "pinned", property(lambda case: case.current if case.former else None)),
        properties.test_start_first_never_leaves_a_gap,
        "the Service leads to a ready hull",
    ),
    "it makes a third hull": (
        without("superseded"),
        properties.test_start_first_never_leaves_a_gap,
        "one hull after the other|two hulls stay",
    ),
    "it goes on with both when a policy rejects them": (
        replaced(policies, "keep_one_hull", lambda _, step, __: step),
        properties.test_start_first_never_leaves_a_gap,
        "two hulls stay",
    ),
    "it gives a new image to what serves": (
        replaced(in_place, "spares_containers", lambda *_: True),
        properties.test_start_first_never_leaves_a_gap,
        "never without a ready hull",
    ),
    "it never gives up": (
        without("replacement_failed"),
        properties.test_start_first_never_leaves_a_gap,
        "never settles",
    ),
    "it makes a hull beside the old one": (
        without("end_old_hull"),
        properties.test_whatever_happens_it_ends_well,
        "one hull after the other",
    ),
    "it knows no policies": (
        replaced(isolation, "concerning", lambda *_: ()),
        properties.test_whatever_happens_it_ends_well,
        "never weaker than the floor|as isolated as the policies demand",
    ),
    "it doesn't look at what there is when it starts again": (
        replaced(Simulation, "relist", lambda world: None if world.cluster.writes else _relist(world)),
        properties.test_operator_killed_at_any_write_comes_to_the_same_end,
        "'hulls': |one hull after the other",
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("wrong", WRONG)
def test_wrong_operator_is_found_out(wrong: str, monkeypatch: pytest.MonkeyPatch) -> None:
    patch, tried, seen = WRONG[wrong]
    patch(monkeypatch)
    search = settings(
        properties.PROFILE, max_examples=500, phases=[Phase.generate], report_multiple_bugs=False
    )
    monkeypatch.setattr(tried, "_hypothesis_internal_use_settings", search)
    with pytest.raises(AssertionError, match=seen):
        tried()
