"""What the verbs that ask a cluster print in each state of a life, as a real control plane was recorded in
it.

tests/e2e/operator/test_gitops_states.py records the states; `--update` here writes anew what is printed.
"""

from __future__ import annotations

import pytest

from tests.gitops import answers, screens
from tests.gitops.lifecycle import STATES
from tests.unit.commands import elsewhere


@pytest.mark.parametrize("state", STATES)
def test_each_state_is_printed_as_before(request: pytest.FixtureRequest, state: str) -> None:
    printed = screens.printed(screens.load(state))
    path = screens.golden(state)
    if request.config.getoption("--update"):
        path.write_text(printed, encoding="utf-8")
    assert printed == path.read_text(encoding="utf-8")


@pytest.mark.parametrize("state", STATES)
def test_commands_that_are_told_in_a_state_name_the_namespace(state: str) -> None:
    paths = [path for path in (screens.golden(state), answers.golden(state)) if path.exists()]
    lines = [line for path in paths for line in path.read_text(encoding="utf-8").splitlines()]
    printed = "\n".join(line for line in lines if not line.startswith("$ "))
    assert printed
    assert elsewhere(printed, "web", "shop") == []


def test_no_other_states_are_recorded() -> None:
    recorded = {path.stem for path in screens.FOLDER.iterdir()}
    assert recorded == set(STATES)
