"""Fixtures: the cluster with a real node, and the machines that the chosen tests look at.

A machine starts two before its turn, so that it boots while others are looked at, and ends with the last test
that looks at it: each emulates its processor. The node's logs stay in pytest's own folder.
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

_ITEM = pytest.StashKey[pytest.Item]()
_TURNS = pytest.StashKey["Turns"]()
#: How many Workloads are made before their turn.
_AHEAD = 2
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


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Makes the Workloads of a test before its fixtures look at them. `started` does it for the first."""
    item.config.stash[_ITEM] = item
    if turns := item.config.stash.get(_TURNS, None):
        turns.begin(item)


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    """Ends those that nobody looks at any more. After the last test there is no cluster any more."""
    turns = item.config.stash.get(_TURNS, None)
    if turns and nextitem:
        turns.end(item)


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
    """The cluster, with the Workloads that the test looks at, and what all of them refer to."""
    for obj in (*OBJECTS, secret(KEYS, {"ann": key.public})):
        cluster.plane.api.create({**obj, "metadata": {**obj["metadata"], "namespace": NAMESPACE}})
    turns = Turns(cluster, request.session.items)
    turns.begin(request.config.stash[_ITEM])
    request.config.stash[_TURNS] = turns
    return cluster


@pytest.fixture
def machine(request: pytest.FixtureRequest, started: NodeCluster) -> Machine:
    """The Workload that the test is marked with, in its machine."""
    (name,) = request.node.get_closest_marker("starts").args
    return Machine(started.plane, NAMESPACE, name, started.operator.check)


class Turns:
    """Which Workloads there are, as the tests come that look at them."""

    def __init__(self, cluster: NodeCluster, items: list[pytest.Item]) -> None:
        self._api = cluster.plane.api
        self._items = items
        self._made: set[str] = set()

    def begin(self, item: pytest.Item) -> None:
        """Make those of a test, and those of the next ones."""
        wanted = _wanted(self._items[self._items.index(item) :])
        for name in wanted[: len(_wanted([item])) + _AHEAD]:
            if name not in self._made:
                self._made.add(name)
                self._api.apply(WORKLOADS[name])

    def end(self, item: pytest.Item) -> None:
        """Delete those of a test that no later one looks at."""
        later = _wanted(self._items[self._items.index(item) + 1 :])
        for name in _wanted([item]):
            if name not in later:
                self._api.delete("Workload", name, NAMESPACE)


def _wanted(items: list[pytest.Item]) -> list[str]:
    """The Workloads that the chosen tests look at, each once, in the order of the tests."""
    marked = (item.iter_markers("starts") for item in items)
    return list(dict.fromkeys(name for markers in marked for marker in markers for name in marker.args))
