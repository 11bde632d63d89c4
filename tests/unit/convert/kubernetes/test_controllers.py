"""Deployments, ReplicaSets, StatefulSets and DaemonSets."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from click.testing import CliRunner

from tests import templates
from tests.unit.convert.kubernetes.examples import converted, left, made_of
from twinhull.api.base import Raw
from twinhull.api.isolation import Isolation
from twinhull.cli import main
from twinhull.convert.conversion import CannotConvert

TEMPLATES = templates.templates()
WEB: Raw = {
    "metadata": {"labels": {"app": "web"}},
    "spec": {"containers": [{"name": "web", "image": "nginx"}]},
}


def controller(kind: str, template: Raw = WEB, /, **spec: Any) -> Raw:
    return {
        "apiVersion": "apps/v1",
        "kind": kind,
        "metadata": {"name": "web"},
        "spec": {"selector": {"matchLabels": {"app": "web"}}, "template": template, **spec},
    }


def claim(name: str, *modes: str) -> Raw:
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": name},
        "spec": {"accessModes": list(modes)},
    }


@pytest.mark.parametrize("name", [name for name, one in TEMPLATES.items() if not templates.ends(one)])
def test_a_template_stays_as_it_is(name: str) -> None:
    original = copy.deepcopy(TEMPLATES[name])
    made = made_of(converted(controller("Deployment", TEMPLATES[name])))
    assert made["spec"]["template"] == original == TEMPLATES[name]


@pytest.mark.slow
def test_what_is_made_of_public_templates_is_rendered() -> None:
    """`twinhull render` finds no mistake in any of them."""
    workloads = []
    for number, template in enumerate(TEMPLATES.values()):
        kind = "Job" if templates.ends(template) else "Deployment"
        given = controller(kind, template)
        if kind == "Job":
            given["apiVersion"] = "batch/v1"
        made = made_of(converted(given, isolation=Isolation.CONTAINER, name=f"web-{number}"))
        workloads.append(made)
    result = CliRunner().invoke(
        main, ["render", "-f", "-"], input=json.dumps({"kind": "List", "items": workloads})
    )
    assert result.exit_code == 0, result.stderr
    assert result.stdout.count("kind: Pod\n") == len(TEMPLATES)


@pytest.mark.parametrize(
    ("strategy", "expected"),
    [
        (None, "StartFirst"),
        ({}, "StartFirst"),
        ({"type": "RollingUpdate"}, "StartFirst"),
        ({"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}, "StartFirst"),
        ({"rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"}}, "StartFirst"),
        ({"rollingUpdate": {"maxSurge": 0, "maxUnavailable": 1}}, None),
        ({"rollingUpdate": {"maxSurge": "0%", "maxUnavailable": 1}}, None),
        ({"type": "Recreate"}, None),
    ],
)
def test_a_deployments_strategy(strategy: Raw | None, expected: str | None) -> None:
    conversion = converted(controller("Deployment", strategy=strategy))
    assert made_of(conversion)["spec"].get("replacement", {}).get("strategy") == expected
    assert conversion.left == ()


def test_a_pod_that_may_be_gone_during_a_rolling_update_is_kept() -> None:
    conversion = converted(controller("Deployment", strategy={"rollingUpdate": {"maxUnavailable": 1}}))
    assert left(conversion) == {
        "Deployment web: spec.strategy.rollingUpdate.maxUnavailable": "StartFirst ends the old Pod only when "
        "the new one is Ready"
    }


@pytest.mark.parametrize(
    ("claims", "expected"),
    [
        ([claim("data", "ReadWriteMany")], "StartFirst"),
        ([claim("data", "ReadWriteOnce")], None),
        ([claim("other", "ReadWriteMany")], None),
        ([], None),
    ],
)
def test_what_two_pods_cannot_have_at_once_makes_it_recreate(claims: list[Raw], expected: str | None) -> None:
    """Where the claim isn't known, too: were it ReadWriteOnce, the Workload would never start."""
    pod = {**WEB["spec"], "volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}]}
    conversion = converted(controller("Deployment", {"spec": pod}), *claims)
    assert made_of(conversion)["spec"].get("replacement", {}).get("strategy") == expected
    why = left(conversion).get("Deployment web: spec.strategy", "")
    assert ("claim data" in why and "Recreate" in why) == (expected is None)
    assert why.endswith("set replacement.strategy to StartFirst") == (
        expected is None and not any(one["metadata"]["name"] == "data" for one in claims)
    )


def test_a_port_of_the_node_makes_it_recreate() -> None:
    pod = {
        "containers": [{"name": "web", "image": "nginx", "ports": [{"containerPort": 80, "hostPort": 80}]}]
    }
    conversion = converted(controller("Deployment", {"spec": pod}))
    assert "replacement" not in made_of(conversion)["spec"]
    why = left(conversion)["Deployment web: spec.strategy"]
    assert "port 80 of the node" in why
    assert "StartFirst" not in why  # the operator would refuse it


@pytest.mark.parametrize(
    ("replicas", "state", "is_left"),
    [(None, None, False), (1, None, False), (0, "Stopped", False), (3, None, True)],
)
@pytest.mark.parametrize("kind", ["Deployment", "ReplicaSet", "StatefulSet"])
def test_replicas(kind: str, replicas: int | None, state: str | None, is_left: bool) -> None:  # noqa: FBT001
    conversion = converted(controller(kind, replicas=replicas))
    assert made_of(conversion)["spec"].get("state") == state
    assert (f"{kind} web: spec.replicas" in left(conversion)) == is_left


@pytest.mark.parametrize(("seconds", "expected"), [(300, 300), (0, None), (2147483647, None)])
def test_a_progress_deadline(seconds: int, expected: int | None) -> None:
    conversion = converted(
        controller("Deployment", progressDeadlineSeconds=seconds, strategy={"type": "Recreate"})
    )
    replacement = made_of(conversion)["spec"].get("replacement", {})
    assert replacement.get("progressDeadlineSeconds") == expected
    assert ("Deployment web: spec.progressDeadlineSeconds" in left(conversion)) == (expected is None)


def test_a_daemonset_says_that_it_runs_once() -> None:
    conversion = converted(controller("DaemonSet"))
    assert "not one on each node" in left(conversion)["DaemonSet web: kind"]
    assert "replacement" not in made_of(conversion)["spec"]


def test_a_daemonset_with_a_surplus_pod_starts_first() -> None:
    made = made_of(converted(controller("DaemonSet", updateStrategy={"rollingUpdate": {"maxSurge": 1}})))
    assert made["spec"]["replacement"] == {"strategy": "StartFirst"}


@pytest.mark.parametrize("kind", ["DaemonSet", "StatefulSet"])
def test_on_delete_is_named(kind: str) -> None:
    conversion = converted(controller(kind, updateStrategy={"type": "OnDelete"}))
    assert "until somebody deletes the Pod" in left(conversion)[f"{kind} web: spec.updateStrategy.type"]


def test_a_statefulset_takes_up_the_claims_of_its_first_pod() -> None:
    pod = {
        "containers": [
            {"name": "db", "image": "postgres", "volumeMounts": [{"name": "data", "mountPath": "/data"}]}
        ]
    }
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    given = controller(
        "StatefulSet",
        {"spec": {**pod, "volumes": [{"name": "data", "emptyDir": {}}]}},
        volumeClaimTemplates=[{"metadata": {"name": "data"}, "spec": spec}],
    )
    # Kubernetes' check of a template wants each mount's volume, which the StatefulSet adds; ours too.
    conversion = converted(given, name="db", namespace="shop")
    made = made_of(conversion)
    assert made["metadata"] == {"name": "db", "namespace": "shop"}
    assert made["spec"]["template"]["spec"]["volumes"] == [
        {"name": "data", "persistentVolumeClaim": {"claimName": "data-web-0"}}
    ]
    assert made_of(conversion, "PersistentVolumeClaim") == {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "data-web-0", "namespace": "shop"},
        "spec": spec,
    }
    assert "StatefulSet web: spec.template.spec.volumes[data]" in left(conversion)
    assert given["spec"]["template"]["spec"]["volumes"] == [{"name": "data", "emptyDir": {}}]


