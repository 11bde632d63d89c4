"""`twinhull explain NAME` against a real API server."""

from __future__ import annotations

import subprocess

from tests import operator_process
from tests.controlplane import Cluster
from tests.e2e.test_workload_api import MINIMAL, merged


def explain(cluster: Cluster, *args: str) -> subprocess.CompletedProcess[str]:
    return operator_process.run_verb("explain", *args, kubeconfig=cluster.kubeconfig)


def test_a_workload_is_explained_by_its_name(cluster: Cluster, namespace: str) -> None:
    cluster.kubectl.apply(merged(MINIMAL, {"metadata": {"name": "web", "namespace": namespace}}))
    for name in ("web", "workload/web"):
        ended = explain(cluster, name, "-n", namespace)
        assert (ended.returncode, ended.stderr) == (0, "")
        assert ended.stdout.startswith(f"Workload {namespace}/web: Container (OperatorDefault)\n")
    missing = explain(cluster, "wbe", "--namespace", namespace, "--kubeconfig", str(cluster.kubeconfig))
    assert missing.returncode == 1
    assert missing.stderr == f"Error: there is no Workload wbe in namespace {namespace}. Did you mean web?\n"
