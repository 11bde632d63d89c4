"""Disks that are clones: CDI lets whoever may create Pods in a namespace clone its claims, and so the
operator's account those of all namespaces. Nobody gets another namespace's data by way of the operator.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests import namespaces
from tests.chart.helm import NAMESPACE
from tests.controlplane import Api, ControlPlane, build
from tests.e2e.cdi.disk import DiskWorkload
from tests.e2e.operator.subject import DISK_LABEL, Manifest, condition

pytestmark = [pytest.mark.simulated, pytest.mark.built(*build.CDI)]


def claim(namespace: str, name: str) -> Manifest:
    spec = {
        "storageClassName": "simulated",
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": "64Mi"}},
    }
    about = {"name": name, "namespace": namespace}
    return {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": about, "spec": spec}


def data_source(namespace: str, name: str, **source: Any) -> Manifest:
    return {
        "apiVersion": "cdi.kubevirt.io/v1beta1",
        "kind": "DataSource",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"source": source},
    }


@pytest.fixture
def bank(cluster: ControlPlane, namespace: str) -> Iterator[str]:
    """A namespace of other people's, with a disk of theirs and a DataSource for it."""
    name = f"{namespace}-bank"
    cluster.api.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    cluster.api.create(claim(name, "ledger"))
    cluster.api.create(data_source(name, "ledger", pvc={"namespace": name, "name": "ledger"}))
    yield name
    namespaces.end(cluster, name)


@pytest.mark.parametrize("by", ["their DataSource", "a DataSource of its own", "one that leads on to theirs"])
def test_nobody_clones_another_namespaces_disk(web: DiskWorkload, bank: str, by: str) -> None:
    api = web.cluster.api
    own = {"name": "mine"}
    if by == "their DataSource":
        own = {"name": "ledger", "namespace": bank}
    elif by == "a DataSource of its own":
        api.create(data_source(web.namespace, "mine", pvc={"namespace": bank, "name": "ledger"}))
    else:  # CDI follows one only within its namespace
        api.create(data_source(web.namespace, "next", pvc={"namespace": bank, "name": "ledger"}))
        api.create(
            data_source(web.namespace, "mine", dataSource={"namespace": web.namespace, "name": "next"})
        )
    web.boots({"dataSource": own})
    refused = web.becomes("DataVolumeRefused")
    sentence = condition(refused, "Stalled")[2]
    told = f"leads to namespace {bank}, which doesn't let the operator clone disks"
    if by == "their DataSource":
        told = f"DataSource ledger in namespace {bank} doesn't exist, or the operator may not clone what"
    assert told in sentence
    assert api.get("DataVolume", web.claim, web.namespace) is None


def test_cdi_takes_a_right_to_create_pods_for_the_right_to_clone(
    web: DiskWorkload, bank: str, account: Path
) -> None:
    """Therefore the operator asks itself. Were this refused, CDI would guard its clones alone."""
    spec = {
        "sourceRef": {"kind": "DataSource", "name": "ledger", "namespace": bank},
        "storage": {"storageClassName": "simulated"},
    }
    about = {"name": "web-boot", "namespace": web.namespace, "labels": {DISK_LABEL: "web"}}
    volume = {"apiVersion": "cdi.kubevirt.io/v1beta1", "kind": "DataVolume", "metadata": about, "spec": spec}
    operator = Api(account)
    path = operator.path("DataVolume", web.namespace)
    taken = operator.request("POST", path, volume, query={"dryRun": "All"})
    assert taken["spec"]["sourceRef"]["namespace"] == bank


def test_a_golden_image_that_its_namespace_gives_away_is_cloned(
    web: DiskWorkload, bank: str, account: Path
) -> None:
    api = web.cluster.api
    role = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "Role",
        "metadata": {"name": "clone", "namespace": bank},
        "rules": [
            {"apiGroups": ["cdi.kubevirt.io"], "resources": ["datavolumes/source"], "verbs": ["create"]}
        ],
    }
    api.create(role)
    api.create(
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "RoleBinding",
            "metadata": {"name": "clone", "namespace": bank},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "clone"},
            "subjects": [{"kind": "ServiceAccount", "name": "twinhull", "namespace": NAMESPACE}],
        }
    )
    may = partial(Api(account).may, "create", "cdi.kubevirt.io", "datavolumes/source", bank)
    web.eventually(may, "the API server knows of the role")
    web.boots({"dataSource": {"name": "ledger", "namespace": bank}})
    web.eventually(web.data_volume, "the DataVolume is there")
    assert web.data_volume()["spec"]["source"] == {"pvc": {"namespace": bank, "name": "ledger"}}


def test_a_golden_image_of_its_own_namespace_is_cloned(web: DiskWorkload) -> None:
    api = web.cluster.api
    api.create(claim(web.namespace, "golden"))
    api.create(data_source(web.namespace, "golden", pvc={"namespace": web.namespace, "name": "golden"}))
    web.boots({"dataSource": {"name": "golden"}})
    web.eventually(web.data_volume, "the DataVolume is there")
    assert "sourceRef" not in web.data_volume()["spec"]
    uid = web.data_volume()["metadata"]["uid"]
    web.boots({"dataSource": {"name": "golden"}}, "64Mi", reclaim="Delete")
    web.eventually(lambda: web.data_volume()["metadata"].get("ownerReferences"), "it is changed")
    assert web.data_volume()["metadata"]["uid"] == uid, "it isn't made anew"
