"""Templates in the shapes that public ones have, in both hulls and beside a Deployment or Job.

All are applied at once and compared afterwards. A Pod is the one that Kubernetes' own controller makes of the
same template, field by field; so is the Pod that a machine is given, once the API server has defaulted it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests import namespaces
from tests.chart import rights
from tests.controlplane import Api, Cluster
from tests.controlplane.polling import eventually
from tests.e2e.operator.subject import WORKLOAD_LABEL, Manifest, condition
from tests.operator_process import OperatorProcess
from tests.templates import Template, ends, machine_refuses, templates
from twinhull.hulls.ephemeral import with_claims

pytestmark = pytest.mark.simulated

TEMPLATES = templates()
#: What a controller notes on its Pods for itself, we on ours, and the simulated kubelet on a Job's.
_OWN = (
    *("twinhull.dev/", "batch.kubernetes.io/", "pod-template-hash", "controller-uid", "job-name"),
    "simulate.twinhull.dev/",
)
_BESIDE = "beside"
_NAMES = {"configMap": "ConfigMap", "configMapRef": "ConfigMap", "configMapKeyRef": "ConfigMap"}


@pytest.fixture(scope="module")
def space(cluster: Cluster) -> Iterator[str]:
    """A namespace with what the templates refer to, where all of them are applied."""
    api, name = cluster.api, "templates"
    api.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    made = list(_referred(name))
    for manifest in made:
        api.apply(manifest)
    namespaces.has_account(cluster, name)
    yield name
    namespaces.end(cluster, name)
    for manifest in made:
        if "namespace" not in manifest["metadata"]:
            api.delete(manifest["kind"], manifest["metadata"]["name"])


@pytest.fixture(scope="module")
def applied(cluster: Cluster, space: str, keyed: OperatorProcess) -> Api:
    """Every template as a Deployment or Job, as a Pod of a Workload and as a machine of one."""
    assert keyed
    for name, template in TEMPLATES.items():
        cluster.api.create(_controller(name, space, template))
        for isolation in ("Container", "VirtualMachine"):
            metadata = {"name": _named(name, isolation), "namespace": space}
            spec = {"isolationPolicy": isolation, "template": template}
            workload = {"apiVersion": "twinhull.dev/v1alpha1", "kind": "Workload", "metadata": metadata}
            cluster.api.apply({**workload, "spec": spec})
    return cluster.api


@pytest.fixture(scope="module")
def keyed(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OperatorProcess]:
    """An operator with a key for guests, which may tell machines their nodes' addresses."""
    folder = tmp_path_factory.mktemp("templates")
    key = folder / "key"
    key.write_bytes(b"k" * 32)
    account = rights.grant(cluster, folder, rights.manifests("default"))
    started = OperatorProcess.start(account, folder / "operator.log", "--guest-key-file", str(key))
    yield started
    started.stop()


def test_every_pod_equals_that_of_kubernetes_own_controller(applied: Api, space: str) -> None:
    pods = _pods(applied, space, f"{WORKLOAD_LABEL},twinhull.dev/hull=Pod", WORKLOAD_LABEL)
    beside = _pods(applied, space, _BESIDE, _BESIDE)
    assert len(TEMPLATES) >= 80
    for name in TEMPLATES:
        assert _compared(pods[_named(name, "Container")]) == _compared(beside[name]), name


def test_every_machine_is_made_or_its_fields_are_named(applied: Api, space: str) -> None:
    def decided() -> tuple[dict[str, Manifest], set[str]]:
        found = {one["metadata"]["name"]: one for one in applied.list("Workload", space)}
        machines = {name: found[_named(name, "VirtualMachine")] for name in TEMPLATES}
        made = {one["metadata"]["labels"][WORKLOAD_LABEL] for one in applied.list("VirtualMachine", space)}
        for name, one in machines.items():
            assert condition(one, "Ready")
            assert "unsupportedFields" in one["status"] or _named(name, "VirtualMachine") in made, name
        return machines, made

    machines, made = eventually(decided, 60, "every machine is made, or its fields are named")
    for name, template in TEMPLATES.items():
        fields = machines[name]["status"].get("unsupportedFields", [])
        assert sorted(field["path"] for field in fields) == sorted(machine_refuses(template)), name
        assert (_named(name, "VirtualMachine") in made) == (not fields), name
        if fields:
            assert condition(machines[name], "Stalled")[:2] == ("True", "UnsupportedFields"), name


