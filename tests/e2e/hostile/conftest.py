"""Fixtures: people with their rights, and a Workload of somebody else's."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests import namespaces
from tests.controlplane import ControlPlane
from tests.e2e.hostile.people import SETTINGS, TENANT, Person
from tests.e2e.operator.subject import Subject
from tests.operator_process import OperatorProcess


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """People have certificates of the test control plane's."""
    for item in items:
        if "hostile" in item.path.parts:
            item.add_marker(pytest.mark.simulated)


@pytest.fixture
def tenant(simulation: ControlPlane, namespace: str) -> Person:
    """Who may write Workloads, ConfigMaps, Secrets, Services and claims in the test's namespace."""
    return Person.with_rights(simulation, namespace, f"tenant-{namespace}", TENANT)


@pytest.fixture
def configurer(simulation: ControlPlane, namespace: str) -> Person:
    """Who may write ConfigMaps in the test's namespace, and nothing else."""
    return Person.with_rights(simulation, namespace, f"configurer-{namespace}", SETTINGS)


@pytest.fixture
def stranger(simulation: ControlPlane, namespace: str) -> Person:
    """Who may do nothing."""
    return Person.with_rights(simulation, namespace, f"stranger-{namespace}", {})


@pytest.fixture
def neighbour(operator: OperatorProcess, simulation: ControlPlane) -> Iterator[Subject]:
    """A Workload of somebody else's, yet to be applied, in a namespace that the attackers have no part in."""
    with namespaces.made(simulation, "neighbour-") as name:
        yield Subject(simulation, name, alive=operator.check)
