"""Services that lead to what is converted."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.convert.kubernetes.examples import converted, left, made_of
from tests.unit.convert.kubernetes.test_controllers import controller
from twinhull.api.base import Raw

TEMPLATE: Raw = {
    "metadata": {"labels": {"app": "web", "tier": "front"}},
    "spec": {
        "containers": [{"name": "web", "image": "nginx", "ports": [{"name": "http", "containerPort": 8080}]}]
    },
}
WEB = controller("Deployment", TEMPLATE, strategy={"type": "Recreate"})


def service(name: str = "web", metadata: Raw | None = None, **spec: Any) -> Raw:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, **(metadata or {})},
        "spec": {"selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": "http"}], **spec},
    }


def test_without_a_service_there_is_none() -> None:
    """A Workload has a Service for the ports that it declares, and a Deployment has none."""
    assert made_of(converted(WEB))["spec"]["service"] == {"enabled": False}


def test_without_ports_nothing_is_said_of_a_service() -> None:
    template = {"spec": {"containers": [{"name": "web", "image": "nginx"}]}}
    assert "service" not in made_of(converted(controller("Deployment", template)))["spec"]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, {"ports": [{"port": 80, "targetPort": 8080, "protocol": "TCP"}]}),
        (
            {"ports": [{"name": "dns", "port": 53, "protocol": "UDP", "appProtocol": "dns"}]},
            {"ports": [{"name": "dns", "port": 53, "protocol": "UDP", "appProtocol": "dns"}]},
        ),
        (
            {"type": "NodePort", "ports": [{"port": 80, "nodePort": 30080}]},
            {
                "type": "NodePort",
                "nodePorts": {"tcp-80": 30080},
                "ports": [{"port": 80, "protocol": "TCP"}],
            },
        ),
        (
            {"clusterIP": "None", "ports": [{"port": 80}], "publishNotReadyAddresses": True},
            {
                "headless": True,
                "publishNotReadyAddresses": True,
                "ports": [{"port": 80, "protocol": "TCP"}],
            },
        ),
        (
            {"sessionAffinity": "ClientIP", "ipFamilyPolicy": "SingleStack", "ipFamilies": ["IPv6"]},
            {
                "sessionAffinity": "ClientIP",
                "ipFamilyPolicy": "SingleStack",
                "ipFamilies": ["IPv6"],
                "ports": [{"port": 80, "targetPort": 8080, "protocol": "TCP"}],
            },
        ),
    ],
)
def test_a_service_of_the_workloads_name_becomes_its_own(given: Raw, expected: Raw) -> None:
    conversion = converted(WEB, service(**given))
    assert made_of(conversion)["spec"]["service"] == expected
    assert len(conversion.objects) == 1
    assert conversion.left == ()


@pytest.mark.parametrize(
    "given",
    [
        service("front"),
        service(externalIPs=["192.0.2.1"]),
        service(loadBalancerSourceRanges=["10.0.0.0/8"], type="LoadBalancer"),
        service(clusterIP="10.0.0.7"),
        service(trafficDistribution="PreferClose"),
        service(metadata={"uid": "1"}),
        service(metadata={"finalizers": ["example.com/a"]}),
        service(ports=[{"port": 80, "targetPort": "unknown"}]),
        service(ports=[{"port": 80, "more": 1}]),
        service(ports=["80"]),
        service(metadata={"labels": {"twinhull.dev/workload": "web"}}),
    ],
)
def test_any_other_service_stays_as_it_is(given: Raw) -> None:
    """In a cluster already, too: the operator takes over nobody's Service, and its address stays."""
    conversion = converted(WEB, given)
    kept = made_of(conversion, "Service")
    assert kept["spec"] == given["spec"]
    assert kept["metadata"] == {key: value for key, value in given["metadata"].items() if key != "uid"}
    assert made_of(conversion)["spec"]["service"] == {"enabled": False}


def test_a_kept_service_says_what_to_change_for_a_machine() -> None:
    conversion = converted(WEB, service("front"))
    assert left(conversion) == {
        "Service front: spec.ports[0].targetPort": "a machine has no ports with names, so http leads to Pods "
        "only: set it to 8080"
    }


def test_a_workload_that_is_named_otherwise_leaves_the_service_alone() -> None:
    conversion = converted(WEB, service(), name="shop")
    assert made_of(conversion, "Service")["metadata"]["name"] == "web"
    assert made_of(conversion)["spec"]["service"] == {"enabled": False}


def test_a_service_for_several_workloads_stays() -> None:
    other = controller("StatefulSet", TEMPLATE) | {"metadata": {"name": "other"}}
    conversion = converted(WEB, other, service())
    assert [made["kind"] for made in conversion.objects] == ["Service", "Workload", "Workload"]


@pytest.mark.parametrize(
    "given",
    [service(selector={"app": "db"}), service(selector=None), service(metadata={"namespace": "elsewhere"})],
)
def test_a_service_that_leads_elsewhere_is_passed_over(given: Raw) -> None:
    conversion = converted(WEB, given)
    assert len(conversion.objects) == 1
    assert list(left(conversion).values()) == ["it selects none of the Workloads: it stays as it is"]
