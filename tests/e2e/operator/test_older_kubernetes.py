"""Older Kubernetes that the operator works with: their API servers, controllers and schedulers.

The oldest alone, but with --every-kubernetes (`make test-kubernetes`).
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.chart import rights
from tests.controlplane import ControlPlane, build
from tests.e2e.conftest import install_crds
from tests.e2e.operator.policies import Policies
from tests.e2e.operator.subject import Subject, condition, container, template
from tests.operator_process import OperatorProcess

pytestmark = [pytest.mark.simulated, pytest.mark.built(*build.OLDEST_KUBERNETES)]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    releases = list(build.OLDER_KUBERNETES)
    tried = releases if metafunc.config.getoption("--every-kubernetes") else releases[:1]
    metafunc.parametrize("older", tried, indirect=True, scope="module")


@pytest.fixture(scope="module")
def older(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    folder = tmp_path_factory.mktemp("older control plane")
    plane = ControlPlane.start(folder, kubernetes=request.param)
    assert plane.api.request("GET", "/version")["gitVersion"] == build.OLDER_KUBERNETES[request.param]
    install_crds(plane)
    plane.kubectl("apply", "-k", str(rights.DEPLOY / "admission"))
    yield plane
    plane.stop()


@pytest.fixture(scope="module")
def operator(older: ControlPlane) -> Iterator[OperatorProcess]:
    account = rights.grant(older, older.folder / "kubeconfigs", rights.manifests("default"))
    started = OperatorProcess.start(account, older.folder / "operator.log")
    yield started
    started.stop()


@pytest.fixture
def web(older: ControlPlane, operator: OperatorProcess) -> Iterator[Subject]:
    web = Subject(older, "default", alive=operator.check)
    yield web
    web.delete()
    web.is_gone()


def test_it_flips_without_a_gap(web: Subject) -> None:
    quick = {"strategy": "StartFirst", "drainSeconds": 0}
    served = template(containers=[container(ports=[{"containerPort": 80}])])
    for isolation, kind in (("Container", "Pod"), ("VirtualMachine", "VirtualMachine"), ("Container", "Pod")):
        web.apply(isolation, served, replacement=quick)
        web.becomes("Ready")
        assert web.hull()["kind"] == kind
    assert len(web.belongings()["Service"]) == 1


def test_a_running_pod_takes_another_image_and_size(web: Subject) -> None:
    def changed(image: str, memory: str) -> tuple[str, str]:
        sized = container(image=image, resources={"limits": {"cpu": "10m", "memory": memory}})
        web.apply("Container", template(containers=[sized]))
        how = web.becomes("Ready")["status"]["lastChange"]["how"]
        return how, web.hull()["metadata"]["uid"]

    (created, before), (how, after) = changed("nginx:1.29", "32Mi"), changed("nginx:1.30", "64Mi")
    assert (created, how) == ("Created", "InPlace")
    assert before == after
    assert web.hull()["spec"]["containers"][0]["resources"]["limits"]["memory"] == "64Mi"


def test_a_policy_raises_it(web: Subject, older: ControlPlane) -> None:
    policies = Policies(older.api, "default")
    web.apply("Container")
    web.becomes("Ready")
    policies.make("machines", minimum="VirtualMachine", onViolation="Raise")
    web.eventually(lambda: web.hull()["kind"] == "VirtualMachine", "it is raised")
    web.becomes("Ready")
    policies.end()
    web.eventually(lambda: web.hull()["kind"] == "Pod", "it is as it asks for")


def test_a_field_that_it_does_not_know_is_refused_by_name(web: Subject) -> None:
    """Never dropped in silence; and it goes on once the field is gone."""
    unknown = {"name": "scratch", "emptyDir": {"mode": 0o770}}
    web.apply("Container", template(volumes=[unknown]))
    refused = web.becomes("PodRefused")
    assert condition(refused, "Stalled")[0] == "True"
    assert 'unknown field "spec.volumes[0].emptyDir.mode"' in condition(refused, "Ready")[2]
    assert "Pod" not in web.belongings()
    web.apply("Container", template(volumes=[{"name": "scratch", "emptyDir": {"sizeLimit": "1Mi"}}]))
    web.becomes("Ready")
