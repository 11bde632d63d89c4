"""kustomize with our component, as kubectl has it built in: it knows Workloads as it knows Deployments."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.controlplane import Kubectl, build

Manifest = dict[str, Any]

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def kubectl() -> Kubectl:
    """Kubectl without a cluster, which kustomize doesn't need."""
    return Kubectl(build.programs(["kubectl"])["kubectl"], Path(os.devnull))


def test_kustomize_knows_workloads(kubectl: Kubectl) -> None:
    config_map, workload = built(kubectl, ROOT / "examples/kustomize/production")
    generated = config_map["metadata"]["name"]
    assert re.fullmatch(r"production-settings-\w{10}", generated)
    assert workload["metadata"]["name"] == "production-web"
    template = workload["spec"]["template"]
    assert template["metadata"]["labels"] == {"stage": "production"}
    (web,), (warm,) = template["spec"]["containers"], template["spec"]["initContainers"]
    assert web["image"] == warm["image"] == "registry.example/shop/web:1.4.2"
    assert web["envFrom"] == [{"configMapRef": {"name": generated}}]
    assert web["env"] == [{"name": "LEVEL", "value": "info"}]
    assert web["ports"] == [{"name": "http", "containerPort": 80}]


def test_page_says_how_to_name_the_images(kubectl: Kubectl, tmp_path: Path) -> None:
    page = (ROOT / "docs/install.md").read_text(encoding="utf-8")
    (own,) = re.findall(r"```yaml\n(apiVersion: kustomize.*?)```", page, re.DOTALL)
    folder = tmp_path / "twinhull"
    folder.mkdir()
    (folder / "kustomization.yaml").write_text(own, encoding="utf-8")
    shutil.copytree(ROOT / "deploy/default", tmp_path / "deploy/default")
    shutil.copytree(ROOT / "deploy/crds", tmp_path / "deploy/crds")
    (deployment,) = [one for one in built(kubectl, folder) if one["kind"] == "Deployment"]
    (operator,) = deployment["spec"]["template"]["spec"]["containers"]
    assert operator["image"] == "registry.example/twinhull/operator:0.1.0"
    assert "--guest-image=registry.example/twinhull/guest:0.1.0" in operator["args"]


def test_a_generated_name_reaches_every_place_of_a_workload(kubectl: Kubectl, tmp_path: Path) -> None:
    key = {"name": "it", "key": "k"}
    container: Manifest = {
        "name": "web",
        "image": "web",
        "envFrom": [{"configMapRef": {"name": "it"}}, {"secretRef": {"name": "it"}}],
        "env": [
            {"name": "A", "valueFrom": {"configMapKeyRef": key}},
            {"name": "B", "valueFrom": {"secretKeyRef": key}},
        ],
    }
    pod: Manifest = {
        "serviceAccountName": "account",
        "imagePullSecrets": [{"name": "it"}],
        "containers": [container],
        "initContainers": [{**container, "name": "init"}],
        "volumes": [
            {"name": "a", "configMap": {"name": "it"}},
            {"name": "b", "secret": {"secretName": "it"}},
            {
                "name": "c",
                "projected": {"sources": [{"configMap": {"name": "it"}}, {"secret": {"name": "it"}}]},
            },
            {"name": "d", "persistentVolumeClaim": {"claimName": "claim"}},
        ],
    }
    workload = workload_of(pod)
    workload["spec"]["virtualMachine"] = {"guestImagePullSecret": "it"}
    folder = kustomization(
        tmp_path,
        [
            workload,
            {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "account"}},
            {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "claim"}, "spec": {}},
        ],
        namePrefix="my-",
        configMapGenerator=[{"name": "it", "literals": ["k=v"]}],
        secretGenerator=[{"name": "it", "literals": ["k=v"]}],
    )
    (workload,) = [obj for obj in built(kubectl, folder) if obj["kind"] == "Workload"]
    left = [name for name in names(workload["spec"]) if not name.startswith("my-")]
    assert sorted(set(left) - {"web", "init", "A", "B", "a", "b", "c", "d"}) == []


def test_patches_of_kubernetes_own_kinds_still_merge_beside_ours(kubectl: Kubectl, tmp_path: Path) -> None:
    pod = {"containers": [{"name": "web", "image": "web"}]}
    deployment = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web"},
        "spec": {"template": {"spec": pod}},
    }
    policy = {
        "apiVersion": "twinhull.dev/v1alpha1",
        "kind": "IsolationPolicy",
        "metadata": {"name": "floor"},
        "spec": {"minimum": "Sandbox"},
    }
    more = {"spec": {"template": {"spec": {"containers": [{"name": "more", "image": "more"}]}}}}
    patches = [{"patch": yaml.safe_dump({**obj, **more})} for obj in (deployment, workload_of(pod))]
    folder = kustomization(
        tmp_path, [deployment, workload_of(pod), policy], namespace="shop", patches=patches
    )
    found = {obj["kind"]: obj for obj in built(kubectl, folder)}
    for kind in ("Deployment", "Workload"):
        containers = found[kind]["spec"]["template"]["spec"]["containers"]
        assert sorted(container["name"] for container in containers) == ["more", "web"], kind
        assert found[kind]["metadata"]["namespace"] == "shop"
    assert "namespace" not in found["IsolationPolicy"]["metadata"], "it has none in the cluster"


def workload_of(pod: Manifest) -> Manifest:
    return {
        "apiVersion": "twinhull.dev/v1alpha1",
        "kind": "Workload",
        "metadata": {"name": "web"},
        "spec": {"template": {"spec": pod}},
    }


def kustomization(folder: Path, objects: list[Manifest], **fields: Any) -> Path:
    """A folder with these objects, our component, and what else a kustomization has."""
    (folder / "objects.yaml").write_text(yaml.safe_dump_all(objects), encoding="utf-8")
    component = ROOT / "deploy/kustomize"
    relative = Path(*[".."] * (len(folder.resolve().parts) - 1), *component.resolve().parts[1:])
    content = {"resources": ["objects.yaml"], "components": [str(relative)], **fields}
    (folder / "kustomization.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")
    return folder


def built(kubectl: Kubectl, folder: Path) -> list[Manifest]:
    return list(yaml.safe_load_all(kubectl("kustomize", str(folder))))


def names(value: Any) -> list[str]:
    """Everything that is a name in it."""
    if isinstance(value, list):
        return [found for below in value for found in names(below)]
    if not isinstance(value, dict):
        return []
    here = [
        below
        for key, below in value.items()
        if key in {"name", "secretName", "claimName", "serviceAccountName", "guestImagePullSecret"}
        and isinstance(below, str)
    ]
    return here + [found for below in value.values() for found in names(below)]
