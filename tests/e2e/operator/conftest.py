"""Fixtures: the Workload's kind in the cluster, an operator for each module, a Workload for each test.

Two operators at once would answer each other, so each module starts its own and ends it: a second or two.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chart import rights
from tests.controlplane import Cluster
from tests.e2e.operator.policies import Policies
from tests.e2e.operator.subject import Subject
from tests.operator_process import OperatorProcess
from tests.request_proxy import RequestProxy
from tests.velero import Velero

_CRDS = Path(__file__).parents[3] / "crds"


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What looks back at all other tests comes after them."""
    items.sort(key=lambda item: item.path.name == "test_rights.py")


@pytest.fixture(scope="session")
def cluster(control_plane: Cluster) -> Cluster:
    """The control plane with the operator's own kinds."""
    install_crds(control_plane)
    return control_plane


def install_crds(cluster: Cluster) -> None:
    """Install the operator's own kinds, and wait until they are served."""
    cluster.kubectl("apply", "--filename", str(_CRDS))
    cluster.eventually(
        lambda: cluster.api.request("GET", cluster.api.path("Workload")), 30, "the API server serves the kind"
    )


@pytest.fixture(scope="session")
def account(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A kubeconfig of the operator's ServiceAccount, which has exactly the rights that the chart gives it."""
    return rights.grant(cluster, tmp_path_factory.mktemp("account"), rights.manifests("default"))


@pytest.fixture(scope="module")
def operator(
    cluster: Cluster,  # noqa: ARG001  the kinds are there first
    account: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[OperatorProcess]:
    """The operator, with its options at their defaults."""
    log = tmp_path_factory.mktemp("operator") / "operator.log"
    started = OperatorProcess.start(account, log)
    yield started
    started.stop()


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
def policies(cluster: Cluster, namespace: str) -> Iterator[Policies]:
    """The IsolationPolicies of a test, for its namespace."""
    found = Policies(cluster.api, namespace)
    yield found
    found.end()


@pytest.fixture
def proxy(account: Path, tmp_path: Path) -> Iterator[RequestProxy]:
    """A proxy before the API server, for an operator of the test's own: its module mustn't use `operator`."""
    with RequestProxy.running(account, tmp_path) as running:
        yield running
