"""However a template is written: where a Deployment beside it rolls nothing, no hull is replaced.

The Deployment's ReplicaSets tell the truth: another one is made for each template that means something else.
"""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from tests.controlplane import Cluster
from tests.e2e.operator.situations.pair import BASE, NULLS, Pair, with_container, with_pod
from tests.e2e.operator.subject import Manifest, Subject

pytestmark = pytest.mark.simulated

#: Nulls as entries of maps, which Go reads as empty.
EMPTY_ENTRIES: Manifest = {
    "metadata": {"annotations": {"note": None}, "labels": {"tier": None}},
    "spec": {
        "nodeSelector": {"example.com/none": None},
        "containers": [{"name": "web", "image": "nginx:1.29", "resources": {"requests": {"cpu": None}}}],
    },
}

#: Other ways to write BASE.
SAME: dict[str, Manifest] = {
    "other units": with_container(
        resources={
            "requests": {"cpu": "1000m", "memory": "1024Mi"},
            "limits": {"cpu": 2, "memory": 2147483648},
        }
    ),
    "a Pod's defaults": with_pod(
        restartPolicy="Always",
        terminationGracePeriodSeconds=30,
        dnsPolicy="ClusterFirst",
        schedulerName="default-scheduler",
        securityContext={},
        serviceAccount="default",
    ),
    "a container's defaults": with_container(
        imagePullPolicy="IfNotPresent",
        terminationMessagePath="/dev/termination-log",
        terminationMessagePolicy="File",
        ports=[{"containerPort": 80, "protocol": "TCP"}],
        env=[{"name": "A", "value": ""}],
    ),
    "probes' and handlers' defaults": with_container(
        startupProbe={
            "httpGet": {"port": 80, "path": "/", "scheme": "HTTP"},
            "periodSeconds": 10,
            "timeoutSeconds": 1,
            "successThreshold": 1,
            "failureThreshold": 3,
            "initialDelaySeconds": 0,
        },
        lifecycle={"preStop": {"httpGet": {"port": 80, "path": "/", "scheme": "HTTP"}}},
    ),
    "volumes' defaults": with_pod(
        volumes=[
            {"name": "scratch", "emptyDir": {"sizeLimit": "1024Mi", "medium": ""}},
            {"name": "flags", "configMap": {"name": "flags", "optional": True, "defaultMode": 420}},
        ]
    ),
    "what is false": with_pod(hostNetwork=False, hostPID=False, hostIPC=False),
    "read-write mounts": with_container(
        volumeMounts=[
            {"name": "scratch", "mountPath": "/scratch", "readOnly": False, "subPath": ""},
            {"name": "flags", "mountPath": "/f", "readOnly": False},
        ],
        stdin=False,
        tty=False,
    ),
    "what is empty": with_pod(
        tolerations=[], nodeSelector={}, imagePullSecrets=[], hostAliases=[], initContainers=[]
    ),
    "a container's empty lists": with_container(args=[], command=[], envFrom=[], workingDir=""),
    "nulls": with_pod(tolerations=None, affinity=None, securityContext=None, dnsConfig=None),
    "metadata": {
        **BASE,
        "metadata": {"labels": {"app": "shop"}, "annotations": {}, "creationTimestamp": None},
    },
}

#: Templates that look much like BASE, and mean something else to a Deployment.
OTHER: dict[str, Manifest] = {
    "a container's own context": with_container(securityContext={}),
    "affinity": with_pod(affinity={}),
    "the root's user": with_pod(securityContext={"runAsUser": 0}),
    "no grace": with_pod(terminationGracePeriodSeconds=0),
    "the other pull policy": with_container(imagePullPolicy="Always"),
}


@pytest.fixture(params=["Container", "VirtualMachine"])
def pair(cluster: Cluster, web: Subject, request: pytest.FixtureRequest) -> Pair:
    return Pair(cluster, web, request.param)


def test_where_a_deployment_does_nothing_a_workload_does_nothing(pair: Pair) -> None:
    _, begun = pair.apply(BASE)
    differing = {name: now for name, template in SAME.items() if (now := pair.apply(template)[1]) != begun}
    assert differing == {}


@pytest.mark.parametrize("what", OTHER)
def test_where_a_deployment_rolls_a_workload_is_of_another_revision(
    cluster: Cluster, web: Subject, what: str
) -> None:
    pair = Pair(cluster, web, "Container")
    pair.apply(BASE)
    replica_sets, revision = pair.replica_sets(), web.get()["status"]["hull"]["revision"]
    pair.apply(OTHER[what])
    assert len(pair.replica_sets()) == len(replica_sets) + 1
    assert web.get()["status"]["hull"]["revision"] != revision


