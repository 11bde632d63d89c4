"""Fixtures: a control plane for the whole run, a namespace for each test.

With --running-cluster (`make one`) the control plane of `make cluster` is used instead, if it runs.
With USE_EXISTING_CLUSTER=true the cluster of $KUBECONFIG is used instead, and tests that need the simulated
nodes (mark `simulated`) are skipped.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest
from hypothesis import HealthCheck, settings

from tests import namespaces
from tests.controlplane import Api, Cluster, ControlPlane, Kubectl, build, leftovers
from tests.controlplane.controlplane import STAYS
from tests.controlplane.kubevirt import Installation
from tests.preloaded import Preloaded
from tools.gobuild import BuildError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from _pytest.capture import CaptureManager

# The same examples in each run: otherwise a change fails by what another one broke. The option
# --hypothesis-profile=explore tries new ones. How long they take says more of what else the machine does.
settings.register_profile(
    "explore", database=None, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("repeatable", settings.get_profile("explore"), derandomize=True)
settings.load_profile("repeatable")

_EXISTING = os.environ.get("USE_EXISTING_CLUSTER", "").lower() == "true"


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--update` writes anew what is compared with: golden files, testdata of Argo CD's health checks."""
    parser.addoption("--update", action="store_true", help="write golden files and testdata anew")
    parser.addoption(
        "--every-kubernetes", action="store_true", help="not only the oldest of the older ones (5 min each)"
    )
    parser.addoption(
        "--running-cluster", action="store_true", help="use the control plane of `make cluster`, if it runs"
    )
    parser.addoption(
        "--older-kubevirt", action="store_true", help="the release before the newest one that works"
    )
    parser.addoption(
        "--all-conversions", action="store_true", help="run all that is converted, not one of twelve"
    )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skips by name what an existing cluster can't do. What has to be built first comes last."""
    _come_last(items)
    if not _EXISTING:
        return
    for item in items:
        if item.get_closest_marker("simulated"):
            item.add_marker(
                pytest.mark.skip(reason="needs simulated nodes, and USE_EXISTING_CLUSTER is true")
            )


@pytest.fixture(scope="session")
def preloaded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Preloaded]:
    """The process that operators and verbs are forks of."""
    started = Preloaded(tmp_path_factory.mktemp("preloaded"))
    yield started
    started.end()


@pytest.fixture(scope="session")
def control_plane(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Cluster]:
    """The cluster to test against: a ControlPlane of this run's own, the running one, or the existing one."""
    if _EXISTING:
        yield Cluster.at(_existing_kubeconfig(), _kubectl())
        return
    say, older = _Terminal(request.config).say, request.config.getoption("--older-kubevirt")
    running = ControlPlane.running(STAYS, say) if _wants_running(request.config) else None
    if running is not None:
        leftovers.remove(running, say)
        yield running
        running.api.close()
        return
    folder = tmp_path_factory.mktemp("control-plane")
    plane = ControlPlane.start(folder, installation=Installation(older=older), say=say)
    yield plane
    plane.stop()


@pytest.fixture(scope="session")
def simulation(control_plane: Cluster) -> ControlPlane:
    """This run's own control plane, for what only that can do. Such a test has the mark `simulated`."""
    if not isinstance(control_plane, ControlPlane):
        pytest.skip("needs simulated nodes, and USE_EXISTING_CLUSTER is true")
    return control_plane


@pytest.fixture(scope="session")
def api(control_plane: Cluster) -> Api:
    """The light client, as administrator."""
    return control_plane.api


@pytest.fixture(scope="session")
def kubectl(control_plane: Cluster) -> Kubectl:
    """kubectl, as administrator."""
    return control_plane.kubectl


@pytest.fixture
def namespace(control_plane: Cluster) -> Iterator[str]:
    """A new namespace in which Pods can be created."""
    with namespaces.made(control_plane) as name:
        yield name


def _come_last(items: list[pytest.Item]) -> None:
    """Sorts tests whose programs are still to be built behind all others, in the order of those builds."""
    needed = {item: {name for mark in item.iter_markers("built") for name in mark.args} for item in items}
    try:
        missing = {name for name in set().union(*needed.values()) if not build.is_built(name)}
    except BuildError:  # without Go nothing is built: whoever needs it says so
        return
    items.sort(key=lambda item: max(map(build.ORDER.index, needed[item] & missing), default=-1))


def _wants_running(config: pytest.Config) -> bool:
    return bool(config.getoption("--running-cluster") and not config.getoption("--older-kubevirt"))


class _Terminal:
    """Progress that is seen while it is made, in spite of pytest's capturing."""

    def __init__(self, config: pytest.Config) -> None:
        self._capture = cast("CaptureManager | None", config.pluginmanager.getplugin("capturemanager"))
        self._fresh = True

    def say(self, line: str) -> None:
        """Prints a line at once."""
        if self._capture is None:
            self._print(line)
        else:
            with self._capture.global_and_fixture_disabled():
                self._print(line)

    def _print(self, line: str) -> None:
        if self._fresh:
            print()  # pytest has written a test's name without ending the line
            self._fresh = False
        print(line, flush=True)


def _existing_kubeconfig() -> Path:
    path = os.environ.get("KUBECONFIG")
    if not path:
        pytest.exit("USE_EXISTING_CLUSTER is true: set KUBECONFIG to that cluster's", returncode=2)
    return Path(path)


def _kubectl() -> Path:
    on_path = shutil.which("kubectl")
    return Path(on_path) if on_path else build.programs(["kubectl"])["kubectl"]
