"""The fields of a Service from spec.service: rendered, kept apart from others' fields, and removed again."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from tests.unit.hulls.test_pod import META
from twinhull.api.base import Raw
from twinhull.api.service import ServiceSettings
from twinhull.hulls import service
from twinhull.hulls.merge import merge_patch

NOTE = "twinhull.dev/applied"
PORTS: list[Raw] = [
    {"name": "http", "port": 80, "targetPort": 80, "protocol": "TCP"},
    {"name": "tcp-90", "port": 90, "targetPort": 90, "protocol": "TCP"},
]
ALL: Raw = {
    "type": "LoadBalancer",
    "annotations": {"a": "1", "b": "2"},
    "labels": {"team": "shop"},
    "loadBalancerClass": "example.com/a",
    "externalTrafficPolicy": "Local",
    "internalTrafficPolicy": "Local",
    "sessionAffinity": "ClientIP",
    "sessionAffinityConfig": {"clientIP": {}},
    "ipFamilyPolicy": "PreferDualStack",
    "ipFamilies": ["IPv6", "IPv4"],
    "publishNotReadyAddresses": True,
    "nodePorts": {"http": 30080},
}
#: What an API server adds to a Service by itself.
DEFAULTS: Raw = {
    "clusterIP": "10.0.0.1",
    "sessionAffinity": "None",
    "internalTrafficPolicy": "Cluster",
    "ipFamilyPolicy": "SingleStack",
    "ipFamilies": ["IPv4"],
}


def rendered(**policy: Any) -> Raw:
    made = service.render(META, ServiceSettings.model_validate(policy), PORTS)
    assert made
    return made


def stored(made: Raw) -> Raw:
    """As the API server would have it."""
    live = deepcopy(made)
    live["spec"] = {**DEFAULTS, **live["spec"]}
    for port in live["spec"]["ports"]:
        port.setdefault("nodePort", 31000 + port["port"])
    if affinity := live["spec"].get("sessionAffinityConfig"):
        affinity["clientIP"].setdefault("timeoutSeconds", 10800)
    return live


def test_a_service_of_which_nothing_is_asked_is_as_it_was() -> None:
    made = rendered()
    assert made["metadata"].keys() == {"name", "namespace", "labels", "ownerReferences"}
    assert made["spec"].keys() == {"type", "selector", "ports"}


def test_all_that_can_be_asked_for_is_rendered() -> None:
    made = rendered(**ALL)
    for field in ALL.keys() - {"annotations", "labels", "nodePorts"}:
        assert made["spec"][field] == ALL[field]
    assert ALL["annotations"].items() <= made["metadata"]["annotations"].items()
    assert made["metadata"]["labels"] == {"team": "shop", "twinhull.dev/workload": META.name}
    assert [port.get("nodePort") for port in made["spec"]["ports"]] == [30080, None]


@pytest.mark.parametrize("policy", [{}, ALL, {"headless": True}, {"publishNotReadyAddresses": False}])
def test_what_the_api_server_and_others_add_is_no_difference(policy: Raw) -> None:
    made = rendered(**policy)
    live = stored(made)
    live["metadata"].setdefault("annotations", {})["theirs"] = "x"
    live["metadata"]["labels"]["theirs"] = "x"
    live["spec"]["externalIPs"] = ["192.0.2.7"]
    assert service.differences(made, live) == ()
    assert not service.is_of_another_kind(made, live)


@pytest.mark.parametrize("field", sorted(ALL.keys() - {"type", "annotations", "labels", "nodePorts"}))
def test_each_field_that_is_no_more_asked_for_is_taken_off(field: str) -> None:
    live = stored(rendered(**ALL))
    after = rendered(**{key: value for key, value in ALL.items() if key != field})
    assert f"spec.{field}" in service.differences(after, live)
    patch = service.change(after, live)
    assert patch["spec"][field] is None
    assert service.differences(after, merge_patch(live, patch)) == ()


def test_annotations_and_labels_that_are_no_more_asked_for_are_taken_off_and_others_stay() -> None:
    live = stored(rendered(**ALL))
    live["metadata"]["annotations"]["theirs"] = "x"
    live["metadata"]["labels"]["theirs"] = "x"
    after = rendered(annotations={"b": "2"})
    patched = merge_patch(live, service.change(after, live))
    assert patched["metadata"]["annotations"].keys() == {"b", "theirs", NOTE}
    assert patched["metadata"]["labels"].keys() == {"theirs", "twinhull.dev/workload"}
    nothing = rendered()
    patched = merge_patch(patched, service.change(nothing, patched))
    assert patched["metadata"]["annotations"] == {"theirs": "x"}
    assert service.differences(nothing, patched) == ()


@pytest.mark.parametrize(
    "note",
    [
        "",
        "no JSON",
        "[]",
        '{"annotations": 1, "labels": [], "spec": []}',
        '{"annotations": [1], "labels": [], "spec": []}',
        '{"annotations": ["twinhull.dev/pinned-at"], "labels": [], "spec": ["selector"]}',
        '{"annotations": [], "labels": ["twinhull.dev/workload"], "spec": [["x"]]}',
        "[" * 100_000,
        '{"annotations": [], "labels": [], "spec": ["externalIPs", "type"]}',
    ],
)
def test_a_note_of_somebody_elses_making_takes_nothing_off_that_is_not_spec_services(note: str) -> None:
    made = rendered()
    live = stored(made)
    live["metadata"]["annotations"] = {NOTE: note, "twinhull.dev/pinned-at": "x"}
    assert service.differences(made, live) == ()


def test_a_node_port_that_is_another_is_a_difference() -> None:
    made = rendered(type="NodePort", nodePorts={"http": 30080})
    live = stored(made)
    assert service.differences(made, live) == ()
    live["spec"]["ports"][0]["nodePort"] = 30081
    assert service.differences(made, live) == ("spec.ports",)
    assert service.change(made, live)["spec"]["ports"][0]["nodePort"] == 30080


def test_a_service_is_made_anew_to_become_headless_and_back() -> None:
    headless, plain = rendered(headless=True), rendered()
    assert headless["spec"]["clusterIP"] == "None"
    assert service.is_of_another_kind(headless, stored(plain))
    assert service.is_of_another_kind(plain, stored(headless))
    assert "clusterIP" not in service.change(headless, stored(headless))["spec"]


@pytest.mark.parametrize("headless", [True, False])
def test_what_a_webhook_makes_of_its_address_is_left(headless: bool) -> None:  # noqa: FBT001
    made = rendered(**({"headless": True} if headless else {}))
    live = stored(made)
    live["spec"]["clusterIP"] = "10.0.0.9" if headless else "None"
    assert not service.is_of_another_kind(made, live)


def test_node_ports_of_no_port_are_named() -> None:
    policy = ServiceSettings.model_validate(
        {"type": "NodePort", "nodePorts": {"http": 30080, "https": 30443}}
    )
    assert service.unknown_ports(policy, PORTS) == ["https"]
    assert service.unknown_ports(ServiceSettings(), PORTS) == []
