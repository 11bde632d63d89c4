"""Claims of a template as disks of its machine, on the real KubeVirt: its webhooks, its launcher Pod."""

from __future__ import annotations

from typing import Any

import pytest

from tests.controlplane import Cluster
from tests.controlplane.kubevirt import FEATURE_GATES, open_gates
from tests.e2e.operator.subject import Manifest, Subject, condition, container, template
from twinhull.hulls.attachments import DISK_OF_ANNOTATION
from twinhull.hulls.hull import DISK_LABEL
from twinhull.hulls.parity import VIRTIOFS_STORAGE

pytestmark = pytest.mark.simulated

AS_DISK = {"claims": [{"volume": "data", "as": "Disk"}]}


def create_claim(web: Subject, mode: str, labels: dict[str, str] | None = None) -> None:
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    metadata = {"name": "pg", "namespace": web.namespace, "labels": labels}
    claim = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": metadata}
    web.cluster.api.create({**claim, "spec": {**spec, "volumeMode": mode}})


def database() -> Manifest:
    server = container(volumeMounts=[{"name": "data", "mountPath": "/var/lib/database"}])
    return template(
        containers=[server],
        volumes=[{"name": "data", "persistentVolumeClaim": {"claimName": "pg"}}],
        securityContext={"runAsUser": 999, "runAsGroup": 999, "fsGroup": 999},
        automountServiceAccountToken=False,
    )


def noted(web: Subject) -> str | None:
    found: dict[str, Any] = web.one("PersistentVolumeClaim", "pg")["metadata"].get("annotations") or {}
    return found.get(DISK_OF_ANNOTATION)


@pytest.mark.parametrize("mode", ["Block", "Filesystem"])
def test_the_launcher_has_it_as_a_disk(web: Subject, cluster: Cluster, mode: str) -> None:
    """Whether or not KubeVirt's gate for shared claims is open."""
    open_gates(cluster.api, [gate for gate in FEATURE_GATES if gate != VIRTIOFS_STORAGE])
    try:
        create_claim(web, mode)
        web.apply("VirtualMachine", database(), virtualMachine=AS_DISK)
        web.becomes("Ready")
    finally:
        open_gates(cluster.api, FEATURE_GATES)
    spec = web.hull()["spec"]["template"]["spec"]
    assert spec["domain"]["devices"]["disks"][-1] == {
        "name": "claim-0",
        "serial": "claim-0",
        "disk": {"bus": "virtio"},
    }
    assert "filesystems" not in spec["domain"]["devices"] or not spec["domain"]["devices"]["filesystems"]
    assert noted(web) == "web"
    (name,) = web.belongings()["Pod"]
    (compute,) = (c for c in web.one("Pod", name)["spec"]["containers"] if c["name"] == "compute")
    has = [device["name"] for device in compute.get("volumeDevices", [])]
    mounts = [mount["name"] for mount in compute["volumeMounts"]]
    assert ("claim-0" in has, "claim-0" in mounts) == (mode == "Block", mode == "Filesystem")


def test_a_flip_to_a_pod_is_refused_until_the_data_is_given_up(web: Subject) -> None:
    create_claim(web, "Block")
    web.apply("VirtualMachine", database(), virtualMachine=AS_DISK)
    web.becomes("Ready")
    machine = web.hull()["metadata"]["uid"]

    web.change(isolationPolicy="Container")

    refused = web.becomes("ClaimIsDisk")
    assert condition(refused, "Stalled")[0] == "True"
    assert web.one("VirtualMachine", refused["status"]["hull"]["name"])["metadata"]["uid"] == machine

    web.change(isolationPolicy="VirtualMachine")
    web.becomes("Ready")
    assert web.hull()["metadata"]["uid"] == machine, "it was never touched"


def test_the_files_of_a_pod_are_not_left_behind_unsaid(web: Subject) -> None:
    create_claim(web, "Filesystem")
    web.apply("Container", database(), virtualMachine=AS_DISK)
    pod = web.becomes("Ready")["status"]["hull"]["name"]

    web.change(isolationPolicy="VirtualMachine")
    refused = web.becomes("ClaimHasFiles")
    assert refused["status"]["hull"]["name"] == pod

    patch = {"metadata": {"annotations": {DISK_OF_ANNOTATION: "web"}}}
    web.cluster.api.patch("PersistentVolumeClaim", "pg", web.namespace, patch)
    assert web.becomes("Ready")["status"]["hull"]["kind"] == "VirtualMachine"


def test_another_workload_does_not_get_it(web: Subject) -> None:
    create_claim(web, "Filesystem")
    web.apply("VirtualMachine", database(), virtualMachine=AS_DISK)
    web.becomes("Ready")

    gone = {"metadata": {"annotations": {DISK_OF_ANNOTATION: None}}}
    web.cluster.api.patch("PersistentVolumeClaim", "pg", web.namespace, gone)
    web.eventually(lambda: noted(web) == "web", "the note is put back while the machine is there")

    other = web.named("other")
    other.apply("VirtualMachine", database(), virtualMachine=AS_DISK)
    other.becomes("ClaimIsDisk")
    assert "VirtualMachine" not in other.belongings()
    assert noted(web) == "web"


def test_a_disk_that_another_workload_boots_is_mounted_by_no_pod(web: Subject) -> None:
    # It has the label from the start: the operator may see a Workload sooner than what becomes of a claim.
    create_claim(web, "Filesystem", {DISK_LABEL: "bank"})
    web.apply("Container", database())
    web.becomes("ClaimIsDisk")
    assert "Pod" not in web.belongings()

    unmarked: Manifest = {"metadata": {"labels": {DISK_LABEL: None}}}
    web.cluster.api.patch("PersistentVolumeClaim", "pg", web.namespace, unmarked)
    web.becomes("Ready")
