"""What a Pod can learn of itself: fields, resources, labels as files, its token, projected together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.guest.cases import documentation as docs
from tests.guest.nodekubelet import POD_IP
from tests.guest.scenario import Scenario, config_map, container, secret
from tests.guest.volumes import LAUNCHER_UID, NODE, TOKEN

if TYPE_CHECKING:
    from tests.guest.stage import Stage

_FIELDS = {
    "NAME": "metadata.name",
    "NAMESPACE": "metadata.namespace",
    "UID": "metadata.uid",
    "LABEL": "metadata.labels['example.com/tier']",
    "ANNOTATION": "metadata.annotations['note']",
    "NODE": "spec.nodeName",
    "ACCOUNT": "spec.serviceAccountName",
    "POD_IP": "status.podIP",
    "POD_IPS": "status.podIPs",
}
_RESOURCES = {
    "CPU_LIMIT": ("limits.cpu", "0"),
    "CPU_MILLI": ("limits.cpu", "1m"),
    "CPU_REQUEST": ("requests.cpu", "1m"),
    "MEMORY": ("limits.memory", "0"),
    "MEMORY_MI": ("limits.memory", "1Mi"),
}
_ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount"
DOWNWARD = Scenario(
    "downward",
    {
        "metadata": {
            "labels": {"example.com/tier": "front", "app": "downward"},
            "annotations": {"note": "costs $(A) lot", "lines": 'one\ntwo "quoted"'},
        },
        "spec": {
            "serviceAccountName": "robot",
            "containers": [
                container(
                    "main",
                    port=8080,
                    env=[
                        *(
                            {"name": name, "valueFrom": {"fieldRef": {"fieldPath": path}}}
                            for name, path in _FIELDS.items()
                        ),
                        *(
                            {
                                "name": name,
                                "valueFrom": {"resourceFieldRef": {"resource": resource, "divisor": divisor}},
                            }
                            for name, (resource, divisor) in _RESOURCES.items()
                        ),
                        {"name": "URL", "value": "http://$(POD_IP):8080/$(NAME)"},
                    ],
                    resources={
                        "requests": {"cpu": "250m", "memory": "64Mi"},
                        "limits": {"cpu": "1", "memory": "96Mi"},
                    },
                    volumeMounts=[
                        {"name": "pod", "mountPath": "/etc/pod"},
                        {"name": "all", "mountPath": "/etc/all", "readOnly": True},
                        {"name": "scratch", "mountPath": "/here", "subPathExpr": "$(NAMESPACE)/$(LABEL)"},
                        {"name": "scratch", "mountPath": "/scratch"},
                    ],
                ),
            ],
            "volumes": [
                {"name": "scratch", "emptyDir": {}},
                {
                    "name": "pod",
                    "downwardAPI": {
                        "items": [
                            {"path": "labels", "fieldRef": {"fieldPath": "metadata.labels"}},
                            {"path": "annotations", "fieldRef": {"fieldPath": "metadata.annotations"}},
                            {"path": "names/pod", "fieldRef": {"fieldPath": "metadata.name"}, "mode": 0o600},
                            {
                                "path": "memory",
                                "resourceFieldRef": {"containerName": "main", "resource": "limits.memory"},
                            },
                        ]
                    },
                },
                {
                    "name": "all",
                    "projected": {
                        "defaultMode": 0o444,
                        "sources": [
                            {"configMap": {"name": "settings", "items": [{"key": "a", "path": "config/a"}]}},
                            {
                                "secret": {
                                    "name": "hidden",
                                    "items": [{"key": "b", "path": "secret/b", "mode": 0o400}],
                                }
                            },
                            {"configMap": {"name": "absent", "optional": True}},
                            {
                                "downwardAPI": {
                                    "items": [
                                        {"path": "namespace", "fieldRef": {"fieldPath": "metadata.namespace"}}
                                    ]
                                }
                            },
                            {"serviceAccountToken": {"path": "token", "expirationSeconds": 3600}},
                        ],
                    },
                },
            ],
        },
    },
    objects=(config_map("settings", {"a": "A", "unused": "-"}), secret("hidden", {"b": "B"})),
    quick=True,
)


@DOWNWARD.case("fields of the Pod in the environment", docs.DOWNWARD)
def fields(stage: Stage) -> None:
    found = stage.env(8080)
    vm = stage.machine.blueprint
    expected = {
        "NAME": vm.name,
        "NAMESPACE": "shop",
        "UID": LAUNCHER_UID,
        "LABEL": "front",
        "ANNOTATION": "costs $(A) lot",
        "NODE": NODE,
        "ACCOUNT": "robot",
        "POD_IP": POD_IP,
        "POD_IPS": POD_IP,
        "URL": f"http://{POD_IP}:8080/{vm.name}",
    }
    assert {name: found.get(name) for name in expected} == expected


@DOWNWARD.case("resources in the environment, rounded up to their divisor", docs.DOWNWARD)
def resources(stage: Stage) -> None:
    found = stage.env(8080)
    assert {name: found.get(name) for name in _RESOURCES} == {
        "CPU_LIMIT": "1",
        "CPU_MILLI": "1000",
        "CPU_REQUEST": "250",
        "MEMORY": str(96 << 20),
        "MEMORY_MI": "96",
    }


@DOWNWARD.case("resources as the limits of the control group", docs.RESOURCES)
def limits(stage: Stage) -> None:
    found = stage.report(8080)["cgroup"]
    assert found["memory.max"] == str(96 << 20)
    assert found["cpu.max"] == "100000 100000"


@DOWNWARD.case("labels and annotations as files", docs.DOWNWARD)
def files(stage: Stage) -> None:
    found = stage.report(8080, "/etc/pod")["files"]
    labels = set((found["/etc/pod/labels"]["text"]).splitlines())
    assert {'app="downward"', 'example.com/tier="front"'} <= labels
    annotations = (found["/etc/pod/annotations"]["text"]).splitlines()
    assert 'note="costs $(A) lot"' in annotations
    assert r'lines="one\ntwo \"quoted\""' in annotations
    assert found["/etc/pod/names/pod"]["text"] == stage.machine.blueprint.name
    assert found["/etc/pod/memory"]["text"] == str(96 << 20)
    assert found["/etc/pod/..data/names/pod"]["mode"] == "0600"


@DOWNWARD.case("several sources projected into one folder", docs.PROJECTED)
def projected(stage: Stage) -> None:
    found = stage.report(8080, "/etc/all")["files"]
    assert set(found["/etc/all"]["entries"]) == {"..data", "config", "namespace", "secret", "token"}
    texts = {
        name: found[f"/etc/all/{name}"]["text"] for name in ("config/a", "secret/b", "namespace", "token")
    }
    assert texts == {"config/a": "A", "secret/b": "B", "namespace": "shop", "token": TOKEN.decode()}
    assert found["/etc/all/..data/config/a"]["mode"] == "0444"
    assert found["/etc/all/..data/secret/b"]["mode"] == "0400"


@DOWNWARD.case("the ServiceAccount's token where every client looks for it", docs.TOKEN)
def token(stage: Stage) -> None:
    found = stage.report(8080, _ACCOUNT)["files"]
    assert set(found[_ACCOUNT]["entries"]) == {"..data", "ca.crt", "namespace", "token"}
    assert found[f"{_ACCOUNT}/token"]["text"] == TOKEN.decode()
    assert found[f"{_ACCOUNT}/namespace"]["text"] == "shop"
    assert "ro" in stage.mount(8080, _ACCOUNT)["options"]


@DOWNWARD.case("a subPath of what is in the environment", docs.SUB_PATH)
def sub_path(stage: Stage) -> None:
    assert stage.get(8080, "/write", path="/here/file", text="x") == "done"
    assert stage.file(8080, "/scratch/shop/front/file")["text"] == "x"
