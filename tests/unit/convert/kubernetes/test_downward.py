"""What a Pod says of itself, where the Workload's Pod says something else."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.convert.kubernetes.examples import converted, left
from tests.unit.convert.kubernetes.test_controllers import controller
from tests.unit.convert.kubernetes.test_services import service
from twinhull.api.base import Raw

POD_NAME = "statefulset.kubernetes.io/pod-name"
INDEX = "metadata.labels['apps.kubernetes.io/pod-index']"
AT = "spec.template.spec.containers[a].env[IT].valueFrom.fieldRef"


def reading(field: str, **more: Any) -> Raw:
    """A template whose container reads a field of its Pod."""
    env = [{"name": "IT", "valueFrom": {"fieldRef": {"fieldPath": field}}}]
    return {
        "metadata": {"labels": {"app": "web"}, **more},
        "spec": {"containers": [{"name": "a", "image": "b", "env": env}]},
    }


@pytest.mark.parametrize(
    ("field", "start", "expected"),
    [
        ("metadata.name", 0, "the Pod's name is web- and a revision, and no longer web-0"),
        ("metadata.name", 3, "if a program needs that name, write 'web-3' in its place"),
        (INDEX, 0, "only the controller of a StatefulSet sets apps.kubernetes.io/pod-index"),
        (INDEX, 3, "write '3' in its place, or give the template this label"),
        (f"metadata.labels['{POD_NAME}']", 0, "write 'web-0' in its place"),
        ("metadata.labels['controller-revision-hash']", 0, "write the value itself in its place"),
    ],
)
def test_each_field_that_a_statefulset_alone_gives_its_pod_is_told(
    field: str, start: int, expected: str
) -> None:
    conversion = converted(controller("StatefulSet", reading(field), ordinals={"start": start}))
    assert expected in left(conversion)[f"StatefulSet web: {AT}"]
    assert conversion.loses


def test_fields_in_volumes_are_told() -> None:
    item = {"path": "name", "fieldRef": {"fieldPath": "metadata.name"}}
    volumes = [
        {"name": "a", "downwardAPI": {"items": [item]}},
        {"name": "b", "projected": {"sources": [{"downwardAPI": {"items": [item]}}]}},
    ]
    spec = {"containers": [{"name": "a", "image": "b"}], "volumes": volumes}
    told = left(converted(controller("StatefulSet", {"spec": spec})))
    volume = "StatefulSet web: spec.template.spec.volumes"
    assert {
        f"{volume}[a].downwardAPI.items[0].fieldRef",
        f"{volume}[b].projected.sources[0].downwardAPI.items[0].fieldRef",
    } <= told.keys()


def test_a_pods_own_name_is_told() -> None:
    labels = {"app": "web", "apps.kubernetes.io/pod-index": "2"}
    for field, expected in (("metadata.name", "no longer web-2"), (INDEX, "write '2' in its place")):
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web-2", "labels": labels}}
        told = left(converted({**pod, "spec": reading(field)["spec"]}))
        assert expected in told["Pod web-2: spec.containers[a].env[IT].valueFrom.fieldRef"]


@pytest.mark.parametrize(
    "template",
    [
        reading("metadata.namespace"),
        reading("status.podIP"),
        reading("metadata.labels['app']"),
        reading(INDEX, labels={"apps.kubernetes.io/pod-index": "0"}),
        reading("metadata.annotations['note']"),
    ],
)
def test_what_the_workloads_pod_has_as_well_is_not_told(template: Raw) -> None:
    assert list(left(converted(controller("StatefulSet", template)))) == ["StatefulSet web: spec.serviceName"]


def test_a_deployments_pod_never_had_a_name_of_its_own() -> None:
    assert left(converted(controller("Deployment", reading("metadata.name")))) == {}


@pytest.mark.parametrize(
    ("kind", "selector", "is_lost"),
    [
        ("StatefulSet", {POD_NAME: "web-0"}, True),
        ("StatefulSet", {POD_NAME: "web-7", "app": "web"}, True),
        ("StatefulSet", {POD_NAME: "other-0"}, False),
        ("StatefulSet", {POD_NAME: "web-0", "app": "db"}, False),
        ("Deployment", {"pod-template-hash": "5d4", "app": "web"}, True),
        ("Deployment", {"pod-template-hash": "5d4"}, False),
        ("Deployment", {POD_NAME: "web-0"}, False),
    ],
)
def test_a_service_by_labels_of_a_controller_finds_nothing(kind: str, selector: Raw, is_lost: bool) -> None:  # noqa: FBT001
    given = controller(kind, reading("status.podIP"))
    why = left(converted(given, service("front", selector=selector)))["Service front"]
    assert why.startswith(f"it finds no Pod once {kind} web is gone") == is_lost
    assert why.endswith("set its selector to twinhull.dev/workload: web") == is_lost


@pytest.mark.parametrize(
    "selector",
    [
        {"matchLabels": {POD_NAME: "web-0"}},
        {"matchExpressions": [{"key": POD_NAME, "operator": "In", "values": ["web-0"]}]},
    ],
)
@pytest.mark.parametrize(
    ("kind", "field"), [("NetworkPolicy", "podSelector"), ("PodDisruptionBudget", "selector")]
)
def test_what_else_selects_by_labels_of_a_controller_is_told(kind: str, field: str, selector: Raw) -> None:
    given = {"apiVersion": "x/v1", "kind": kind, "metadata": {"name": "one"}}
    told = [
        left(converted(controller("StatefulSet"), {**given, "spec": {field: one}}))[f"{kind} one"]
        for one in (selector, {"matchLabels": {"app": "web"}})
    ]
    assert [f"it selects Pods by {POD_NAME}" in why for why in told] == [True, False]
