"""Workloads backed up, lost and restored by a real Velero, as docs/operations.md has it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.e2e.operator.policies import Policies
from tests.e2e.operator.subject import WORKLOAD_LABEL, Manifest, Subject, condition, container, template
from tests.velero import ALONE, Velero

pytestmark = [pytest.mark.simulated, pytest.mark.built("velero", "velero-filestore")]

_CLAIM = {
    "apiVersion": "v1",
    "kind": "PersistentVolumeClaim",
    "metadata": {"name": "data"},
    "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
}


def served(**pod_spec: Any) -> Manifest:
    return template(containers=[container(ports=[{"containerPort": 80}])], **pod_spec)


def test_the_workloads_alone_are_all_that_a_backup_needs(
    velero: Velero, web: Subject, policies: Policies
) -> None:
    api, namespace = web.cluster.api, web.namespace
    box, raised, idle = web.named("box"), web.named("raised"), web.named("idle")
    api.create({**_CLAIM, "metadata": {"name": "data", "namespace": namespace}})
    web.apply("Container", served(volumes=[{"name": "d", "persistentVolumeClaim": {"claimName": "data"}}]))
    box.apply("VirtualMachine", served())
    idle.apply("Container", state="Stopped")
    raised.apply("Container")
    raised_only = {"namespaceSelector": {}, "workloadSelector": {"matchLabels": {"raise": "me"}}}
    api.patch("Workload", "raised", namespace, {"metadata": {"labels": {"raise": "me"}}})
    policies.make("machines", minimum="VirtualMachine", onViolation="Raise", match=raised_only)
    raised.eventually(lambda: raised.hull()["kind"] == "VirtualMachine", "it is raised")
    running = (web, box, raised)
    before = {each.name: each.becomes("Ready") and each.hull()["metadata"] for each in running}
    idle.becomes("Stopped")
    kinds = "isolationpolicies.twinhull.dev,customresourcedefinitions"
    velero.backup(f"policies-{namespace}", "--include-resources", kinds)
    velero.backup(namespace, "--include-namespaces", namespace)

    policies.end()
    velero.lose(namespace)
    velero.restore(f"policies-{namespace}", "--from-backup", f"policies-{namespace}")
    velero.restore(namespace, "--from-backup", namespace, *ALONE)

    for each in running:
        each.becomes("Ready")
        after = each.hull()["metadata"]
        assert after["name"] == before[each.name]["name"]
        assert after["uid"] != before[each.name]["uid"]
        assert [event for event in each.all_events() if event[0] == "Warning"] == []
    idle.becomes("Stopped")
    assert idle.belongings() == {}
    assert web.one("PersistentVolumeClaim", "data")["status"]["phase"] == "Bound"
    assert raised.belongings()["VirtualMachine"] == [before["raised"]["name"]]


@pytest.mark.parametrize("isolation", ["Container", "VirtualMachine"])
def test_restored_hulls_are_told_of_and_never_doubled(velero: Velero, web: Subject, isolation: str) -> None:
    web.apply(isolation, served())
    web.becomes("Ready")
    hull, namespace = web.hull(), web.namespace
    velero.backup(namespace, "--include-namespaces", namespace)

    velero.lose(namespace)
    # KubeVirt lets nobody but itself make a machine's instance.
    refused = 1 if isolation == "VirtualMachine" else 0
    velero.restore(namespace, "--from-backup", namespace, refused=refused)

    found = web.becomes("NameConflict")
    assert condition(found, "Stalled")[0] == "True"
    assert "has no owner" in condition(found, "Ready")[2]
    assert web.belongings()[hull["kind"]] == [hull["metadata"]["name"]]
    web.cluster.kubectl(
        *("delete", "pods,services,configmaps,virtualmachines", "--selector", f"{WORKLOAD_LABEL}=web"),
        *("--namespace", namespace),
    )
    web.becomes("Ready")
