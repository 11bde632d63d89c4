"""docs/gitops.md: its tables say of each state what the tests hold the tools to."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.gitops.lifecycle import POLICY_STATES, STATES, State

PAGE = (Path(__file__).parents[3] / "docs/gitops.md").read_text(encoding="utf-8")
_ROW = re.compile(r"^\| ([^|]+) \| ([^|]+) \| (\w+) \| (\w+) \|$", re.MULTILINE)


def rows(head: str) -> dict[str, tuple[str, str, str]]:
    """The rows of the table with this head: (what Ready says, kstatus, Argo CD) by state."""
    table = PAGE[PAGE.index(f"\n| {head} |") :].split("\n\n")[0]
    return {name: (ready, kstatus, health) for name, ready, kstatus, health in _ROW.findall(table)}


@pytest.mark.parametrize(
    ("head", "states"), [("state", STATES), ("IsolationPolicy", POLICY_STATES)], ids=["Workload", "policy"]
)
def test_each_row_is_a_state_and_each_state_has_its_row(head: str, states: dict[str, State]) -> None:
    table = rows(head)
    assert table.keys() == {state.row for state in states.values()}
    for name, state in states.items():
        assert table[state.row][1:] == (state.kstatus, state.health), name
