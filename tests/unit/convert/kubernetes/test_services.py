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


def with_ports(*containers: Raw, **pod: Any) -> Raw:
    """A Deployment of containers that have ports."""
    named = [{"name": f"c{number}", "image": "a", **one} for number, one in enumerate(containers)]
    spec = {"containers": named, **pod}
    return controller("Deployment", {"metadata": TEMPLATE["metadata"], "spec": spec})


def port(number: int, protocol: str | None = None) -> Raw:
    """A container with one port, named http."""
    said = {"protocol": protocol} if protocol else {}
    return {"ports": [{"name": "http", "containerPort": number, **said}]}


def helper(name: str, number: int, **more: Any) -> Raw:
    """An init container with one port, named http."""
    return {"name": name, "image": "a", **port(number), **more}


#: Deployments in which several ports have one name, the protocol of a Service that names it, and the number
#: to which Kubernetes leads it.
SAME_NAMES = [
    (with_ports(port(9090), port(9113)), "TCP", 9090),
    (with_ports(port(53, "UDP"), port(5353)), "UDP", 53),
    (with_ports(port(53, "UDP"), port(5353)), None, 5353),
    (with_ports(port(1), initContainers=[helper("ends", 2)]), "TCP", 1),
    (with_ports(port(1), initContainers=[helper("stays", 2, restartPolicy="Always")]), "TCP", 1),
    (
        with_ports({}, initContainers=[helper("ends", 1), helper("stays", 2, restartPolicy="Always")]),
        "TCP",
        2,
    ),
]


@pytest.mark.parametrize(("given", "protocol", "expected"), SAME_NAMES)
def test_a_name_leads_to_the_first_port_of_the_services_protocol(
    given: Raw, protocol: str | None, expected: int
) -> None:
    """As Kubernetes finds it: containers before sidecars, and no init containers that end."""
    ports = [{"port": 80, "targetPort": "http", **({"protocol": protocol} if protocol else {})}]
    own = made_of(converted(given, service(ports=ports)))["spec"]["service"]
    assert [one["targetPort"] for one in own["ports"]] == [expected]
    (told,) = left(converted(given, service("front", ports=ports))).values()
    assert told.endswith(f"set it to {expected}")


@pytest.mark.parametrize(
    ("given", "protocol"), [(with_ports(port(53, "UDP")), "TCP"), (with_ports({}), "UDP"), (WEB, "SCTP")]
)
def test_a_name_that_no_port_of_the_protocol_has_leads_nowhere(given: Raw, protocol: str) -> None:
    ports = [{"port": 80, "targetPort": "http", "protocol": protocol}]
    (told,) = left(converted(given, service("front", ports=ports))).values()
    assert told == (
        f"none of the Pod's ports has that name and protocol (http, {protocol}), so it leads nowhere: set it "
        "to the port's number"
    )


def test_a_workload_that_is_named_otherwise_leaves_the_service_alone() -> None:
    conversion = converted(WEB, service(), name="shop")
    assert made_of(conversion, "Service")["metadata"]["name"] == "web"
    assert made_of(conversion)["spec"]["service"] == {"enabled": False}


def test_a_label_without_a_value_is_an_empty_one() -> None:
    template = {**TEMPLATE, "metadata": {"labels": {"app": None}}}
    given = {**controller("Deployment", template), "metadata": {"name": "web", "labels": {"app": None}}}
    made = made_of(converted(given, service(selector={"app": ""})))
    assert made["metadata"]["labels"] == {"app": ""}
    assert "ports" in made["spec"]["service"]


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
