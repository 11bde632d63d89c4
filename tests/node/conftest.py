"""Fixtures: the cluster with a real node, and the machines that the chosen tests look at.

All machines start at once, with the first test: they wait for each other's processor less than tests would
for them. The node's logs stay in pytest's own folder.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.disksystem.openssh import SshKey
from tests.guest.scenario import NAMESPACE, secret
from tests.node import namespaces
from tests.node.cluster import Files, NodeCluster
from tests.node.machine import Machine
from tests.node.volumes import Volumes
from tests.node.workloads import DISK_SIZE, KEYS, LOGIN, OBJECTS, WORKLOADS

if TYPE_CHECKING:
    from collections.abc import Iterator

_ORDER = (
    "test_top.py",
    "test_reach.py",
    "test_machine.py",
    "test_ends.py",
    "test_claims.py",
    "test_disk_claims.py",
    "test_flips.py",
    "test_cleanup.py",
    "test_migration.py",
)


def pytest_configure(config: pytest.Config) -> None:
    """Declares the marks."""
    config.addinivalue_line("markers", "starts(name, …): the Workloads that the test looks at")
    config.addinivalue_line("markers", "node_quick: of the few that `make test` has")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What ends machines comes after those that look at them, and what looks at the emptied node last."""
    items.sort(key=lambda item: _ORDER.index(item.path.name) if item.path.name in _ORDER else 2)


@pytest.fixture(scope="session")
def cluster(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[NodeCluster]:
    """A cluster with one real node."""
    if problem := namespaces.obstacle():
        pytest.skip(problem)
    if not namespaces.entered():
        pytest.skip("nodes need a network of their own: run `make test-node`")
    files = Files.ready(older=request.config.getoption("--older-kubevirt"))
    running = NodeCluster.start(tmp_path_factory.mktemp("node"), files)
    yield running
    running.stop()


@pytest.fixture(scope="session")
def volumes(cluster: NodeCluster) -> Iterator[Volumes]:
    """The claims of the Workloads, on the first node."""
    made = Volumes(cluster.plane.api, NAMESPACE, cluster.nodes[0])
    made.folder("files")
    made.folder("image")
    made.disk("raw", 8)
    made.disk("pg", 64)
    made.machine_disk("vmware", cluster.files.exports.vmware, DISK_SIZE)
    made.machine_disk("hyperv", cluster.files.exports.hyper_v, DISK_SIZE)
    made.machine_disk(LOGIN, cluster.files.exports.vmware, DISK_SIZE)
    yield made
    made.release()


@pytest.fixture(scope="session")
def key(tmp_path_factory: pytest.TempPathFactory) -> SshKey:
    """The key of who may log in to the machine LOGIN."""
    return SshKey.made(tmp_path_factory.mktemp("keys") / "ann")


@pytest.fixture(scope="session")
def started(
    request: pytest.FixtureRequest,
    cluster: NodeCluster,
    volumes: Volumes,  # noqa: ARG001
    key: SshKey,
) -> NodeCluster:
    """The cluster, once all Workloads are made that the chosen tests look at."""
    for obj in (*OBJECTS, secret(KEYS, {"ann": key.public})):
        cluster.plane.api.create({**obj, "metadata": {**obj["metadata"], "namespace": NAMESPACE}})
    for name in _wanted(request.session.items):
        cluster.plane.api.apply(WORKLOADS[name])
    return cluster


@pytest.fixture
def machine(request: pytest.FixtureRequest, started: NodeCluster) -> Machine:
    """The Workload that the test is marked with, in its machine."""
    (name,) = request.node.get_closest_marker("starts").args
    return Machine(started.plane, NAMESPACE, name, started.operator.check)


def _wanted(items: list[pytest.Item]) -> list[str]:
    """The Workloads that the chosen tests look at, each once, in the order of the tests."""
    marked = (item.iter_markers("starts") for item in items)
    return list(dict.fromkeys(name for markers in marked for marker in markers for name in marker.args))
