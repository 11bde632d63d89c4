"""Mistakes in a template: what a Deployment is refused for, a Workload is refused for at admission, too."""

from __future__ import annotations

from typing import Any

import pytest

from tests.controlplane import Cluster
from tests.controlplane.api import ApiError
from tests.e2e.refusal import refusal
from tests.e2e.test_workload_api import (
    MINIMAL,
    Manifest,
    container,
    deployment_of,
    merged,
    name,
    pod,
    template_metadata,
    tried,
    workload_of,
)

TWO = {"exec": {"command": ["true"]}, "httpGet": {"port": 80}}
NO_VOLUME = "names no volume: add it to volumes, or correct its name"
HAS_ONE_NAME = "two ports of a container have one name: rename one"


def init(**fields: object) -> Manifest:
    return pod(initContainers=[{"name": "init", "image": "busybox", **fields}])


def volume(**source: object) -> Manifest:
    return pod(volumes=[{"name": "data", **source}])


def variable(**fields: object) -> Manifest:
    return container(env=[{"name": "A", **fields}])


def mount(**fields: object) -> Manifest:
    mounted = container(volumeMounts=[{"name": "data", "mountPath": "/data", **fields}])
    change: Manifest = merged(mounted, volume(emptyDir={}))
    return change


def toleration(**fields: object) -> Manifest:
    return pod(tolerations=[fields])


FROM_POD = {"fieldRef": {"fieldPath": "metadata.name"}}
FROM_SECRET = {"secretKeyRef": {"name": "s", "key": "k"}}

