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
from tools.kustomize_configuration import KINDS
from twinhull.api.crd import crds

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


def references() -> set[tuple[str, str]]:
    """The fields in which kustomize changes names: our kind, and the path."""
    text = (ROOT / "deploy/kustomize/configuration.yaml").read_text(encoding="utf-8")
    kinds = yaml.safe_load(text)["nameReference"]
    return {(spec["kind"], spec["path"]) for kind in kinds for spec in kind["fieldSpecs"]}


def filled(schema: Manifest, path: str, named: set[str]) -> Any:
    """An object with `it` in each of the fields, None if none of them is below."""
    if "items" in schema:
        element = filled(schema["items"], path, named)
        return None if element is None else [element]
    if path in named:
        return {"name": "it"} if "properties" in schema else "it"
    below = {
        name: filled(part, f"{path}/{name}", named) for name, part in schema.get("properties", {}).items()
    }
    return {name: value for name, value in below.items() if value is not None} or None


@pytest.mark.parametrize("crd", crds(), ids=lambda crd: str(crd["spec"]["names"]["kind"]))
def test_a_generated_name_reaches_every_place(kubectl: Kubectl, tmp_path: Path, crd: Manifest) -> None:
    (version,), kind = crd["spec"]["versions"], crd["spec"]["names"]["kind"]
    named = {path for of, path in references() if of == kind}
    spec = filled(version["schema"]["openAPIV3Schema"]["properties"]["spec"], "spec", named)
    assert sum(isinstance(value, str) for value in leaves(spec)) == len(named)
    subject = {"apiVersion": "twinhull.dev/v1alpha1", "kind": kind, "metadata": {"name": "web"}, "spec": spec}
    objects = [
        {"apiVersion": f"{one.group}/v1" if one.group else "v1", "kind": one.name, "metadata": {"name": "it"}}
        for one in KINDS
        if one.name not in {"ConfigMap", "Secret"}
    ]
    folder = kustomization(
        tmp_path,
        [subject, *objects],
        namePrefix="my-",
        configMapGenerator=[{"name": "it", "literals": ["k=v"]}],
        secretGenerator=[{"name": "it", "literals": ["k=v"]}],
    )
    (changed,) = [obj for obj in built(kubectl, folder) if obj["metadata"]["name"] == "my-web"]
    assert [path for path in named if not all(one.startswith("my-it") for one in at(changed, path))] == []


def leaves(value: Any) -> list[Any]:
    """All values in it that are neither maps nor lists."""
    below = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [leaf for one in below for leaf in leaves(one)] if isinstance(value, dict | list) else [value]


def at(value: Any, path: str) -> list[str]:
    """The texts at a path, which leads through lists."""
    if isinstance(value, list):
        return [text for one in value for text in at(one, path)]
    first, _, rest = path.partition("/")
    return at(value[first], rest) if path else [value["name"] if isinstance(value, dict) else value]


def test_only_the_object_that_a_field_names_counts(kubectl: Kubectl, tmp_path: Path) -> None:
    """Not another one of its name: of another namespace, or of another kind."""
    sources = [{"name": "it"}, {"name": "it", "namespace": "shop"}, {"name": "it", "namespace": "images"}]
    disks = [{"name": f"d{number}", "source": {"dataSource": one}} for number, one in enumerate(sources)]
    snapshot = {"apiGroup": "snapshot.storage.k8s.io", "kind": "VolumeSnapshot", "name": "it"}
    volume = {"name": "v", "ephemeral": {"volumeClaimTemplate": {"spec": {"dataSource": snapshot}}}}
    machine = {"disks": disks, "instancetype": {"kind": "VirtualMachineInstancetype", "name": "it"}}
    subject = workload_of({"volumes": [volume]})
    subject["spec"]["virtualMachine"] = machine
    objects = [
        {"apiVersion": version, "kind": kind, "metadata": {"name": "it", "namespace": "shop"}}
        for version, kind in (("cdi.kubevirt.io/v1beta1", "DataSource"), ("v1", "PersistentVolumeClaim"))
    ]
    subject["metadata"]["namespace"] = "shop"
    folder = kustomization(tmp_path, [subject, *objects], namePrefix="my-")
    (changed,) = [obj for obj in built(kubectl, folder) if obj["metadata"]["name"] == "my-web"]
    changed_sources = [disk["source"]["dataSource"] for disk in changed["spec"]["virtualMachine"]["disks"]]
    own = {"name": "my-it", "namespace": "shop"}  # kustomize writes the Workload's own namespace
    assert changed_sources == [own, own, sources[2]]
    assert changed["spec"]["virtualMachine"]["instancetype"]["name"] == "it"
    assert changed["spec"]["template"]["spec"]["volumes"] == [volume]


def test_labels_make_no_template_where_there_is_none(kubectl: Kubectl, tmp_path: Path) -> None:
    machine = {
        "apiVersion": "twinhull.dev/v1alpha1",
        "kind": "Workload",
        "metadata": {"name": "legacy"},
        "spec": {"virtualMachine": {"bootDisk": {"source": {"blank": {}}, "size": "1Gi"}}},
    }
    containers = workload_of({"containers": [{"name": "web", "image": "web"}]})
    labels = [{"pairs": {"stage": "production"}, "includeTemplates": True}]
    folder = kustomization(tmp_path, [machine, containers], labels=labels)
    found = {obj["metadata"]["name"]: obj for obj in built(kubectl, folder)}
    assert found["legacy"]["metadata"]["labels"] == {"stage": "production"}
    assert found["legacy"]["spec"] == machine["spec"]
    assert found["web"]["spec"]["template"]["metadata"] == {"labels": {"stage": "production"}}


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
