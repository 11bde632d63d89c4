"""Fixtures: a Workload for each test, and what some of them need beside the operator."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.controlplane import Cluster
from tests.e2e.operator.subject import Subject
from tests.operator_process import OperatorProcess
from tests.request_proxy import RequestProxy
from tests.velero import Velero


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What looks back at all other tests comes after them."""
    items.sort(key=lambda item: item.path.name == "test_rights.py")


@pytest.fixture(scope="session")
def velero(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Velero]:
    """A Velero that backs up and restores that cluster."""
    with Velero.running(cluster, tmp_path_factory.mktemp("velero")) as running:
        yield running


@pytest.fixture
def web(operator: OperatorProcess, cluster: Cluster, namespace: str) -> Subject:
    """A Workload of the name web, yet to be applied, in a namespace of its own."""
    return Subject(cluster, namespace, alive=operator.check)


@pytest.fixture
def proxy(account: Path, tmp_path: Path) -> Iterator[RequestProxy]:
    """A proxy before the API server, for an operator of the test's own: its module mustn't use `operator`."""
    with RequestProxy.running(account, tmp_path) as running:
        yield running