#: A change of MINIMAL, and what the API server says of it.
MISTAKES: dict[str, tuple[Manifest, str]] = {
    "a liveness probe of two handlers": (container(livenessProbe=TWO), "containers[0].livenessProbe: Inv"),
    "a startup probe of two handlers": (
        container(startupProbe=TWO),
        "a probe has one of exec, grpc, httpGet",
    ),
    "a readiness probe of none": (container(readinessProbe={"periodSeconds": 5}), "keep or add one"),
    "a sidecar's probe of none": (
        init(restartPolicy="Always", livenessProbe={}),
        "initContainers[0].livenessProbe: Inv",
    ),
    "a hook of two handlers": (container(lifecycle={"preStop": TWO}), "lifecycle.preStop: Invalid"),
    "a hook of none": (container(lifecycle={"postStart": {}}), "lifecycle.postStart: Invalid"),
    "a probe's port 0": (container(livenessProbe={"httpGet": {"port": 0}}), "httpGet.port: Invalid"),
    "a probe's port 70000": (container(livenessProbe={"tcpSocket": {"port": 70_000}}), "from 1 to 65535"),
    "a probe that never is": (
        container(livenessProbe={"httpGet": {"port": 1}, "periodSeconds": -1}),
        "livenessProbe.periodSeconds",
    ),
    "a liveness of two successes": (
        container(livenessProbe={"httpGet": {"port": 1}, "successThreshold": 2}),
        "livenessProbe.successThreshold",
    ),
    "an init container's probe": (init(readinessProbe={"httpGet": {"port": 1}}), "makes it a sidecar"),
    "a mount of no volume": (container(volumeMounts=[{"name": "x", "mountPath": "/x"}]), NO_VOLUME),
    "an init container's mount of no volume": (
        merged(init(volumeMounts=[{"name": "dat", "mountPath": "/x"}]), volume(emptyDir={})),
        "spec.template.spec.initContainers: Invalid value: one of the volumeMounts " + NO_VOLUME,
    ),
    "a device of no volume": (container(volumeDevices=[{"name": "x", "devicePath": "/dev/x"}]), NO_VOLUME),
    "two ports of one name": (
        container(ports=[{"containerPort": 80, "name": "web"}, {"containerPort": 81, "name": "web"}]),
        HAS_ONE_NAME,
    ),
    "a sidecar's ports of one name": (
        init(
            restartPolicy="Always",
            ports=[
                {"containerPort": 80, "name": "a"},
                {"containerPort": 81},
                {"containerPort": 82, "name": "a"},
            ],
        ),
        HAS_ONE_NAME,
    ),
    "a port's name with capitals": (
        container(ports=[{"containerPort": 80, "name": "Http"}]),
        "ports[0].name",
    ),
    "a port's name of digits": (container(ports=[{"containerPort": 80, "name": "80"}]), "ports[0].name"),
    "a port's name with an underscore": (
        container(ports=[{"containerPort": 80, "name": "a_b"}]),
        "ports[0].name",
    ),
    "a variable's name with =": (container(env=[{"name": "A=B", "value": "1"}]), "env[0].name"),
    "a variable's name with an umlaut": (container(env=[{"name": "Ä", "value": "1"}]), "env[0].name"),
    "a variable without a name": (container(env=[{"name": "", "value": "1"}]), "env[0].name"),
    "a variable with value and valueFrom": (
        variable(value="1", valueFrom=FROM_POD),
        "env[0]: Invalid value: a variable has value and valueFrom: keep one",
    ),
    "a variable of two sources": (
        variable(valueFrom={**FROM_POD, **FROM_SECRET}),
        "env[0].valueFrom: Invalid value: valueFrom has one of configMapKeyRef, fieldRef",
    ),
    "a variable of no source": (variable(valueFrom={}), "env[0].valueFrom"),
    "a variable of a field that there isn't": (
        variable(valueFrom={"fieldRef": {"fieldPath": "spec.image"}}),
        "fieldRef.fieldPath",
    ),
    "all variables of nothing": (container(envFrom=[{"prefix": "A_"}]), "envFrom[0]: Invalid"),
    "all variables of two": (
        container(envFrom=[{"configMapRef": {"name": "a"}, "secretRef": {"name": "b"}}]),
        "an element of envFrom has one of configMapRef and secretRef",
    ),
    "a label's key with a space": (template_metadata(labels={"my app": "a"}), "a label's key is none"),
    "a label's key of two prefixes": (template_metadata(labels={"a/b/c": "a"}), "a label's key is none"),
    "a label's value with a slash": (template_metadata(labels={"tier": "a/b"}), "metadata.labels.tier"),
    "an annotation's key with a space": (
        template_metadata(annotations={"my note": "a"}),
        "an annotation's key is none",
    ),
    "a node's label with a space": (pod(nodeSelector={"a b": "c"}), "spec.nodeSelector: Invalid"),
    "a subPath upwards": (mount(subPath="../etc"), "volumeMounts[0].subPath"),
    "a subPath upwards behind": (mount(subPath="a/.."), "volumeMounts[0].subPath"),
    "an absolute subPath": (mount(subPath="/etc"), "volumeMounts[0].subPath"),
    "a subPath twice": (mount(subPath="a", subPathExpr="$(A)"), "a mount has subPath and subPathExpr"),
    "a mount nowhere": (mount(mountPath=""), "volumeMounts[0].mountPath"),
    "a volume of two sources": (
        volume(emptyDir={}, configMap={"name": "c"}),
        "spec.volumes[0]: Invalid value: a volume has one source: keep one",
    ),
    "a key's path upwards": (
        volume(configMap={"name": "c", "items": [{"key": "k", "path": "../k"}]}),
        "configMap.items[0].path",
    ),
    "a projected source of two": (
        volume(projected={"sources": [{"configMap": {"name": "c"}, "secret": {"name": "s"}}]}),
        "projected.sources[0]: Invalid value: a source has one of clusterTrustBundle",
    ),
    "a file of two fields": (
        volume(
            downwardAPI={
                "items": [
                    {
                        "path": "a",
                        "resourceFieldRef": {"containerName": "web", "resource": "limits.cpu"},
                        **FROM_POD,
                    }
                ]
            }
        ),
        "downwardAPI.items[0]: Invalid",
    ),
    "an init container of a container's name": (
        pod(initContainers=[{"name": "web", "image": "a"}]),
        "an init container has the name of a container: rename one of them",
    ),
    "no name server": (pod(dnsPolicy="None"), "dnsPolicy None leaves no name server"),
    "a host name with an underscore": (pod(hostname="my_host"), "spec.hostname"),
    "a subdomain with a dot": (pod(subdomain="a.b"), "spec.subdomain"),
    "a deadline of 0": (pod(activeDeadlineSeconds=0), "spec.activeDeadlineSeconds"),
    "a value for Exists": (
        toleration(key="a", operator="Exists", value="b"),
        "operator Exists takes no value",
    ),
    "a toleration of no key": (toleration(effect="NoSchedule"), "a toleration without a key"),
    "a NoSchedule that ends": (
        toleration(key="a", operator="Exists", effect="NoSchedule", tolerationSeconds=5),
        "tolerationSeconds is for effect NoExecute",
    ),
    "a privilege without escalation": (
        container(securityContext={"privileged": True, "allowPrivilegeEscalation": False}),
        "securityContext.allowPrivilegeEscalation: Invalid",
    ),
    "a weight of 0": (
        pod(
            affinity={
                "nodeAffinity": {
                    "preferredDuringSchedulingIgnoredDuringExecution": [
                        {
                            "weight": 0,
                            "preference": {"matchExpressions": [{"key": "a", "operator": "Exists"}]},
                        }
                    ]
                }
            }
        ),
        "[0].weight",
    ),
}

