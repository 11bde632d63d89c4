"""A disk straight from vCenter: everything up to VMware's library, which nobody else may distribute."""

from __future__ import annotations

from typing import Any

import pytest

from tests.controlplane import build
from tests.e2e.cdi.disk import DiskWorkload
from tests.importer.kubelet import Kubelet

pytestmark = [pytest.mark.simulated, pytest.mark.built(*build.CDI)]

IMAGE = "registry.example/vddk:8"
THUMBPRINT = "20:6C:8A:5D:44:40:B3:79:4B:28:EA:76:13:60:90:6E:49:D9:D9:A3"
VDDK: dict[str, Any] = {
    "url": "https://vcenter.example",
    "uuid": "4207d2b8-2d11-4f4b-8d1e-9b3a5b2a1c00",
    "backingFile": "[datastore1] web/web.vmdk",
    "thumbprint": THUMBPRINT,
    "secretRef": "vcenter",
}


@pytest.fixture(autouse=True)
def credentials(web: DiskWorkload) -> None:
    """Those of vCenter."""
    metadata = {"name": "vcenter", "namespace": web.namespace}
    data = {"accessKeyId": "administrator@vsphere.local", "secretKey": "secret"}
    web.cluster.api.create({"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": data})


def test_the_importer_is_told_of_the_disk_and_given_the_library(web: DiskWorkload, kubelet: Kubelet) -> None:
    web.boots({"vddk": VDDK | {"initImageURL": IMAGE, "extraArgs": "vddk-arguments"}})
    spec = kubelet.pod(web.namespace)["spec"]
    (library,) = spec["initContainers"]
    assert (library["image"], library["volumeMounts"][0]["mountPath"]) == (IMAGE, "/opt")
    (importer,) = spec["containers"]
    given = {one["name"]: one.get("value") for one in importer["env"] if "valueFrom" not in one}
    assert (
        given.items()
        >= {
            "IMPORTER_SOURCE": "vddk",
            "IMPORTER_ENDPOINT": VDDK["url"],
            "IMPORTER_UUID": VDDK["uuid"],
            "IMPORTER_BACKING_FILE": VDDK["backingFile"],
            "IMPORTER_THUMBPRINT": THUMBPRINT,
        }.items()
    )
    secrets = {one["name"]: one["valueFrom"]["secretKeyRef"] for one in importer["env"] if "valueFrom" in one}
    assert secrets == {
        "IMPORTER_ACCESS_KEY_ID": {"name": "vcenter", "key": "accessKeyId"},
        "IMPORTER_SECRET_KEY": {"name": "vcenter", "key": "secretKey"},
    }
    assert {"mountPath": "/vddk-args", "name": "vddk-extra-args"} in importer["volumeMounts"]
    web.becomes("DiskImporting")


def test_without_the_librarys_image_the_workload_says_what_is_missing(web: DiskWorkload) -> None:
    web.boots({"vddk": VDDK})

    def says_so() -> bool:
        return "source.vddk.initImageURL" in web.condition("Ready")[2]

    web.eventually(says_so, "it says what is missing")
    assert web.condition("Ready")[1] == "DiskWaiting"
    web.boots({"vddk": VDDK | {"initImageURL": IMAGE}})
    web.eventually(lambda: web.one("Pod", f"importer-{web.claim}"), "the importer is made")