@pytest.mark.parametrize("options", [(), ("--server-side",)], ids=["client-side", "server-side"])
@pytest.mark.parametrize("template", [NULLS, EMPTY_ENTRIES], ids=["fields", "entries"])
def test_nulls_mean_what_they_mean_in_a_deployment(
    cluster: Cluster, web: Subject, template: Manifest, options: tuple[str, ...]
) -> None:
    pair = Pair(cluster, web, "Container", *options)
    cluster.kubectl.apply(pair.workload(template), *options)
    cluster.kubectl.apply(pair.deployment(template), *options)
    pod = web.eventually(
        lambda: next(iter(cluster.api.list("Pod", web.namespace, labels="twinhull.dev/workload=web")), None),
        "a Pod is made",
    )
    assert pod is not None
    wanted = web.one("Deployment", "beside")["spec"]["template"]
    assert lacks(wanted["spec"], pod["spec"]) == []
    assert lacks((template["metadata"].get("annotations") or {}), pod["metadata"]["annotations"]) == []

    workload = web.get()
    output = cluster.kubectl.apply(pair.workload(template), *options)
    # Client-side, kubectl leaves nulls out of what it creates, and then misses those in lists each time.
    assert ("serverside-applied" if options else "configured") in output
    assert web.get()["metadata"]["generation"] == workload["metadata"]["generation"]
    pair.differs_in_nothing(*options, stdin=yaml.safe_dump(pair.workload(template)))


def lacks(wanted: Any, live: Any, at: str = "") -> list[str]:
    """What `live` hasn't got of what was asked for; a null asks for nothing, or for what is empty."""
    if isinstance(wanted, dict) and isinstance(live, dict):
        return [path for key, value in wanted.items() for path in lacks(value, live.get(key), f"{at}.{key}")]
    if isinstance(wanted, list) and isinstance(live, list) and len(wanted) <= len(live):
        return [path for n, value in enumerate(wanted) for path in lacks(value, live[n], f"{at}[{n}]")]
    return [] if wanted == live or not (wanted or live) else [f"{at}: {wanted!r}, and is {live!r}"]


@pytest.mark.parametrize("options", [(), ("--server-side",)], ids=["client-side", "server-side"])
def test_a_second_apply_changes_nothing(cluster: Cluster, web: Subject, options: tuple[str, ...]) -> None:
    pair = Pair(cluster, web, "Container", *options)
    manifest = pair.workload(BASE)
    manifest["spec"]["virtualMachine"] = {"registries": [{"host": "registry.example"}]}
    cluster.kubectl.apply(manifest, *options)
    first = web.becomes("Ready")
    output = cluster.kubectl.apply(manifest, *options)
    assert output.strip().endswith("serverside-applied" if options else "unchanged")
    assert web.get()["metadata"]["generation"] == first["metadata"]["generation"]
    pair.differs_in_nothing(*options, stdin=yaml.safe_dump(manifest))


def test_names_in_a_template_are_taken_and_told_of_once(cluster: Cluster, web: Subject) -> None:
    named = {"metadata": {"name": "other", "namespace": "elsewhere"}, "spec": BASE["spec"]}
    pair = Pair(cluster, web, "Container")
    cluster.kubectl.apply(pair.workload(named))
    begun = pair.runs()
    assert web.hull()["metadata"]["name"].startswith("web-")
    cluster.kubectl.apply(pair.workload({"metadata": None, "spec": BASE["spec"]}))
    assert pair.runs() == begun
    notes = [note for _, _, note in web.all_events() if "spec.template.metadata.name" in note]
    assert len(notes) == 1


def test_a_sandbox_takes_its_own_runtime_class_in_the_template(cluster: Cluster, web: Subject) -> None:
    pair = Pair(cluster, web, "Sandbox")
    for named, reason in (("kata", ""), ("gvisor", "RuntimeClassMissing")):
        manifest = pair.workload({"spec": {**BASE["spec"], "runtimeClassName": named}})
        manifest["spec"]["sandbox"] = {"runtimeClassName": "gvisor"}
        if not reason:
            with pytest.raises(Exception, match="a Sandbox takes its RuntimeClass from"):
                cluster.kubectl.apply(manifest)
            continue
        cluster.kubectl.apply(manifest)
        web.becomes(reason)  # there is none of that name here, and nothing else is wrong


def test_kubectl_explains_where_the_templates_fields_are_explained(cluster: Cluster) -> None:
    explanation = " ".join(cluster.kubectl("explain", "twl.spec.template.spec").split())
    assert "See kubectl explain pod.spec." in explanation