#: What looks like one of them and is none.
HONEST: dict[str, Manifest] = {
    "values that are empty": container(
        env=[{"name": "A", "value": "", "valueFrom": FROM_POD}], ports=[{"containerPort": 80, "name": ""}]
    ),
    "a port's name in two containers": pod(
        containers=[
            {"name": at, "image": "nginx", "ports": [{"containerPort": port, "name": "metrics"}]}
            for at, port in (("web", 80), ("side", 81))
        ]
    ),
    "odd names of variables": container(
        env=[{"name": at, "value": "1"} for at in ("a.b-c", "1A", "A B", "_", "A$")]
    ),
    "dots in paths": merged(
        mount(subPath="..a/b..c/./...", readOnly=True),
        pod(
            volumes=[
                {"name": "data", "configMap": {"name": "c", "items": [{"key": "k", "path": "a/.b/..c"}]}}
            ]
        ),
    ),
    "a folder's slash": mount(subPath="data/"),
    "a mount by a sidecar": merged(
        init(
            restartPolicy="Always",
            volumeMounts=[{"name": "data", "mountPath": "/d"}],
            startupProbe={"httpGet": {"port": "web"}},
        ),
        volume(emptyDir={}),
    ),
    "a key with capitals": template_metadata(
        labels={"App.Kubernetes.io_x": "A.b_C-1", "app": ""}, annotations={"Team.example/Event": ""}
    ),
    "a toleration of everything": toleration(operator="Exists"),
    "privileged alone": container(securityContext={"privileged": True}),
    "a source that isn't said": volume(),
    "old fields": variable(
        valueFrom={"fieldRef": {"fieldPath": "metadata.labels['app.kubernetes.io/name']"}}
    ),
}


@pytest.fixture(autouse=True, scope="module")
def _kinds(cluster: Cluster) -> None:
    """The operator's own kinds."""


def template_of(change: Manifest) -> Manifest:
    template: Manifest = merged(MINIMAL, change)["spec"]["template"]
    return template


@pytest.mark.parametrize(("change", "words"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_refused_at_once(control_plane: Cluster, change: Manifest, words: str) -> None:
    template = template_of(change)
    with pytest.raises(ApiError):
        tried(control_plane, deployment_of(template))
    with pytest.raises(ApiError) as refusal:
        tried(control_plane, workload_of(template))
    assert words in refusal.value.message


@pytest.mark.parametrize("change", HONEST.values(), ids=HONEST)
def test_what_only_looks_like_a_mistake_is_taken(control_plane: Cluster, change: Manifest) -> None:
    template = template_of(change)
    tried(control_plane, deployment_of(template))
    tried(control_plane, workload_of(template))


def test_what_was_stored_with_mistakes_can_be_updated(control_plane: Cluster, namespace: str) -> None:
    """The rules came with an upgrade of the CRD; they hold for what is changed."""
    crd = control_plane.api.get("CustomResourceDefinition", "workloads.twinhull.dev")
    assert crd is not None
    (version,) = crd["spec"]["versions"]
    definition = _without_rules(version)
    mistaken = merged(container(livenessProbe=TWO), template_metadata(labels={"my app": "a"}))
    manifest = merged(MINIMAL, merged(mistaken, name("old")))

    def store() -> object:
        return control_plane.api.request("POST", control_plane.api.path("Workload", namespace), manifest)

    _define(control_plane, definition)
    try:
        control_plane.eventually(store, 30, "the CRD of before takes it")
    finally:
        _define(control_plane, version)
    like = merged(manifest, {"metadata": {"name": "like", "namespace": namespace}})
    control_plane.eventually(
        lambda: "a label's key is none" in refusal(control_plane.api, like),
        30,
        "the CRD of now refuses its like",
    )

    change = control_plane.api.patch
    change("Workload", "old", namespace, {"metadata": {"labels": {"team": "shop"}}})
    change("Workload", "old", namespace, {"spec": {"state": "Stopped"}})
    change("Workload", "old", namespace, {"spec": {"template": {"spec": {"hostname": "shop"}}}})
    with pytest.raises(ApiError, match="a label's key is none"):
        change("Workload", "old", namespace, {"spec": {"template": {"metadata": {"labels": {"b": "c"}}}}})


def _without_rules(schema: Any) -> Any:
    """A schema that says of each field no more than its type."""
    if isinstance(schema, list):
        return [_without_rules(element) for element in schema]
    if not isinstance(schema, dict):
        return schema
    rules = ("x-kubernetes-validations", "pattern")
    return {key: _without_rules(below) for key, below in schema.items() if key not in rules}


def _define(control_plane: Cluster, version: Manifest) -> None:
    patch = [{"op": "replace", "path": "/spec/versions/0", "value": version}]
    control_plane.api.patch("CustomResourceDefinition", "workloads.twinhull.dev", None, patch)
