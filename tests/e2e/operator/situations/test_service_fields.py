"""The Service has what spec.service says, loses what it says no more, and keeps what others have added."""

from __future__ import annotations

from typing import Any

import pytest

from tests.controlplane import Api
from tests.controlplane.api import ApiError
from tests.e2e.operator.subject import Manifest, Subject, container, template

pytestmark = pytest.mark.simulated

SERVED = template(
    containers=[container(ports=[{"name": "http", "containerPort": 80}, {"containerPort": 9000}])]
)
NOTE = "twinhull.dev/applied"
# The node ports that are named here are of the band from which the API server takes none by itself while
# there are others: 30000 to 30085
# (https://kubernetes.io/docs/concepts/services-networking/service/#avoid-nodeport-collisions).


def _service(web: Subject) -> Manifest:
    return web.one("Service", "web")


def _spec(web: Subject, **fields: Any) -> bool:
    spec = _service(web)["spec"]
    return all(spec.get(key) == value for key, value in fields.items())


@pytest.mark.parametrize("isolation", ["Container", "VirtualMachine"])
def test_every_field_reaches_the_service_whatever_the_hull(web: Subject, isolation: str) -> None:
    fields: Manifest = {
        "type": "LoadBalancer",
        "annotations": {"cloud.example/internal": "true", "cloud.example/idle": "60"},
        "labels": {"team": "shop"},
        "loadBalancerClass": "example.com/internal",
        "externalTrafficPolicy": "Local",
        "internalTrafficPolicy": "Local",
        "sessionAffinity": "ClientIP",
        "sessionAffinityConfig": {"clientIP": {"timeoutSeconds": 60}},
        "ipFamilyPolicy": "SingleStack",
        "ipFamilies": ["IPv4"],
        "publishNotReadyAddresses": True,
    }
    web.apply(isolation, SERVED, service=fields)
    web.becomes("Ready")
    service = _service(web)
    assert fields["annotations"].items() <= service["metadata"]["annotations"].items()
    assert service["metadata"]["labels"] == {"team": "shop", "twinhull.dev/workload": "web"}
    for field in fields.keys() - {"annotations", "labels"}:
        assert service["spec"][field] == fields[field], field


def test_what_is_no_more_asked_for_is_taken_off_and_others_fields_stay(web: Subject, api: Api) -> None:
    fields: Manifest = {
        "type": "NodePort",
        "annotations": {"one": "1", "two": "2"},
        "labels": {"team": "shop"},
        "externalTrafficPolicy": "Local",
        "internalTrafficPolicy": "Local",
        "sessionAffinity": "ClientIP",
        "sessionAffinityConfig": {"clientIP": {"timeoutSeconds": 60}},
        "publishNotReadyAddresses": True,
    }
    web.apply(pod_template=SERVED, service=fields)
    web.becomes("Ready")
    theirs = {"metadata": {"annotations": {"theirs": "a"}, "labels": {"theirs": "l"}}}
    api.patch("Service", "web", web.namespace, {**theirs, "spec": {"externalIPs": ["192.0.2.7"]}})

    web.change(service={"annotations": {"two": None, "three": "3"}, "internalTrafficPolicy": None})
    web.eventually(lambda: _spec(web, internalTrafficPolicy="Cluster"), "one field is the default")
    wanted = {"one": "1", "two": None, "three": "3", "theirs": "a"}

    def noted() -> bool:
        present = _service(web)["metadata"]["annotations"]
        return {key: present.get(key) for key in wanted} == wanted

    web.eventually(noted, "the annotations are changed")

    web.change(service=dict.fromkeys(fields))
    web.eventually(lambda: _spec(web, type="ClusterIP", sessionAffinity="None"), "all is the default")
    web.eventually(lambda: NOTE not in _service(web)["metadata"]["annotations"], "nothing is noted")
    service = _service(web)
    assert service["metadata"]["annotations"] == {"theirs": "a"}
    assert service["metadata"]["labels"] == {"theirs": "l", "twinhull.dev/workload": "web"}
    assert service["spec"]["externalIPs"] == ["192.0.2.7"]
    assert service["spec"]["externalTrafficPolicy"] == "Cluster"  # the default where there are externalIPs
    for gone in ("sessionAffinityConfig", "publishNotReadyAddresses"):
        assert gone not in service["spec"]
    web.becomes("Ready")


def test_what_somebody_else_makes_of_a_field_is_put_back(web: Subject, api: Api) -> None:
    web.apply(pod_template=SERVED, service={"annotations": {"one": "1"}, "sessionAffinity": "ClientIP"})
    web.becomes("Ready")
    patch = {"metadata": {"annotations": {"one": None}}, "spec": {"sessionAffinity": "None"}}
    api.patch("Service", "web", web.namespace, patch)
    web.eventually(lambda: _spec(web, sessionAffinity="ClientIP"), "it is put back")
    web.eventually(lambda: _service(web)["metadata"]["annotations"].get("one") == "1", "so is the annotation")
    web.gets_event("DriftCorrected")