def test_the_pod_in_every_machine_equals_it_too(applied: Api, space: str) -> None:
    beside = _pods(applied, space, _BESIDE, _BESIDE)
    taken = [name for name, template in TEMPLATES.items() if not machine_refuses(template)]

    def manifests() -> dict[str, Manifest]:
        label = f"{WORKLOAD_LABEL}"
        found = applied.list("ConfigMap", space, labels=label)
        by_name = {one["metadata"]["labels"][WORKLOAD_LABEL]: one for one in found}
        return {name: by_name[_named(name, "VirtualMachine")] for name in taken}

    for name, config_map in eventually(manifests, 60, "every machine has its manifest").items():
        pod = json.loads(config_map["data"]["manifest.json"])["pod"]
        # As a Pod of the cluster it would be made like this.
        path = applied.path("Pod", space)
        made = applied.request("POST", path, pod, query={"dryRun": "All"})
        # Its ephemeral claims are the machine's, and so named.
        metadata = beside[name]["metadata"] | {"name": pod["metadata"]["name"]}
        assert _compared(made) == _compared(with_claims({**beside[name], "metadata": metadata})), name


def _pods(api: Api, space: str, selector: str, label: str) -> dict[str, Manifest]:
    """One Pod of each template by what it is labelled with, once all are there."""

    def all_there() -> dict[str, Manifest]:
        found = {pod["metadata"]["labels"][label]: pod for pod in api.list("Pod", space, labels=selector)}
        assert found.keys() >= TEMPLATES.keys(), TEMPLATES.keys() - found.keys()
        return found

    return eventually(all_there, 120, f"every template has its Pod ({selector})")


def _named(name: str, isolation: str) -> str:
    return name if isolation == "Container" else f"{name}-vm"


def _controller(name: str, space: str, template: Template) -> Manifest:
    """The Deployment or Job of a template, labelled so that its Pod is found."""
    metadata = template.get("metadata") or {}
    labels = {**(metadata.get("labels") or {}), _BESIDE: name}
    labelled = {**template, "metadata": {**metadata, "labels": labels}}
    its = {"name": name, "namespace": space}
    if ends(template):
        return {"apiVersion": "batch/v1", "kind": "Job", "metadata": its, "spec": {"template": labelled}}
    spec = {"selector": {"matchLabels": {_BESIDE: name}}, "template": labelled}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": its, "spec": spec}


def _compared(pod: Manifest) -> Manifest:
    """What of a Pod comes from its template: all but its own name, its node and a controller's notes."""
    spec = dict(pod["spec"])
    for own in ("nodeName", "hostname"):
        spec.pop(own, None)
    metadata = pod["metadata"]
    text = json.dumps(
        {
            "labels": _kept(metadata.get("labels") or {}),
            "annotations": _kept(metadata.get("annotations") or {}),
            "spec": spec,
        }
    )
    tokens = [
        volume["name"] for volume in spec.get("volumes", []) if volume["name"].startswith("kube-api-access-")
    ]
    for token in tokens:
        text = text.replace(token, "kube-api-access")
    compared: Manifest = json.loads(text)
    return compared


def _kept(notes: dict[str, str]) -> dict[str, str]:
    return {key: note for key, note in notes.items() if not key.startswith(_OWN) and key != _BESIDE}


def _referred(space: str) -> Iterator[Manifest]:
    """What the templates refer to, as little of it as a Pod needs to be made."""
    for kind, name in sorted({found for template in TEMPLATES.values() for found in _references(template)}):
        its = {"name": name, "namespace": space}
        match kind:
            case "PriorityClass":
                if not name.startswith("system-"):
                    yield {
                        "apiVersion": "scheduling.k8s.io/v1",
                        "kind": kind,
                        "metadata": {"name": name},
                        "value": 7,
                    }
            case "StorageClass":
                kind_of = {"apiVersion": "storage.k8s.io/v1", "kind": kind, "metadata": {"name": name}}
                yield {**kind_of, "provisioner": "example.com/none"}
            case "PersistentVolumeClaim":
                spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
                yield {"apiVersion": "v1", "kind": kind, "metadata": its, "spec": spec}
            case _:
                yield {"apiVersion": "v1", "kind": kind, "metadata": its}


def _references(template: Template) -> Iterator[tuple[str, str]]:
    spec = template["spec"]
    yield from (("ServiceAccount", spec[key]) for key in ("serviceAccountName",) if spec.get(key))
    if spec.get("priorityClassName"):
        yield "PriorityClass", spec["priorityClassName"]
    yield from _objects(spec)


def _objects(value: Any) -> Iterator[tuple[str, str]]:
    """ConfigMaps, claims and storage classes, however deep they are."""
    if isinstance(value, list):
        for element in value:
            yield from _objects(element)
    elif isinstance(value, dict):
        for key, below in value.items():
            if key in _NAMES and below:
                yield _NAMES[key], below["name"]
            elif key == "persistentVolumeClaim" and below:
                yield "PersistentVolumeClaim", below["claimName"]
            elif key == "storageClassName" and below:
                yield "StorageClass", below
            yield from _objects(below)
