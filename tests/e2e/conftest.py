"""Fixtures: the operator's kinds in the cluster, and an operator for each module.

Two operators at once would answer each other, so each module starts its own and ends it: a second or two.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chart import rights
from tests.controlplane import Cluster
from tests.e2e.operator.policies import Policies
from tests.operator_process import OperatorProcess, forking
from tests.preloaded import Preloaded

_CRDS = Path(__file__).parents[2] / "crds"


@pytest.fixture(scope="session", autouse=True)
def _forks(preloaded: Preloaded) -> Iterator[None]:
    """The operators and verbs of these tests are forks."""
    with forking(preloaded):
        yield


@pytest.fixture(scope="session")
def cluster(control_plane: Cluster) -> Cluster:
    """The control plane with the operator's own kinds."""
    install_crds(control_plane)
    return control_plane


def install_crds(cluster: Cluster) -> None:
    """Install the operator's own kinds, and wait until all of them are served."""
    cluster.kubectl("apply", "--filename", str(_CRDS))
    kinds_are_served(cluster)


def kinds_are_served(cluster: Cluster) -> None:
    """Wait until the API server serves all of the operator's own kinds, one after the other."""

    def served() -> bool:
        for kind in ("Workload", "IsolationPolicy", "AccessRequest"):
            cluster.api.list(f"{kind}.twinhull.dev")
        return True

    cluster.eventually(served, 30, "the API server serves the kinds")


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


@pytest.fixture
def policies(cluster: Cluster, namespace: str) -> Iterator[Policies]:
    """The IsolationPolicies of a test, for its namespace."""
    found = Policies(cluster.api, namespace)
    yield found
    found.end()
