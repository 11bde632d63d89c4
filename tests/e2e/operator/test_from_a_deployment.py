"""docs/from-a-deployment.md, as a reader follows it: a Workload takes a Deployment's place."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.controlplane import Cluster
from tests.operator_process import OperatorProcess
from tests.pages import Shell, files, read, steps

pytestmark = pytest.mark.simulated

PAGE = read("docs/from-a-deployment.md")


def test_a_deployment_becomes_a_workload_behind_its_service(
    cluster: Cluster, namespace: str, operator: OperatorProcess, tmp_path: Path
) -> None:
    shell = Shell.opened(cluster, namespace, tmp_path, PAGE)
    assert set(files(PAGE)) == {"deployment.yaml", "service.yaml", "workload.yaml"}
    shell.follow(steps(PAGE), operator.check)