def test_a_statefulset_says_that_its_pod_has_another_name() -> None:
    why = left(converted(controller("StatefulSet", serviceName="web")))["StatefulSet web: spec.serviceName"]
    assert "web, and no longer web-0" in why
    assert "web-0.web doesn't resolve" in why


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({"template": None}, "Deployment web: spec.template is missing"),
        ({"template": {"spec": {"containers": []}}}, "spec.template.spec.containers has 0 elements"),
        ({"template": {"spec": {"containers": [{"name": "a", "imag": "b"}]}}}, "did you mean image?"),
        (
            {"template": {"spec": {**WEB["spec"], "restartPolicy": "Never"}}},
            "spec.template.spec.restartPolicy is Never, and must be Always here",
        ),
        ({"replicas": "3"}, "Deployment web: spec.replicas must be a whole number, and is a string"),
        ({"replicas": True}, "Deployment web: spec.replicas must be a whole number, and is true or false"),
        (
            {"strategy": {"type": "BlueGreen"}},
            "spec.strategy.type is 'BlueGreen': use Recreate or RollingUpdate",
        ),
        ({"strategy": []}, "Deployment web: spec.strategy must be a map of fields, and is a list"),
    ],
)
def test_what_the_api_server_would_refuse_is_refused_by_its_field(spec: Raw, message: str) -> None:
    with pytest.raises(CannotConvert) as refused:
        converted(controller("Deployment", **spec))
    assert message in str(refused.value)
