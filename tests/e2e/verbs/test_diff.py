"""`twinhull diff` against a real API server: what an apply would change, whose fields it would take."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests import operator_process
from tests.controlplane import Cluster
from tests.e2e.test_workload_api import MINIMAL, merged, spec

Manifest = dict[str, Any]


def run(cluster: Cluster, *args: str, given: Manifest | list[Manifest]) -> subprocess.CompletedProcess[str]:
    objects = given if isinstance(given, list) else [given]
    text = yaml.safe_dump_all(objects)
    return operator_process.run_verb("diff", *args, "-", kubeconfig=cluster.kubeconfig, given=text)


@pytest.fixture
def web(namespace: str) -> Manifest:
    made: Manifest = merged(MINIMAL, {"metadata": {"name": "web", "namespace": namespace}})
    return made


def test_a_new_object_is_shown_whole_and_is_not_made(cluster: Cluster, web: Manifest, namespace: str) -> None:
    ended = run(cluster, given=web)
    assert (ended.returncode, ended.stderr) == (1, "")
    lines = ended.stdout.splitlines()
    assert lines[:2] == ["--- /dev/null", f"+++ MERGED/Workload/{namespace}/web"]
    assert "+  isolationPolicy: Auto" in lines, "with its defaults"
    assert not [line for line in lines if "managedFields" in line or "uid:" in line or "status:" in line]
    assert cluster.api.get("Workload", "web", namespace) is None


def test_what_is_there_as_it_is_said_differs_in_nothing(cluster: Cluster, web: Manifest) -> None:
    cluster.kubectl.apply(web, "--server-side")
    ended = run(cluster, given=web)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")


def test_a_change_is_a_line_of_each_and_is_not_made(cluster: Cluster, web: Manifest, namespace: str) -> None:
    cluster.kubectl.apply(web, "--server-side")
    ended = run(cluster, given=merged(web, spec(isolationPolicy="Sandbox")))
    assert (ended.returncode, ended.stderr) == (1, "")
    changed = [line for line in ended.stdout.splitlines() if line[:1] in {"+", "-"}]
    assert changed == [
        f"--- LIVE/Workload/{namespace}/web",
        f"+++ MERGED/Workload/{namespace}/web",
        "-  isolationPolicy: Auto",
        "+  isolationPolicy: Sandbox",
    ]
    stored = cluster.api.get("Workload", "web", namespace)
    assert stored is not None
    assert stored["spec"]["isolationPolicy"] == "Auto"


def test_a_field_of_another_manager_is_a_conflict(cluster: Cluster, web: Manifest) -> None:
    theirs = merged(web, spec(isolationPolicy="Container"))
    cluster.kubectl.apply(theirs, "--server-side", "--field-manager=they")
    mine = merged(web, spec(isolationPolicy="Sandbox"))
    ended = run(cluster, given=mine)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert 'conflict with "they"' in ended.stderr
    assert ".spec.isolationPolicy" in ended.stderr
    assert "Leave these fields to they, or take them by --force-conflicts" in ended.stderr
    forced = run(cluster, "--force-conflicts", given=mine)
    assert forced.returncode == 1
    assert "+  isolationPolicy: Sandbox" in forced.stdout


def test_what_kubectl_applied_on_its_own_side_is_compared(cluster: Cluster, web: Manifest) -> None:
    cluster.kubectl.apply(merged(web, spec(isolationPolicy="Container")))
    ended = run(cluster, given=merged(web, spec(isolationPolicy="Sandbox")))
    assert ended.returncode == 1
    assert "+  isolationPolicy: Sandbox" in ended.stdout
    assert "note: Workload web was applied by kubectl on the client's side" in ended.stderr


def test_what_a_flip_has_changed_is_shown(cluster: Cluster, web: Manifest, namespace: str) -> None:
    flipped = merged(web, spec(isolationPolicy="Container"))
    for options in ((), ("--server-side", "--force-conflicts")):
        cluster.kubectl.apply(flipped, *options)
        cluster.kubectl(
            *("patch", "workload", "web", "-n", namespace, "--type=merge", "--field-manager=twinhull-cli"),
            *("-p", '{"spec": {"isolationPolicy": "VirtualMachine"}}'),
        )
        ended = run(cluster, given=flipped)
        assert ended.returncode == 1, ended.stderr
        assert "-  isolationPolicy: VirtualMachine\n+  isolationPolicy: Container" in ended.stdout
        assert 'conflict with "twinhull-cli"' in ended.stderr


def test_what_is_refused_is_told_and_the_rest_compared(cluster: Cluster, web: Manifest) -> None:
    wrong = merged(web, {"metadata": {"name": "wrong"}, "spec": {"isolationPolicy": "VM"}})
    other = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "other"}}
    ended = run(cluster, given=[other, wrong, web])
    assert ended.returncode == 2
    assert 'Workload wrong: Workload.twinhull.dev "wrong" is invalid' in ended.stderr
    assert "note: objects of other kinds were passed over: 1" in ended.stderr
    assert "+++ MERGED/Workload/" in ended.stdout


def test_a_policy_has_no_namespace(cluster: Cluster) -> None:
    policy = {
        "apiVersion": "twinhull.dev/v1alpha1",
        "kind": "IsolationPolicy",
        "metadata": {"name": "diffed"},
        "spec": {"minimum": "Sandbox"},
    }
    ended = run(cluster, given=policy)
    assert ended.returncode == 1
    assert "+++ MERGED/IsolationPolicy/diffed" in ended.stdout


def test_a_namespace_that_is_not_said_is_the_option_s(cluster: Cluster, namespace: str) -> None:
    ended = run(cluster, "--namespace", namespace, given=MINIMAL)
    assert ended.returncode == 1
    assert f"+++ MERGED/Workload/{namespace}/web" in ended.stdout


def test_without_a_cluster_it_says_so(tmp_path: Path) -> None:
    ended = operator_process.run_verb(
        "diff", "-", kubeconfig=tmp_path / "none", given=yaml.safe_dump(MINIMAL)
    )
    assert ended.returncode == 2
    assert "no credentials for an API server were found" in ended.stderr
