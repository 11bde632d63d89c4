"""The chart's Deployment on a real node: its Pod runs with its restrictions, and does its work."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import yaml

from tests.chart.helm import CHART, NAMESPACE, Helm
from tests.chart.release import Release
from tests.controlplane import ControlPlane
from tests.controlplane.pki import HOST_IN_GUEST
from tests.e2e.conftest import install_crds
from tests.e2e.operator.subject import Manifest, Subject
from tests.guest import operatorimage
from tests.guest.reference.node import PLACEMENT, ReferenceNode
from tests.guest.registry import Registry
from tests.guest.scenario import REGISTRY
from tools import manifests

#: How long the Pod may take to be ready: an emulated processor is many times slower than a real one.
_PATIENCE = 900.0


@pytest.fixture
def release(node: ReferenceNode, registry: Registry, tmp_path: Path) -> Iterator[Release]:
    registry.push("operator:test", operatorimage.build(tmp_path))
    install_crds(node.plane)
    node.plane.api.apply(manifests.namespace())  # which admits what the restricted standard does
    release = Release(Helm.built("helm", tmp_path, node.plane.kubeconfig), node.plane, tmp_path)
    release("install", str(CHART), values=values(node.plane))
    yield release
    release("uninstall", "--wait")


def values(plane: ControlPlane) -> Manifest:
    """What this node asks for: it has no kube-proxy, so the API server's Service leads nowhere."""
    kubeconfig = yaml.safe_load(plane.kubeconfig.read_text(encoding="utf-8"))
    port = urlsplit(kubeconfig["clusters"][0]["cluster"]["server"]).port
    return {
        **PLACEMENT,
        "replicas": 1,
        "crds": {"enabled": False},
        "image": {"repository": f"{REGISTRY}/operator", "tag": "test"},
        "extraEnv": [
            {"name": "KUBERNETES_SERVICE_HOST", "value": HOST_IN_GUEST},
            {"name": "KUBERNETES_SERVICE_PORT", "value": str(port)},
        ],
    }


def pods(plane: ControlPlane) -> list[Manifest]:
    return plane.api.list("Pod", NAMESPACE, labels="app.kubernetes.io/component=operator")


def names(plane: ControlPlane) -> set[str]:
    return {pod["metadata"]["name"] for pod in pods(plane)}


def ready(release: Release, node: ReferenceNode) -> None:
    """Wait until the operator says so itself."""

    def is_ready() -> bool:
        return bool(release.deployment["status"].get("readyReplicas") == 1)

    try:
        node.eventually(is_ready, _PATIENCE, "the operator is ready")
    except AssertionError as never:
        never.add_note(f"the Pods: {[pod['status'] for pod in pods(node.plane)]}")
        raise


def test_the_operators_pod_runs_and_does_its_work(release: Release, node: ReferenceNode) -> None:
    plane = node.plane
    ready(release, node)
    (first,) = pods(plane)
    assert [status["restartCount"] for status in first["status"]["containerStatuses"]] == [0]

    web = Subject(plane, "default", alive=node.check)
    web.apply("Container")
    web.becomes("Ready", timeout=_PATIENCE)
    hull = web.hull()["metadata"]["uid"]

    # Another one takes over, and leaves alone what runs.
    plane.api.delete("Pod", first["metadata"]["name"], NAMESPACE)
    node.eventually(
        lambda: first["metadata"]["name"] not in names(plane), _PATIENCE, "the first one has ended"
    )
    ready(release, node)
    web.change(service={"type": "NodePort"})
    web.becomes("Ready", timeout=_PATIENCE)
    assert web.hull()["metadata"]["uid"] == hull
    web.delete()
