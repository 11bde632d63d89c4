"""The Service: one address of the Workload's name, as its ports and spec.service say."""

from __future__ import annotations

import pytest

from tests.controlplane import Api
from tests.e2e.operator.subject import Manifest, Subject, condition, container, template

pytestmark = pytest.mark.simulated


def served(*ports: Manifest) -> Manifest:
    return template(containers=[container(ports=list(ports))])


HTTP: Manifest = {"name": "http", "containerPort": 80}


def ports(web: Subject) -> list[tuple[str, int, int, str]]:
    found = web.one("Service", "web")["spec"]["ports"]
    return [(port["name"], port["port"], port["targetPort"], port["protocol"]) for port in found]


def foreign(namespace: str) -> Manifest:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "web", "namespace": namespace, "labels": {"theirs": "yes"}},
        "spec": {"ports": [{"port": 1}], "selector": {"app": "theirs"}},
    }


def test_service_has_the_workloads_name_and_its_containers_ports(web: Subject) -> None:
    web.apply(pod_template=served(HTTP, {"containerPort": 53, "protocol": "UDP"}))
    workload = web.becomes("Ready")

    service = web.one("Service", "web")
    assert service["spec"]["type"] == "ClusterIP"
    assert service["spec"]["selector"] == {"twinhull.dev/workload": "web"}
    assert ports(web) == [("http", 80, 80, "TCP"), ("udp-53", 53, 53, "UDP")]
    (owner,) = service["metadata"]["ownerReferences"]
    assert owner["uid"] == workload["metadata"]["uid"]


def test_no_ports_no_service(web: Subject) -> None:
    web.apply()
    web.becomes("Ready")
    assert "Service" not in web.belongings()


def test_changed_ports_and_type_change_the_service(web: Subject) -> None:
    web.apply(pod_template=served(HTTP))
    web.becomes("Ready")
    before = web.one("Service", "web")

    web.change(template=served({"name": "https", "containerPort": 443}), service={"type": "NodePort"})

    web.eventually(lambda: ports(web) == [("https", 443, 443, "TCP")], "the ports are changed")
    after = web.one("Service", "web")
    assert after["spec"]["type"] == "NodePort"
    assert after["metadata"]["uid"] == before["metadata"]["uid"]
    assert after["spec"]["clusterIP"] == before["spec"]["clusterIP"]
    node_port = after["spec"]["ports"][0]["nodePort"]

    web.change(service={"type": "LoadBalancer"})
    web.eventually(lambda: web.one("Service", "web")["spec"]["type"] == "LoadBalancer", "the type is changed")
    assert web.one("Service", "web")["spec"]["ports"][0]["nodePort"] == node_port

    web.change(service={"type": "ClusterIP"})
    web.eventually(
        lambda: web.one("Service", "web")["spec"]["type"] == "ClusterIP", "the type is changed back"
    )


def test_removed_ports_remove_the_service(web: Subject) -> None:
    web.apply(pod_template=served(HTTP))
    web.becomes("Ready")
    web.change(template=template())
    web.eventually(lambda: "Service" not in web.belongings(), "the Service is gone")


def test_disabled_removes_the_service_and_enabled_brings_it_back(web: Subject) -> None:
    web.apply(pod_template=served(HTTP), service={"enabled": False})
    web.becomes("Ready")
    assert "Service" not in web.belongings()

    web.change(service={"enabled": True})
    web.eventually(lambda: "Service" in web.belongings(), "the Service is there")
    web.change(service={"enabled": False})
    web.eventually(lambda: "Service" not in web.belongings(), "the Service is gone")
    assert condition(web.becomes("Ready"), "Stalled")[0] == "False"


def test_service_deleted_by_hand_comes_back(web: Subject, api: Api) -> None:
    web.apply(pod_template=served(HTTP))
    web.becomes("Ready")
    uid = web.one("Service", "web")["metadata"]["uid"]
    api.delete("Service", "web", web.namespace)
    web.eventually(lambda: web.one("Service", "web")["metadata"]["uid"] != uid, "another one is there")


def test_service_changed_by_hand_is_put_right_and_additions_stay(web: Subject, api: Api) -> None:
    web.apply(pod_template=served(HTTP))
    web.becomes("Ready")

    theirs = {"annotations": {"mesh": "in"}, "labels": {"team": "shop", "twinhull.dev/workload": None}}
    wrong = {"selector": {"twinhull.dev/workload": "other", "app": "x"}, "sessionAffinity": "ClientIP"}
    api.patch("Service", "web", web.namespace, {"metadata": theirs, "spec": wrong})

    def put_right() -> Manifest:
        service = web.one("Service", "web")
        assert service["spec"]["selector"] == {"twinhull.dev/workload": "web"}
        assert service["metadata"]["labels"] == {"team": "shop", "twinhull.dev/workload": "web"}
        return service

    service = web.eventually(put_right, "the selector and the label are put right")
    assert service["metadata"]["annotations"] == {"mesh": "in"}
    assert service["spec"]["sessionAffinity"] == "ClientIP"


def test_foreign_service_is_left_alone_and_once_removed_the_workload_goes_on(web: Subject, api: Api) -> None:
    theirs = api.create(foreign(web.namespace))
    web.apply(pod_template=served(HTTP))

    assert condition(web.becomes("NameConflict"), "Stalled") == (
        *("True", "NameConflict"),
        (
            "Service web has no owner but has this Workload's name or label twinhull.dev/workload: "
            "delete it, remove the label, or rename one of the two"
        ),
    )
    assert api.get("Service", "web", web.namespace) == theirs

    api.delete("Service", "web", web.namespace)
    web.becomes("Ready")
    assert ports(web) == [("http", 80, 80, "TCP")]


def test_foreign_service_does_not_matter_to_a_workload_without_one(web: Subject, api: Api) -> None:
    theirs = api.create(foreign(web.namespace))
    web.apply(pod_template=served(HTTP), service={"enabled": False})
    web.becomes("Ready")
    assert api.get("Service", "web", web.namespace) == theirs
