"""The operator's rights: what all tests of this folder made it do was allowed, and made use of each of them.

It comes last. The audit log of the API server has the requests of the operator's ServiceAccount.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.chart import rights
from tests.controlplane import ControlPlane
from tests.run import OWN_PLANES

pytestmark = pytest.mark.simulated

_FOLDER = Path(__file__).parent


def looked_back_at() -> set[str]:
    """The files whose tests are to have run: all of this folder but those with control planes of their own,
    whose audit logs are others.
    """
    elsewhere = {Path(path).name for path in OWN_PLANES}
    return {path.name for path in _FOLDER.glob("test_*.py")} - elsewhere


@pytest.fixture(scope="module")
def used(request: pytest.FixtureRequest, account: Path, simulation: ControlPlane) -> rights.Used:  # noqa: ARG001
    """What was asked for, if all tests have run that are looked back at."""
    option = request.config.option
    modules = {item.path.name for item in request.session.items if item.path.parent == _FOLDER}
    if not modules >= looked_back_at() or option.keyword or option.markexpr:
        pytest.skip("only a whole run makes use of every right")
    return rights.Used.of(simulation.audit_log)


def test_nothing_was_asked_for_that_is_not_allowed(used: rights.Used) -> None:
    assert sorted(map(str, used.forbidden)) == []


def test_nothing_was_written_that_is_not_the_operators_own(used: rights.Used) -> None:
    assert sorted(map(str, used.out_of_bounds)) == []


def test_every_right_was_made_use_of(used: rights.Used) -> None:
    granted = rights.granted(rights.manifests("default"))
    assert len(granted) > 50
    assert [str(right) for right in sorted(granted) if not used.covers(right)] == []
