"""`twinhull preflight` against a real API server: by all rights, and by none."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests import operator_process
from tests.chart import rights
from tests.chart.helm import NAMESPACE
from tests.controlplane import Cluster
from twinhull.hulls.versions import too_old

pytestmark = pytest.mark.simulated


def rows(kubeconfig: Path) -> dict[str, dict[str, str]]:
    ended = operator_process.run_verb("preflight", "-o", "json", kubeconfig=kubeconfig)
    assert (ended.returncode, ended.stderr) == (0, "")
    return {row["check"]: row for row in json.loads(ended.stdout)}


def test_it_says_what_there_is(cluster: Cluster) -> None:
    states = rows(cluster.kubeconfig)
    kubevirt, kubernetes = states["KubeVirt for this Kubernetes"]["found"].split(" on ")
    assert states["Kubernetes"]["found"] == kubernetes
    assert kubernetes == cluster.api.request("GET", "/version")["gitVersion"]
    assert states["KubeVirt"]["found"] == f"{kubevirt} Deployed"
    assert int(states["Nodes for machines"]["found"]) > 0
    checks = ("Twinhull's kinds", "Gate EnableVirtioFsStorageVolumes", "Panic devices", "Isolation Container")
    assert {states[check]["state"] for check in checks} == {"ok"}
    works = "missing" if too_old(kubevirt, kubernetes) else "ok"
    assert states["Isolation VirtualMachine"]["state"] == works


def test_who_may_list_nothing_sees_what_everybody_does(
    cluster: Cluster, account: Path, tmp_path: Path
) -> None:
    assert account, "its namespace is there"
    nobody = {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": {"name": "nobody", "namespace": NAMESPACE},
    }
    cluster.api.apply(nobody)
    checks = rows(rights.kubeconfig_of(cluster, tmp_path, "nobody"))
    unseen = {check for check, row in checks.items() if row["state"] == "can't be seen"}
    assert unseen == {
        *("RuntimeClasses", "Nodes for machines", "CDI (disks of machines)"),
        *("Isolation Sandbox", "Isolation VirtualMachine"),
    }
    assert checks["KubeVirt"]["state"] == "ok", "KubeVirt lets everybody see it"
    assert checks["Twinhull's kinds"]["state"] == "ok"
