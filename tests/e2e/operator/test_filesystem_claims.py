"""Filesystem claims in a machine: KubeVirt shares them by virtiofs, if its feature gate lets it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.controlplane import Cluster
from tests.controlplane.kubevirt import FEATURE_GATES, open_gates
from tests.e2e.operator.subject import Manifest, Subject, condition, container, template
from twinhull.hulls.parity import VIRTIOFS_STORAGE

pytestmark = pytest.mark.simulated

#: The user and group of KubeVirt's virtiofsd, which hulls/parity refuses others for.
VIRTIOFSD = 107


@pytest.fixture
def pages(web: Subject) -> Subject:
    """A Workload that mounts a claim, yet to be applied."""
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    metadata = {"name": "pages", "namespace": web.namespace}
    claim = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": metadata, "spec": spec}
    web.cluster.api.create(claim)
    return web


def mounting() -> Manifest:
    server = container(volumeMounts=[{"name": "pages", "mountPath": "/srv/www"}])
    return template(
        containers=[server],
        volumes=[{"name": "pages", "persistentVolumeClaim": {"claimName": "pages"}}],
        automountServiceAccountToken=False,
    )


@pytest.fixture
def closed(cluster: Cluster) -> Iterator[None]:
    """The gate is closed, and open again after the test."""
    open_gates(cluster.api, [gate for gate in FEATURE_GATES if gate != VIRTIOFS_STORAGE])
    yield
    open_gates(cluster.api, FEATURE_GATES)


def test_kubevirt_shares_it_as_its_own_user(pages: Subject) -> None:
    pages.apply("VirtualMachine", mounting())
    pages.becomes("Ready")
    spec = pages.hull()["spec"]["template"]["spec"]
    assert spec["domain"]["devices"]["filesystems"] == [{"name": "claim-0", "virtiofs": {}}]
    assert spec["volumes"][-1] == {"name": "claim-0", "persistentVolumeClaim": {"claimName": "pages"}}
    (name,) = pages.belongings()["Pod"]
    launcher = pages.one("Pod", name)["spec"]
    assert launcher["securityContext"]["fsGroup"] == VIRTIOFSD
    (virtiofsd,) = (found for found in launcher["containers"] if found["name"] == "virtiofs-claim-0")
    assert virtiofsd["securityContext"]["runAsUser"] == VIRTIOFSD
    assert virtiofsd["securityContext"]["capabilities"] == {"drop": ["ALL"]}


def test_an_ephemeral_one_is_made_for_the_machine(web: Subject) -> None:
    claim = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    pod = mounting()
    pod["spec"]["volumes"] = [{"name": "pages", "ephemeral": {"volumeClaimTemplate": {"spec": claim}}}]
    web.apply("VirtualMachine", pod)
    web.becomes("Ready")
    machine = web.hull()
    name = f"{machine['metadata']['name']}-pages"
    (owner,) = web.one("PersistentVolumeClaim", name)["metadata"]["ownerReferences"]
    assert owner["uid"] == machine["metadata"]["uid"]
    inside = machine["spec"]["template"]["spec"]
    assert inside["domain"]["devices"]["filesystems"] == [{"name": "claim-0", "virtiofs": {}}]
    assert inside["volumes"][-1] == {"name": "claim-0", "persistentVolumeClaim": {"claimName": name}}


@pytest.mark.usefixtures("closed")
def test_without_the_gate_it_is_refused_until_somebody_opens_it(pages: Subject) -> None:
    pages.once_known("UnsupportedFields", "VirtualMachine", mounting())
    pages.apply("VirtualMachine", mounting())
    refused = pages.becomes("UnsupportedFields")
    (field,) = refused["status"]["unsupportedFields"]
    assert field["path"] == "spec.containers[web].volumeMounts[/srv/www]"
    assert f"only if its feature gate {VIRTIOFS_STORAGE} is enabled: add it" in field["reason"]
    assert condition(refused, "Stalled")[0] == "True"
    assert set(pages.belongings()) <= {"Service"}

    open_gates(pages.cluster.api, FEATURE_GATES)

    pages.becomes("Ready")
