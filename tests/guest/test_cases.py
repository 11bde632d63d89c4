"""Every case, on a machine that is booted from the operator's own objects."""

from __future__ import annotations

import pytest

from tests.guest.scenario import Case
from tests.guest.scenarioruns import ScenarioRuns
from tests.guest.scenarios import SCENARIOS


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(case, id=case.name, marks=[pytest.mark.guest_quick] if scenario.quick else [])
        for scenario in SCENARIOS
        for case in scenario.cases
    ],
)
def test_case(scenario_runs: ScenarioRuns, case: Case) -> None:
    """The machine shows what Kubernetes' documentation says of a Pod (`case.source`)."""
    scenario_runs.outcome(case)
