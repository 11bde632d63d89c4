"""The chart in a cluster, by the real Helm 4 and Helm 3: installed, upgraded, rolled back, uninstalled.

The simulated nodes only pretend to run the operator's Pod. It runs beside it, with the options of that Pod
and the rights of its ServiceAccount.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chart import rights
from tests.chart.helm import CHART, NAMESPACE, Helm, Manifest, find
from tests.chart.release import WAIT, Release
from tests.controlplane import Api, ControlPlane, build
from tests.e2e.conftest import kinds_are_served
from tests.e2e.operator.subject import Subject
from tests.operator_process import OperatorProcess
from tests.pages import Shell, read, section, steps
from tools import manifests

pytestmark = [pytest.mark.simulated, pytest.mark.built(*build.HELM)]

DEPLOY = CHART.parents[1] / "deploy"
CRDS = ("workloads.twinhull.dev", "isolationpolicies.twinhull.dev")
#: The simulated test Pod ends well.
VALUES: Manifest = {"tests": {"podAnnotations": {"simulate.twinhull.dev/exit": "0"}}}


@pytest.fixture(scope="module")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """A cluster of its own, without KubeVirt: nobody else's objects, and kinds that come and go."""
    started = ControlPlane.start(tmp_path_factory.mktemp("chart control plane"), kubevirt=False)
    yield started
    started.stop()


@pytest.fixture(params=build.HELM)
def release(request: pytest.FixtureRequest, plane: ControlPlane, tmp_path: Path) -> Release:
    """Not yet installed, in a namespace that admits what the restricted standard does."""
    name: str = request.param
    plane.api.apply(manifests.namespace())
    return Release(Helm.built(name, tmp_path, plane.kubeconfig), plane, tmp_path)


def test_workloads_outlive_what_is_done_to_the_release(release: Release, plane: ControlPlane) -> None:
    release("install", str(CHART), *WAIT, values=VALUES)
    assert release.deployment["status"]["readyReplicas"] == 2
    kinds_are_served(plane)
    key = release.key()
    assert len(key) == 32
    try_out(release)
    assert "Succeeded" in release("test")

    web = Subject(plane, "default")
    with release.operator():
        web.apply()
        web.becomes("Ready")
    hull = web.hull()["metadata"]["uid"]

    release("upgrade", str(CHART), *WAIT, values={**VALUES, "workers": 8, "replicas": 3})
    assert release.config()["workers"] == 8
    assert release.key() == key
    with release.operator():
        still_runs(web, hull)

    release("rollback", "1", *WAIT)
    assert release.config()["workers"] == 16
    assert release.key() == key
    with release.operator():
        still_runs(web, hull)

    kept = release("uninstall", "--wait")
    assert all(name in kept for name in CRDS)
    assert plane.api.get("Deployment", "twinhull", NAMESPACE) is None
    assert web.get()["metadata"].get("deletionTimestamp") is None
    assert web.hull()["metadata"]["uid"] == hull

    release("install", str(CHART), *WAIT, values={**VALUES, "crds": {"keep": False}})
    assert release.key() == key
    with release.operator():
        still_runs(web, hull)

    # Once their kind is gone, the garbage collector may not learn any more whose the Pods were.
    plane.api.delete("Workload", "web", "default")
    plane.eventually(lambda: plane.api.list("Pod", "default") == [], 60, "what they ran in is gone")
    release("uninstall", "--wait")
    plane.eventually(
        lambda: not any(plane.api.get("CustomResourceDefinition", name) for name in CRDS),
        60,
        "the kinds are gone",
    )
    plane.api.delete("Secret", "twinhull-guest-key", NAMESPACE)


def still_runs(web: Subject, hull: str) -> None:
    """The operator has looked at the Workload again, and let its hull be."""
    web.is_looked_at("Ready")
    assert web.hull()["metadata"]["uid"] == hull


