"""Fixtures: a control plane with CDI, a web server with disks, and a kubelet for CDI's importers."""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.chart import rights
from tests.controlplane import Api, ControlPlane
from tests.controlplane.cdi import complete_storage_profile
from tests.controlplane.nodes import storage_class
from tests.e2e.cdi.disk import CSI, LATE, DiskWorkload
from tests.e2e.conftest import install_crds
from tests.importer.kubelet import Kubelet
from tests.importer.server import DiskServer
from tests.operator_process import OperatorProcess


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skips what needs root: CDI's programs and its importer run in namespaces of their own."""
    if os.geteuid() == 0:
        return
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.skip(reason="the namespaces of CDI's programs need root"))


@pytest.fixture(scope="session")
def control_plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """One with CDI, to whose StorageProfile nothing is left to add."""
    plane = ControlPlane.start(tmp_path_factory.mktemp("control plane with CDI"))
    try:
        plane.install_cdi()
        install_crds(plane)
        yield plane
    finally:
        plane.stop()


@pytest.fixture(scope="session")
def cluster(control_plane: ControlPlane) -> ControlPlane:
    """The same, whose storage CDI knows, also that of a CSI driver and that which waits for a consumer."""
    api = control_plane.api
    provisioner = "csi.simulate.twinhull.dev"
    api.create({**storage_class(), "metadata": {"name": CSI}, "provisioner": provisioner})
    driver = {"apiVersion": "storage.k8s.io/v1", "kind": "CSIDriver", "metadata": {"name": provisioner}}
    api.create({**driver, "spec": {"attachRequired": False}})
    late = {"metadata": {"name": LATE}, "volumeBindingMode": "WaitForFirstConsumer"}
    api.create({**storage_class(), **late})
    for name in ("simulated", CSI, LATE):
        control_plane.eventually(partial(api.get, "StorageProfile", name), 30, f"CDI knows {name}")
        complete_storage_profile(api, name)
    for name in ("simulated", CSI, LATE):
        control_plane.eventually(partial(_is_complete, api, name), 30, f"CDI knows how {name} is used")
    return control_plane


def _is_complete(api: Api, storage_class: str) -> bool:
    profile = api.get("StorageProfile", storage_class)
    assert profile is not None
    return bool(profile["status"]["claimPropertySets"][0]["accessModes"])


@pytest.fixture(scope="session")
def account(cluster: ControlPlane, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A kubeconfig of the operator's ServiceAccount."""
    return rights.grant(cluster, tmp_path_factory.mktemp("account"), rights.manifests("default"))


@pytest.fixture(scope="session")
def operator(account: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OperatorProcess]:
    """The operator, for all tests of this folder."""
    started = OperatorProcess.start(account, tmp_path_factory.mktemp("operator") / "operator.log")
    yield started
    started.stop()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[DiskServer]:
    """A web server with the files of a folder of the test's own."""
    folder = tmp_path / "served"
    folder.mkdir()
    with DiskServer.running(folder) as running:
        yield running


@pytest.fixture
def kubelet(cluster: ControlPlane, server: DiskServer, tmp_path: Path) -> Iterator[Kubelet]:
    """What runs importer Pods. They reach the web server."""
    started = Kubelet(cluster, tmp_path / "kubelet", server.port)
    yield started
    started.stop()


@pytest.fixture
def web(cluster: ControlPlane, operator: OperatorProcess, namespace: str) -> DiskWorkload:
    """A Workload of the name web with a boot disk, yet to be applied, in a namespace of its own."""
    return DiskWorkload(cluster, namespace, alive=operator.check)
