"""What the verbs that ask a cluster print in each state of a life, as a real control plane was recorded in
it.

tests/e2e/operator/test_gitops_states.py records the states; `--update` here writes anew what is printed.
"""

from __future__ import annotations

import pytest

from tests.gitops import screens
from tests.gitops.lifecycle import STATES


@pytest.mark.parametrize("state", STATES)
def test_each_state_is_printed_as_before(request: pytest.FixtureRequest, state: str) -> None:
    printed = screens.printed(screens.load(state))
    path = screens.golden(state)
    if request.config.getoption("--update"):
        path.write_text(printed, encoding="utf-8")
    assert printed == path.read_text(encoding="utf-8")


def test_no_other_states_are_recorded() -> None:
    recorded = {path.stem for path in screens.FOLDER.iterdir()}
    assert recorded == set(STATES)
