"""A KubeVirt that can't run machines on this Kubernetes: it is said before a machine is made."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.controlplane import ControlPlane
from tests.controlplane.kubevirt import say_version
from tests.e2e.operator.subject import Subject, condition

pytestmark = pytest.mark.simulated

_TOO_OLD = "v1.8.0"


@pytest.fixture
def too_old(simulation: ControlPlane) -> Iterator[None]:
    """KubeVirt says that it is of a release whose machines never become Ready on Kubernetes >= 1.36."""
    say_version(simulation.api, _TOO_OLD)
    yield
    say_version(simulation.api, simulation.kubevirt_version)


@pytest.mark.usefixtures("too_old")
def test_a_machine_waits_for_a_newer_kubevirt_and_is_made_by_itself(
    web: Subject, simulation: ControlPlane
) -> None:
    plain = web.named("plain")
    plain.apply("Container")  # which needs no KubeVirt
    plain.becomes("Ready")
    web.once_known("KubeVirtTooOld", "VirtualMachine")
    web.apply("VirtualMachine")
    stalled = condition(web.becomes("KubeVirtTooOld"), "Stalled")
    assert stalled[0] == "True"
    assert f"KubeVirt {_TOO_OLD}" in stalled[2]
    assert "1.8.4" in stalled[2]
    assert web.belongings().get("VirtualMachine") is None
    say_version(simulation.api, simulation.kubevirt_version)
    web.becomes("Ready")
