"""README.md, as a reader follows it: every command is run, and prints what the page says.

The API server serves Kubernetes' own kind Workload here, too, as those of managed clusters and of clusters
with GPUs do: each command has to reach ours all the same (docs/adr/0037).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests import namespaces
from tests.controlplane import ControlPlane
from tests.operator_process import OperatorProcess
from tests.pages import Shell, Step, read, section, steps

pytestmark = pytest.mark.simulated

PAGE = read("README.md")
FRONT = PAGE.partition("\n## ")[0]
FIVE_MINUTES = section(PAGE, "Five minutes with it")
#: What stands in the tests for a command, or runs it elsewhere.
ELSEWHERE = {
    "make demo": "takes the place of the tests",
    "make test": "is running",
    "docker build": "needs a container engine; tests/e2e/test_image.py does what the build does",
    "make guest": "is run by `make test`",
    "helm install": "tests/e2e/test_chart_installed.py",
    "make cluster": "the control plane of this file",
    "export KUBECONFIG=": "the shell has it",
    "make run": "the operator of this file",
}
KUBERNETES_OWN = {
    "apiVersion": "scheduling.k8s.io/v1beta1",
    "kind": "Workload",
    "spec": {"podGroupTemplates": [{"name": "workers", "schedulingPolicy": {"basic": {}}}]},
}


def is_elsewhere(step: Step) -> bool:
    return step.command.startswith(tuple(ELSEWHERE))


@dataclass(frozen=True)
class Reader:
    """A reader who has come to where the operator runs."""

    plane: ControlPlane
    operator: OperatorProcess

    def namespace(self, name: str) -> str:
        """A new namespace, which has Kubernetes' own Workloads of the names that the README has."""
        self.plane.kubectl("create", "namespace", name)
        namespaces.has_account(self.plane, name)
        for workload in ("web", "shop", "plugin", "tenant"):
            self.plane.api.create({**KUBERNETES_OWN, "metadata": {"name": workload, "namespace": name}})
        return name


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    """Follows the README up to where the operator runs."""
    plane = ControlPlane.start(tmp_path_factory.mktemp("readme control plane"), workload_api=True)
    try:
        shell = Shell.opened(plane, "default", tmp_path_factory.mktemp("clone"))
        installing = [step for step in steps(FIVE_MINUTES) if step.command == "kubectl apply -f crds/"]
        assert len(installing) == 1
        shell.follow(installing, plane.check)
        operator = OperatorProcess.start(plane.kubeconfig, shell.folder / "operator.log")
        yield Reader(plane, operator)
        operator.stop()
    finally:
        plane.stop()


def test_the_first_screen(reader: Reader, tmp_path: Path) -> None:
    shell = Shell.opened(reader.plane, reader.namespace("first-screen"), tmp_path, FRONT)
    shell.follow(steps(FRONT), reader.operator.check)


def test_five_minutes(reader: Reader, tmp_path: Path) -> None:
    shell = Shell.opened(reader.plane, reader.namespace("five-minutes"), tmp_path)
    local = [step for step in steps(FIVE_MINUTES) if not is_elsewhere(step)]
    assert local[0].command == "kubectl apply -f crds/"
    shell.follow(local[1:], reader.operator.check)


def test_every_command_is_run() -> None:
    """Those of other sections are all of a kind that is run elsewhere."""
    others = PAGE.removeprefix(FRONT).replace(FIVE_MINUTES, "")
    assert [step.command for step in steps(others) if not is_elsewhere(step)] == []
    assert all(any(step.command.startswith(begin) for step in steps(PAGE)) for begin in ELSEWHERE)


def test_names_that_others_have_are_not_used(reader: Reader, tmp_path: Path) -> None:
    """The kind's own name reaches Kubernetes' Workloads: the tests above have something to tell apart."""
    shell = Shell.opened(reader.plane, reader.namespace("collision"), tmp_path)
    assert shell.run("kubectl get workloads -o name").splitlines()[0] == "workload.scheduling.k8s.io/plugin"
    assert shell.run("kubectl get wl || true").strip() == (
        'error: the server doesn\'t have a resource type "wl"'
    )
    for name in ("twl", "twinhull", "workloads.twinhull.dev"):
        assert shell.run(f"kubectl get {name}").strip() == "No resources found in default namespace."
