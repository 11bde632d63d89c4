"""A cluster without KubeVirt: Pods are served, machines wait, and go on by themselves once it is there."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.chart import rights
from tests.controlplane import ApiError, ControlPlane
from tests.e2e.conftest import install_crds
from tests.e2e.operator.subject import Subject, condition
from tests.gitops.verdicts import health, kstatus
from tests.operator_process import OperatorProcess

pytestmark = pytest.mark.simulated

SENTENCE = (
    "isolation VirtualMachine needs KubeVirt, which is not installed in this cluster: "
    "install it (kubevirt.io), and the Workload then continues by itself"
)


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    plane = ControlPlane.start(tmp_path_factory.mktemp("bare control plane"), kubevirt=False)
    yield plane
    plane.stop()


@pytest.fixture(scope="module")
def operator(bare: ControlPlane) -> Iterator[OperatorProcess]:
    install_crds(bare)
    account = rights.grant(bare, bare.folder / "kubeconfigs", rights.manifests("default"))
    started = OperatorProcess.start(account, bare.folder / "operator.log")
    yield started
    started.stop()


@pytest.fixture
def web(bare: ControlPlane, operator: OperatorProcess) -> Subject:
    return Subject(bare, "default", alive=operator.check)


def test_containers_are_served(web: Subject) -> None:
    web.apply("Container")
    web.becomes("Ready")


def test_machines_wait_and_go_on_once_kubevirt_is_installed(web: Subject, bare: ControlPlane) -> None:
    with pytest.raises(ApiError, match="the server has no kind VirtualMachine"):
        bare.api.list("VirtualMachine")
    machine = web.named("machine")
    machine.apply("VirtualMachine")
    workload = machine.becomes("KubeVirtMissing")
    for kind, truth in (("Ready", "False"), ("Stalled", "True"), ("IsolationResolved", "False")):
        assert condition(workload, kind) == (truth, "KubeVirtMissing", SENTENCE)
    assert workload["status"]["isolation"]["resolved"] == "VirtualMachine"
    assert (kstatus(workload), health(workload)) == (["Failed"], [("Degraded", SENTENCE)])

    bare.install_kubevirt()

    machine.becomes("Ready")
    web.apply("VirtualMachine")
    web.becomes("Ready")