def test_headless_and_back_has_the_service_made_anew(web: Subject) -> None:
    web.apply(pod_template=SERVED, service={"headless": True})
    web.becomes("Ready")
    first = _service(web)
    assert first["spec"]["clusterIP"] == "None"

    web.change(service={"headless": None})
    web.eventually(lambda: _service(web)["spec"]["clusterIP"] != "None", "it has an address")
    second = _service(web)
    assert second["metadata"]["uid"] != first["metadata"]["uid"]
    assert NOTE not in second["metadata"].get("annotations", {})

    web.change(service={"headless": True})
    web.eventually(lambda: _service(web)["spec"]["clusterIP"] == "None", "it has none")
    web.becomes("Ready")
    assert not [event for event in web.all_events() if event[1] == "DriftCorrected"]


def test_node_ports_are_fixed_by_port_name(web: Subject) -> None:
    def node_ports() -> dict[str, int]:
        return {port["name"]: port["nodePort"] for port in _service(web)["spec"]["ports"]}

    web.apply(pod_template=SERVED, service={"type": "NodePort", "nodePorts": {"http": 30071}})
    web.becomes("Ready")
    assert node_ports()["http"] == 30071
    chosen = node_ports()["tcp-9000"]
    web.change(service={"nodePorts": {"http": 30072}})
    web.eventually(lambda: node_ports()["http"] == 30072, "the port is changed")
    assert node_ports()["tcp-9000"] == chosen

    web.change(service={"nodePorts": {"https": 30073}})
    web.becomes("ServiceRefused")
    status, _, message = web.condition("Stalled")
    assert status == "True"
    assert "no port https, but http, tcp-9000" in message
    web.change(service={"nodePorts": None})
    web.becomes("Ready")


def test_a_port_that_is_taken_and_another_class_are_refused_in_the_api_servers_words(web: Subject) -> None:
    taken = {"type": "NodePort", "nodePorts": {"http": 30081}}
    web.apply(pod_template=SERVED, service=taken)
    web.becomes("Ready")
    other = web.named("other")
    other.apply(pod_template=SERVED, service=taken)
    other.becomes("ServiceRefused")
    assert "provided port is already allocated" in other.condition("Ready")[2]

    balanced = web.named("balanced")
    balanced.apply(
        pod_template=SERVED, service={"type": "LoadBalancer", "loadBalancerClass": "example.com/a"}
    )
    balanced.becomes("Ready")
    balanced.change(service={"loadBalancerClass": "example.com/b"})
    balanced.becomes("ServiceRefused")
    assert "may not change once set" in balanced.condition("Ready")[2]


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"loadBalancerClass": "a/b"}, "loadBalancerClass"),
        ({"externalTrafficPolicy": "Local"}, "externalTrafficPolicy"),
        ({"nodePorts": {"http": 30000}}, "nodePorts"),
        ({"type": "NodePort", "nodePorts": {"http": 0}}, "nodePorts"),
        ({"type": "NodePort", "headless": True}, "headless"),
        ({"sessionAffinityConfig": {"clientIP": {"timeoutSeconds": 60}}}, "sessionAffinityConfig"),
        ({"ipFamilies": ["IPv4", "IPv6"]}, "ipFamilies"),
        ({"ipFamilies": ["IPv4", "IPv4"], "ipFamilyPolicy": "PreferDualStack"}, "ipFamilies"),
        ({"annotations": {"twinhull.dev/applied": "{}"}}, "annotations"),
        ({"labels": {"twinhull.dev/workload": "other"}}, "labels"),
        ({"annotations": {"long": "x" * 16_385}}, "annotations"),
        ({"annotations": {f"a{n}": "" for n in range(65)}}, "annotations"),
    ],
)
def test_what_cannot_be_is_refused_as_it_is_applied(web: Subject, fields: Manifest, field: str) -> None:
    with pytest.raises(ApiError, match=f"spec.service.{field}"):
        web.apply(pod_template=SERVED, service=fields)


@pytest.mark.parametrize("policy", ["PreferDualStack", "SingleStack"])
def test_dual_stack_is_asked_for_once(web: Subject, policy: str) -> None:
    web.apply(pod_template=SERVED, service={"ipFamilyPolicy": policy})
    web.becomes("Ready")
    version = _service(web)["metadata"]["resourceVersion"]
    web.change(service={"annotations": {"one": "1"}})
    web.eventually(lambda: _service(web)["metadata"]["resourceVersion"] != version, "it is changed")
    web.becomes("Ready")
    assert not [event for event in web.all_events() if event[1] == "DriftCorrected"]
