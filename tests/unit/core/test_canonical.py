"""Of all the ways to write the same Pod there is one, and different Pods have different ones."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.podtemplate.rewriting import rewritings
from tests.podtemplate.samples import samples
from twinhull.api.base import Raw
from twinhull.api.nulls import without_nulls
from twinhull.core.canonical import canonical, resources_by_value

STORED = json.loads((Path(__file__).parents[2] / "podtemplate/stored.json").read_text(encoding="utf-8"))
SAMPLES = samples()


def container(**fields: Any) -> Raw:
    return pod(containers=[{"name": "web", "image": "nginx:1.29", **fields}])


def pod(**fields: Any) -> Raw:
    return {"spec": {"containers": [{"name": "web", "image": "nginx:1.29"}], **fields}}


def volume(**source: Any) -> Raw:
    return pod(volumes=[{"name": "data", **source}])


def affinity(**term: Any) -> Raw:
    terms = [{"topologyKey": "zone", "labelSelector": {}, **term}]
    return pod(affinity={"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": terms}})


PROBED = {"httpGet": {"port": 80}}
DEFAULTED = {
    "httpGet": {"port": 80, "path": "/", "scheme": "HTTP"},
    "periodSeconds": 10,
    "timeoutSeconds": 1,
    "successThreshold": 1,
    "failureThreshold": 3,
    "initialDelaySeconds": 0,
}

#: Two ways to write the same.
SAME: dict[str, tuple[Raw, Raw]] = {
    "a core": (
        container(resources={"limits": {"cpu": 1}}),
        container(resources={"limits": {"cpu": "1000m"}}),
    ),
    "a gibibyte": (
        container(resources={"limits": {"memory": "1Gi"}}),
        container(resources={"limits": {"memory": "1024Mi"}}),
    ),
    "half a core": (
        container(resources={"requests": {"cpu": 0.5}}),
        container(resources={"requests": {"cpu": "500m"}}),
    ),
    "a request that is the limit": (
        container(resources={"limits": {"cpu": "1"}}),
        container(resources={"limits": {"cpu": "1"}, "requests": {"cpu": "1000m"}}),
    ),
    "the pull policy of a tag": (container(), container(imagePullPolicy="IfNotPresent")),
    "the pull policy of no tag": (
        container(image="nginx"),
        container(image="nginx", imagePullPolicy="Always"),
    ),
    "the pull policy of latest with a digest": (
        container(image=f"nginx:latest@sha256:{'0' * 64}"),
        container(image=f"nginx:latest@sha256:{'0' * 64}", imagePullPolicy="Always"),
    ),
    "the pull policy of a digest at a registry with a port": (
        container(image=f"registry:5000/nginx@sha256:{'0' * 64}"),
        container(image=f"registry:5000/nginx@sha256:{'0' * 64}", imagePullPolicy="IfNotPresent"),
    ),
    "what a Pod is by default": (
        pod(),
        pod(
            restartPolicy="Always",
            terminationGracePeriodSeconds=30,
            dnsPolicy="ClusterFirst",
            schedulerName="default-scheduler",
            enableServiceLinks=True,
            securityContext={},
            hostNetwork=False,
            nodeSelector={},
            tolerations=[],
            imagePullSecrets=None,
        ),
    ),
    "what a container is by default": (
        container(),
        container(
            terminationMessagePath="/dev/termination-log",
            terminationMessagePolicy="File",
            env=[],
            resources={},
            args=None,
            stdin=False,
        ),
    ),
    "a probe": (container(readinessProbe=PROBED), container(readinessProbe=DEFAULTED)),
    "a port's protocol": (
        container(ports=[{"containerPort": 80}]),
        container(ports=[{"containerPort": 80, "protocol": "TCP", "hostPort": 0}]),
    ),
    "a port of the node's network": (
        {"spec": {"hostNetwork": True, **container(ports=[{"containerPort": 80}])["spec"]}},
        {"spec": {"hostNetwork": True, **container(ports=[{"containerPort": 80, "hostPort": 80}])["spec"]}},
    ),
    "a read-write mount": (
        container(volumeMounts=[{"name": "a", "mountPath": "/a"}]),
        container(volumeMounts=[{"name": "a", "mountPath": "/a", "readOnly": False, "subPath": ""}]),
    ),
    "a variable without a value": (
        container(env=[{"name": "A"}]),
        container(env=[{"name": "A", "value": ""}]),
    ),
    "files' mode": (
        volume(configMap={"name": "a"}),
        volume(configMap={"name": "a", "defaultMode": 0o644, "items": []}),
    ),
    "a volume that says nothing": (volume(), volume(emptyDir={})),
    "an account by its old name": (
        pod(serviceAccountName="web"),
        pod(serviceAccountName="web", serviceAccount="web"),
    ),
    "a claim of its own": (
        volume(ephemeral={"volumeClaimTemplate": {"spec": {"resources": {"requests": {"storage": "1Gi"}}}}}),
        volume(
            ephemeral={
                "volumeClaimTemplate": {
                    "metadata": {"creationTimestamp": None},
                    "spec": {"volumeMode": "Filesystem", "resources": {"requests": {"storage": 2**30}}},
                }
            }
        ),
    ),
    "metadata of which a Pod gets nothing": (
        pod(),
        {"metadata": {"creationTimestamp": None, "name": "web", "namespace": "x", "labels": {}}, **pod()},
    ),
}

#: Two templates that are alike, and make different Pods.
DIFFERENT: dict[str, tuple[Raw, Raw]] = {
    "a claim's place": (volume(emptyDir={}), volume(hostPath={"path": "/"})),
    "a container's empty context": (container(), container(securityContext={})),
    "an account token": (pod(), pod(automountServiceAccountToken=False)),
    "service links": (pod(), pod(enableServiceLinks=False)),
    "no grace": (pod(), pod(terminationGracePeriodSeconds=0)),
    "user 0": (container(securityContext={}), container(securityContext={"runAsUser": 0})),
    "not privileged": (container(securityContext={}), container(securityContext={"privileged": False})),
    "no request": (
        container(resources={"limits": {"cpu": "1"}}),
        container(resources={"limits": {"cpu": "1"}, "requests": {"cpu": 0}}),
    ),
    "all namespaces": (affinity(), affinity(namespaceSelector={})),
    "any Pod": (affinity(labelSelector=None), affinity(labelSelector={})),
    "affinity that says nothing": (pod(affinity={}), pod(affinity={"podAntiAffinity": {}})),
    "the other pull policy": (container(), container(imagePullPolicy="Always")),
    "a port's number as a name": (
        container(readinessProbe={"tcpSocket": {"port": 80}}),
        container(readinessProbe={"tcpSocket": {"port": "80"}}),
    ),
    "an empty variable of another name": (container(env=[{"name": "A"}]), container(env=[{"name": "B"}])),
    "an empty label": (pod(), {"metadata": {"labels": {"a": ""}}, **pod()}),
    "order": (container(args=["a", "b"]), container(args=["b", "a"])),
    "files' mode": (
        volume(configMap={"name": "a"}),
        volume(configMap={"name": "a", "defaultMode": 0o600}),
    ),
    "an optional reference": (
        volume(configMap={"name": "a"}),
        volume(configMap={"name": "a", "optional": False}),
    ),
}


@pytest.mark.parametrize("name", SAME)
def test_same(name: str) -> None:
    one, other = SAME[name]
    assert canonical(one) == canonical(other)


@pytest.mark.parametrize("name", DIFFERENT)
def test_different(name: str) -> None:
    one, other = DIFFERENT[name]
    assert canonical(one) != canonical(other)


@pytest.mark.parametrize("name", SAMPLES)
def test_what_an_api_server_makes_of_a_template_is_the_same(name: str) -> None:
    stored = STORED[name]
    assert canonical(stored) == canonical(without_nulls(SAMPLES[name]))


@pytest.mark.slow
@pytest.mark.parametrize("name", SAMPLES)
@settings(max_examples=20, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_however_a_template_is_written_it_is_the_same(name: str, data: st.DataObject) -> None:
    rewritten = data.draw(rewritings(SAMPLES[name]))
    assert canonical(without_nulls(rewritten)) == canonical(without_nulls(SAMPLES[name]))


@pytest.mark.parametrize("name", SAMPLES)
def test_canonical_is_its_own_canonical(name: str) -> None:
    once = canonical(SAMPLES[name])
    assert canonical(once) == once


def test_what_is_no_quantity_is_as_it_was_written() -> None:
    assert resources_by_value({"limits": {"cpu": "much"}}) == {"limits": {"cpu": "much"}}
