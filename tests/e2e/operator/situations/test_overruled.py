"""Somebody undoes what the operator writes: told once, true, and no fight."""

from __future__ import annotations

import pytest

from tests.controlplane import Cluster
from tests.e2e.operator.situations.admission import Mutation, mutating
from tests.e2e.operator.subject import Subject, container, template

pytestmark = pytest.mark.simulated

PORTS = template(containers=[container(ports=[{"containerPort": 80}])])
WRITES = ("CREATE", "UPDATE")
NO_NODE_PORTS = (
    '[JSONPatch{op: "replace", path: "/spec/type", value: "ClusterIP"}]'
    " + (has(object.spec.externalTrafficPolicy)"
    ' ? [JSONPatch{op: "remove", path: "/spec/externalTrafficPolicy"}] : [])'
)


def is_told_once(web: Subject) -> None:
    reasons = [reason for _, reason, _ in web.all_events()]
    assert reasons.count("Overruled") == 1
    assert not {"ServiceChanged", "DriftCorrected", "InternalError"} & set(reasons), reasons


def rests(web: Subject, kind: str, name: str) -> None:
    """Wait until another Workload has been through the operator; the object is written no more meanwhile."""
    version = web.one(kind, name)["metadata"]["resourceVersion"]
    other = web.named("other")
    other.apply("Container")
    other.becomes("Ready")
    assert web.one(kind, name)["metadata"]["resourceVersion"] == version


def test_a_cluster_without_node_ports_leaves_a_service_of_another_type(web: Subject) -> None:
    when = 'has(object.spec.type) && object.spec.type == "NodePort"'
    with mutating(web.cluster, web.namespace, Mutation("Service", NO_NODE_PORTS, WRITES, when)):
        web.apply("Container", PORTS, service={"type": "NodePort"})
        workload = web.becomes("Overruled")
        (ready,) = [c for c in workload["status"]["conditions"] if c["type"] == "Ready"]
        assert ready["status"] == "True"
        assert "Service web: spec.type is ClusterIP, not NodePort" in ready["message"]
        assert web.condition("Stalled")[0] == "False"
        rests(web, "Service", "web")
        is_told_once(web)
    web.becomes("Ready")
    assert web.one("Service", "web")["spec"]["type"] == "NodePort"


def test_a_manifest_that_is_made_another_starts_no_machine(web: Subject) -> None:
    rewrite = (
        '[JSONPatch{op: "replace", path: "/data", value: '
        "object.data.transformMapEntry(k, v, {k: v + ' '})}]"
    )
    when = 'has(object.metadata.labels) && "twinhull.dev/workload" in object.metadata.labels'
    with mutating(web.cluster, web.namespace, Mutation("ConfigMap", rewrite, WRITES, when)):
        web.apply("VirtualMachine")
        web.becomes("Overruled")
        assert web.condition("Stalled")[:2] == ("True", "Overruled")
        assert "ConfigMap" in web.condition("Ready")[2]
        assert "VirtualMachine" not in web.belongings()
        is_told_once(web)
    web.becomes("Ready")


def test_a_label_that_is_taken_from_a_pod_is_named(web: Subject) -> None:
    strip = '[JSONPatch{op: "remove", path: "/metadata/labels/twinhull.dev~1revision"}]'
    when = 'has(object.metadata.labels) && "twinhull.dev/revision" in object.metadata.labels'
    with mutating(web.cluster, web.namespace, Mutation("Pod", strip, WRITES, when)):
        web.apply("Container")
        web.becomes("Overruled")
        status, _, message = web.condition("Ready")
        assert status == "True"
        assert "metadata.labels[twinhull.dev/revision]" in message
        is_told_once(web)


def test_a_controller_that_undoes_it_each_time_is_named(web: Subject, cluster: Cluster) -> None:
    web.apply("Container", PORTS)
    web.becomes("Ready")
    rivals = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "web", "namespace": web.namespace},
        "spec": {"type": "NodePort"},
    }
    undone = 0

    def undo() -> bool:
        nonlocal undone
        if web.one("Service", "web")["spec"]["type"] == "ClusterIP":
            cluster.api.apply(rivals, manager="rival")
            undone += 1
        return web.condition("Ready")[1] == "Overruled"

    web.eventually(undo, "it is told who undoes it")
    assert "rival changes it each time that the operator sets it" in web.condition("Ready")[2]
    assert undone <= 5
