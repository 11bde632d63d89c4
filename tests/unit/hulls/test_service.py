from __future__ import annotations

from typing import Any

import pytest

from twinhull.api.base import Raw
from twinhull.api.service import ServiceSettings
from twinhull.hulls import service

from .test_pod import META


def render(*ports: Raw, policy: Raw | None = None, **spec: Any) -> Raw | None:
    containers = [{"name": "web", "ports": list(ports)}]
    declared = service.declared({"containers": containers, **spec})
    return service.render(META, ServiceSettings.model_validate(policy or {}), declared)


def ports(made: Raw | None) -> list[tuple[str, int, str]]:
    assert made
    return [(port["name"], port["port"], port["protocol"]) for port in made["spec"]["ports"]]


def port(number: int, name: str | None = None, protocol: str | None = None) -> Raw:
    given = {"name": name, "protocol": protocol}
    return {"containerPort": number, **{key: value for key, value in given.items() if value is not None}}


def test_no_port_no_service() -> None:
    assert render() is None


def test_no_service_when_switched_off() -> None:
    assert render(port(80), policy={"enabled": False}) is None


@pytest.mark.parametrize(
    ("declared", "found"),
    [
        ([port(80)], [("tcp-80", 80, "TCP")]),
        ([port(80, "http")], [("http", 80, "TCP")]),
        ([port(80, "")], [("tcp-80", 80, "TCP")]),
        ([port(53, "dns"), port(53, "dns-tcp", "UDP")], [("dns", 53, "TCP"), ("dns-tcp", 53, "UDP")]),
        ([port(53), port(53, protocol="UDP")], [("tcp-53", 53, "TCP"), ("udp-53", 53, "UDP")]),
        ([port(80, "http"), port(80, "again")], [("http", 80, "TCP")]),
        ([port(80, "http"), port(81, "http")], [("http", 80, "TCP"), ("tcp-81", 81, "TCP")]),
        ([port(80, "tcp-81"), port(81)], [("tcp-81", 80, "TCP"), ("tcp-81-2", 81, "TCP")]),
        ([port(81, "tcp-81"), port(82, "tcp-81")], [("tcp-81", 81, "TCP"), ("tcp-82", 82, "TCP")]),
        (
            [port(80, "tcp-81"), port(82, "tcp-81-2"), port(81)],
            [("tcp-81", 80, "TCP"), ("tcp-81-2", 82, "TCP"), ("tcp-81-3", 81, "TCP")],
        ),
    ],
)
def test_ports(declared: list[Raw], found: list[tuple[str, int, str]]) -> None:
    assert ports(render(*declared)) == found


def test_ports_of_sidecars_count_and_those_of_init_containers_do_not() -> None:
    inits = [
        {"name": "migrate", "ports": [port(1)]},
        {"name": "proxy", "restartPolicy": "Always", "ports": [port(2)]},
    ]
    assert ports(render(port(3), initContainers=inits)) == [("tcp-3", 3, "TCP"), ("tcp-2", 2, "TCP")]


def seen(**spec: Any) -> Raw:
    """A Service as the API server would give it back."""
    made = render(port(80, "http"))
    assert made
    given = [{**each, "nodePort": 30080} for each in made["spec"]["ports"]]
    return {**made, "spec": {**made["spec"], "ports": given, "clusterIP": "10.0.0.1", **spec}}


def test_service_as_the_api_server_completes_it_is_no_other() -> None:
    desired = render(port(80, "http"))
    assert desired
    assert service.differences(desired, seen()) == ()


@pytest.mark.parametrize(
    "change",
    [
        {"type": "NodePort"},
        {"selector": {}},
        {"selector": {"twinhull.dev/workload": "web", "more": "x"}},
        {"ports": []},
        {"ports": [{"name": "http", "port": 80, "targetPort": 81, "protocol": "TCP"}]},
    ],
)
def test_changed_service_is_another(change: Raw) -> None:
    desired = render(port(80, "http"))
    assert desired
    assert service.differences(desired, seen(**change)) == tuple(f"spec.{field}" for field in change)


def test_service_without_our_label_is_another_and_with_more_labels_is_not() -> None:
    desired = render(port(80, "http"))
    assert desired
    assert service.differences(desired, {**seen(), "metadata": {}}) == ("metadata.labels",)
    labels = {"twinhull.dev/workload": "web", "more": "x"}
    assert service.differences(desired, {**seen(), "metadata": {"labels": labels}}) == ()