def try_out(release: Release) -> None:
    """What `helm test` runs, by somebody with the rights that it has."""
    rendered = release.helm.template(VALUES)
    assert "Pod" not in {obj["kind"] for obj in rendered}
    text = release.helm("template", "twinhull", str(CHART), "--namespace", NAMESPACE, values=VALUES)
    tests = [obj for obj in manifests.parsed(text) if obj["metadata"]["name"] == "twinhull-test"]
    allowing = [obj for obj in tests if obj["kind"] != "Pod"]
    assert len(allowing) == 3
    for obj in allowing:
        release.plane.api.apply(obj)
    account = rights.kubeconfig_of(release.plane, release.folder, "twinhull-test")
    (container,) = find(tests, "Pod")["spec"]["containers"]

    def tried() -> bool:
        ended = subprocess.run(
            [sys.executable, "-c", *container["args"]],
            env=os.environ | {"KUBECONFIG": str(account)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert ended.stdout.startswith("the API server would take a Workload of uid"), ended.stderr
        return True

    # The API server knows of the Role a moment after it has taken it; a Pod takes longer to start.
    release.plane.eventually(tried, 30, "the test Pod's program ends well")
    assert release.plane.api.list("Workload", NAMESPACE) == []
    for obj in allowing:
        release.plane.api.delete(obj["kind"], obj["metadata"]["name"], NAMESPACE)


def test_the_front_page_installs_it(
    plane: ControlPlane, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    helm = Helm.built("helm", tmp_path_factory.mktemp("helm"), plane.kubeconfig)
    shell = Shell.opened(plane, "default", tmp_path, programs=[helm.program])
    (install,) = [
        step for step in steps(section(read("README.md"), "Install")) if step.command.startswith("helm ")
    ]
    release = Release(helm, plane, tmp_path)

    shell.run(install.command)

    plane.eventually(
        lambda: release.deployment["status"]["readyReplicas"] == 2, 60, "two operators are ready"
    )
    (container,) = release.deployment["spec"]["template"]["spec"]["containers"]
    assert container["image"] == "registry.example/twinhull/operator:0.1.0"
    assert release.config()["guestImage"] == "registry.example/twinhull/guest:0.1.0"
    release("uninstall", "--wait")
    plane.kubectl("delete", "-k", str(DEPLOY / "crds"))
    plane.api.delete("Secret", "twinhull-guest-key", NAMESPACE)


@pytest.fixture(scope="module")
def kinds(plane: ControlPlane) -> Iterator[None]:
    """The operator's kinds and namespaces, without Helm."""
    plane.kubectl("apply", "-k", str(DEPLOY / "crds"))
    kinds_are_served(plane)
    for name in ("team-a", "team-b"):
        plane.kubectl("create", "namespace", name)
    plane.api.apply(manifests.namespace())
    yield
    plane.kubectl("delete", "-k", str(DEPLOY / "crds"))
    for kind in (
        *("ClusterRole", "ClusterRoleBinding"),
        *("ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"),
    ):
        plane.kubectl("delete", kind, "--selector", "app.kubernetes.io/part-of=twinhull")
    plane.kubectl(
        *("delete", "serviceaccount,role,rolebinding", "--all-namespaces"),
        *("--selector", "app.kubernetes.io/part-of=twinhull"),
    )


@pytest.mark.usefixtures("kinds")
class TestWithFewRights:
    """Operators that may do less; each test's audit log has nothing that was forbidden."""

    @pytest.mark.parametrize("variant", manifests.VARIANTS)
    def test_kustomize_applies_it(self, plane: ControlPlane, variant: str) -> None:
        applied = plane.kubectl("apply", "--dry-run=server", "-k", str(DEPLOY / variant))
        assert "deployment.apps/twinhull created" in applied

    def test_an_operator_of_some_namespaces_serves_them(self, plane: ControlPlane, tmp_path: Path) -> None:
        account = rights.grant(plane, tmp_path, rights.manifests("namespaced"))
        options = ("--namespace", "team-a", "--namespace", "team-b")
        plane.api.apply(
            {
                "apiVersion": "node.k8s.io/v1",
                "kind": "RuntimeClass",
                "metadata": {"name": "gvisor"},
                "handler": "runsc",
            }
        )
        operator = OperatorProcess.start(account, tmp_path / "operator.log", *options)
        plain, sandboxed, refused = (
            Subject(plane, *place, alive=operator.check)
            for place in (("team-a", "plain"), ("team-b", "sandboxed"), ("team-b", "refused"))
        )
        elsewhere = Subject(plane, "default", "elsewhere")
        for web in (elsewhere, plain):
            web.apply("Container")
        sandboxed.apply("Sandbox", sandbox={"runtimeClassName": "gvisor"})
        refused.apply("Sandbox", sandbox={"runtimeClassName": "none"})
        plain.becomes("Ready")
        sandboxed.becomes("Ready")
        refused.becomes("PodRefused")
        assert plane.api.list("Pod", "team-b", labels="twinhull.dev/workload=refused") == []
        plain.delete()
        plain.eventually(lambda: plane.api.list("Pod", "team-a") == [], "its Pod is gone")
        assert "conditions" not in elsewhere.get().get("status", {})
        operator.stop()
        used = rights.Used.of(plane.audit_log)
        assert used.forbidden == used.out_of_bounds == frozenset()

    def test_an_operator_without_kubevirt_makes_no_machines(
        self, plane: ControlPlane, tmp_path: Path
    ) -> None:
        account = rights.grant(plane, tmp_path, rights.manifests("no-kubevirt"))
        operator = OperatorProcess.start(account, tmp_path / "operator.log", "--without-kubevirt")
        plain, machine = (Subject(plane, "default", name, operator.check) for name in ("plain", "machine"))
        plain.apply("Container")
        machine.apply("VirtualMachine")
        plain.becomes("Ready")
        machine.becomes("KubeVirtMissing")
        operator.stop()
        used = rights.Used.of(plane.audit_log)
        assert used.forbidden == used.out_of_bounds == frozenset()

    def test_who_administers_the_namespaces_installs_it_as_the_page_says(
        self, plane: ControlPlane, tmp_path: Path
    ) -> None:
        """An administrator of the cluster gives rights; `admin` in the namespaces suffices for the rest."""
        helm = Helm.built("helm", tmp_path / "helm", plane.kubeconfig)
        plane.kubectl("create", "namespace", "team-ops")
        for namespace in ("team-a", "team-b", "team-ops"):
            plane.kubectl(
                *("create", "rolebinding", "administers", "--namespace", namespace),
                *("--clusterrole", "admin", "--user", "ada"),
            )
        for name in ("cluster", "ada"):
            (tmp_path / name).mkdir()
        cluster = Shell.opened(plane, "default", tmp_path / "cluster", programs=[helm.program])
        ada = Shell.opened(plane, "default", tmp_path / "ada", programs=[helm.program])
        (ada.folder / "kubeconfig").write_bytes(plane.kubeconfig_for("ada").read_bytes())
        commands = [
            step.command for step in steps(section(read("docs/install.md"), "For some namespaces only"))
        ]
        *first, install, second = commands
        assert install.startswith("helm install ")

        for command in first:
            cluster.run(command)
        person = Api(ada.folder / "kubeconfig")
        plane.eventually(
            lambda: person.may("create", "twinhull.dev", "workloads", "team-a"), 30, "ada may make Workloads"
        )
        ada.run(install)
        deployment = plane.api.get("Deployment", "twinhull", "team-ops")
        assert deployment is not None
        assert deployment["status"]["readyReplicas"] == 2
        role = plane.api.get("RoleBinding", "twinhull-workloads", "team-a")
        assert role is not None
        assert role["subjects"][0]["namespace"] == "team-ops"
        plane.kubectl("create", "namespace", "team-c")
        cluster.run(second)
        other = plane.api.get("Deployment", "twinhull", "team-c-ops")
        assert other is not None
        assert other["status"]["readyReplicas"] == 2
        cluster.run("helm uninstall twinhull --namespace team-c-ops --wait")
        ada.run("helm uninstall twinhull --namespace team-ops --wait")
        cluster.run("kubectl delete -k deploy/user-roles")
        person.close()
