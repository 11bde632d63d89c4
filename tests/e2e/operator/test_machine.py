"""A VirtualMachine: a machine that KubeVirt itself admits, around the very Pod of the Container."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.controlplane import Api
from tests.e2e.operator.subject import WORKLOAD_LABEL, Manifest, Subject, condition, container, template
from tests.operator_process import GUEST_IMAGE

pytestmark = pytest.mark.simulated

PROBE: Manifest = {"httpGet": {"path": "/healthz", "port": "http"}, "periodSeconds": 3, "failureThreshold": 2}
SERVER = container(
    ports=[{"name": "http", "containerPort": 8080}],
    readinessProbe=PROBE,
    resources={"requests": {"cpu": "500m", "memory": "256Mi"}, "limits": {"cpu": "1500m", "memory": "512Mi"}},
)

#: Everything that a machine can honour, in one template.
RICH: Manifest = {
    "metadata": {"labels": {"app": "shop"}, "annotations": {"note": "kept"}},
    "spec": {
        "initContainers": [
            container(name="migrate", envFrom=[{"secretRef": {"name": "database"}}]),
            container(name="mesh", restartPolicy="Always"),
        ],
        "containers": [
            container(
                ports=[{"name": "http", "containerPort": 8080}],
                readinessProbe={"tcpSocket": {"port": "http"}},
                env=[
                    {"name": "MODE", "valueFrom": {"configMapKeyRef": {"name": "settings", "key": "mode"}}},
                    {
                        "name": "MAYBE",
                        "valueFrom": {"secretKeyRef": {"name": "absent", "key": "x", "optional": True}},
                    },
                    {"name": "NODE", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}},
                    {"name": "ADDRESS", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}},
                ],
                envFrom=[{"configMapRef": {"name": "settings"}}],
                volumeMounts=[
                    {"name": "settings", "mountPath": "/etc/shop"},
                    {"name": "database", "mountPath": "/etc/database"},
                    {"name": "all", "mountPath": "/etc/all"},
                    {"name": "scratch", "mountPath": "/scratch"},
                ],
                volumeDevices=[{"name": "data", "devicePath": "/dev/data"}],
            )
        ],
        "volumes": [
            {"name": "settings", "configMap": {"name": "settings", "items": [{"key": "mode", "path": "m"}]}},
            {"name": "database", "secret": {"secretName": "database", "defaultMode": 0o400}},
            {
                "name": "all",
                "projected": {
                    "sources": [
                        {"configMap": {"name": "more"}},
                        {
                            "downwardAPI": {
                                "items": [{"path": "l", "fieldRef": {"fieldPath": "metadata.labels"}}]
                            }
                        },
                        {"serviceAccountToken": {"path": "token"}},
                    ]
                },
            },
            {"name": "scratch", "emptyDir": {"medium": "Memory"}},
            {"name": "data", "persistentVolumeClaim": {"claimName": "data"}},
        ],
        "imagePullSecrets": [{"name": "registry"}],
        "tolerations": [{"key": "spot", "operator": "Exists"}],
        "affinity": {
            "nodeAffinity": {
                "requiredDuringSchedulingIgnoredDuringExecution": {
                    "nodeSelectorTerms": [
                        {
                            "matchExpressions": [
                                {"key": "kubernetes.io/os", "operator": "In", "values": ["linux"]}
                            ]
                        }
                    ]
                }
            }
        },
        "topologySpreadConstraints": [
            {
                "maxSkew": 1,
                "topologyKey": "kubernetes.io/hostname",
                "whenUnsatisfiable": "ScheduleAnyway",
                "labelSelector": {"matchLabels": {"app": "shop"}},
            }
        ],
        "nodeSelector": {"kubernetes.io/arch": "amd64"},
        "dnsPolicy": "None",
        "dnsConfig": {"nameservers": ["10.0.0.10"], "searches": ["shop.svc"]},
        "priorityClassName": "system-cluster-critical",
        "securityContext": {"runAsNonRoot": True, "runAsUser": 1000, "fsGroup": 1000},
        "hostAliases": [{"ip": "10.1.1.1", "hostnames": ["old"]}],
        "terminationGracePeriodSeconds": 5,
    },
}


def of_cluster(kind: str, spec: Manifest) -> Manifest:
    return {
        "apiVersion": "instancetype.kubevirt.io/v1beta1",
        "kind": kind,
        "metadata": {"name": f"test-{kind.lower()}"},
        "spec": spec,
    }


def objects(namespace: str) -> list[Manifest]:
    """What the rich template refers to, so that the machine's launcher Pod can start."""
    config = [
        {"apiVersion": "v1", "kind": "ConfigMap", "data": {"mode": "fast"}, "metadata": {"name": name}}
        for name in ("settings", "more")
    ]
    secrets = [
        {"apiVersion": "v1", "kind": "Secret", "stringData": {"PASSWORD": "x"}, "metadata": {"name": name}}
        for name in ("database", "registry")
    ]
    claim: Manifest = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "data"},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "volumeMode": "Block",
            "volumeName": f"{namespace}-data",
            "storageClassName": "",
            "resources": {"requests": {"storage": "1Gi"}},
        },
    }
    volume: Manifest = {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": f"{namespace}-data"},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "volumeMode": "Block",
            "capacity": {"storage": "1Gi"},
            "storageClassName": "",
            "local": {"path": "/dev/sdz"},
            "nodeAffinity": {
                "required": {
                    "nodeSelectorTerms": [
                        {
                            "matchExpressions": [
                                {"key": "kubernetes.io/os", "operator": "In", "values": ["linux"]}
                            ]
                        }
                    ]
                }
            },
        },
    }
    made = [*config, *secrets, claim, volume]
    return [
        obj if obj is volume else obj | {"metadata": obj["metadata"] | {"namespace": namespace}}
        for obj in made
    ]


def spec_of(machine: Manifest) -> Manifest:
    spec: Manifest = machine["spec"]["template"]["spec"]
    return spec


def test_machine_runs_the_guest_with_the_manifest_beside_it(web: Subject) -> None:
    web.apply("VirtualMachine", template({"note": "kept"}, containers=[SERVER]))
    workload = web.becomes("Ready")
    machine = web.hull()
    name, spec = machine["metadata"]["name"], spec_of(machine)

    assert machine["kind"] == "VirtualMachine"
    assert machine["metadata"]["labels"] == {
        "twinhull.dev/hull": "VirtualMachine",
        "twinhull.dev/hull-name": name,
        "twinhull.dev/revision": workload["status"]["hull"]["revision"],
        "twinhull.dev/workload": "web",
    }
    assert machine["spec"]["runStrategy"] == "Always"
    volumes = {volume.pop("name"): volume for volume in spec["volumes"]}
    assert volumes["guest"]["containerDisk"]["image"] == GUEST_IMAGE
    assert volumes["manifest"]["configMap"]["name"] == name
    assert spec["networks"] == [{"name": "default", "pod": {}}]
    assert spec["domain"]["devices"]["interfaces"] == [{"name": "default", "masquerade": {}}]
    probe = spec["readinessProbe"]
    assert (probe["httpGet"]["path"], probe["httpGet"]["port"]) == ("/readyz", 65254)
    kernel = spec["domain"]["firmware"]["kernelBoot"]
    assert kernel["container"]["image"] == GUEST_IMAGE
    assert "console=ttyS0" in kernel["kernelArgs"]
    assert spec["domain"]["devices"]["panicDevices"] == [{"model": "pvpanic"}], "KubeVirt's gate is open here"
    assert spec["domain"]["cpu"]["cores"] == 2
    assert spec["domain"]["memory"]["guest"] == "768Mi"  # the limit, and 256Mi for the guest itself
    assert spec["domain"]["resources"] == {
        "requests": {"cpu": "500m", "memory": "512Mi"},
        "limits": {"cpu": "1500m", "memory": "768Mi"},
    }
    assert spec["hostname"] == "web"


def test_machine_is_ready_in_status_with_its_node_and_address(web: Subject) -> None:
    web.apply("VirtualMachine")
    hull = web.becomes("Ready")["status"]["hull"]

    instance = web.one("VirtualMachineInstance", hull["name"])
    assert hull["ready"] is True
    assert hull["node"] == instance["status"]["nodeName"]
    assert hull["address"] == instance["status"]["interfaces"][0]["ipAddress"]
    (launcher,) = web.belongings()["Pod"]
    assert web.one("Pod", launcher)["status"]["podIP"] == hull["address"]


def test_manifest_holds_the_very_pod_of_the_container(web: Subject) -> None:
    pod_template = template({"note": "kept"}, containers=[SERVER], terminationGracePeriodSeconds=7)
    web.apply("VirtualMachine", pod_template)
    web.becomes("Ready")
    name = web.hull()["metadata"]["name"]
    carried = web.one("ConfigMap", name)
    manifest = json.loads(carried["data"]["manifest.json"])
    assert manifest["version"] == 1

    web.change(isolationPolicy="Container")
    web.becomes("Ready")
    pod = web.hull()

    inside = manifest["pod"]
    assert (inside["apiVersion"], inside["kind"]) == ("v1", "Pod")
    assert inside["metadata"]["annotations"].keys() == {"note", "twinhull.dev/applied"}
    assert "ownerReferences" not in inside["metadata"]
    assert inside["spec"]["hostname"] == pod["spec"]["hostname"] == "web"
    # The API server adds its defaults to the Pod; made again from the manifest, it would add the same.
    remade = web.cluster.api.request(
        "POST",
        web.cluster.api.path("Pod", web.namespace),
        inside | {"metadata": {"name": "remade"}},
        query={"dryRun": "All"},
    )
    for generated in (remade, pod):
        for key in ("nodeName", "volumes"):
            generated["spec"].pop(key, None)
        for made in generated["spec"]["containers"]:
            made.pop("volumeMounts")
    assert remade["spec"] == pod["spec"]


def test_a_manifest_that_somebody_writes_into_is_put_back(web: Subject) -> None:
    web.apply("VirtualMachine")
    web.becomes("Ready")
    name = web.hull()["metadata"]["name"]
    given = web.one("ConfigMap", name)["data"]
    other = {"data": {"manifest.json": given["manifest.json"].replace("nginx:1.29", "miner:1")}}
    web.cluster.api.patch("ConfigMap", name, web.namespace, other)
    web.eventually(lambda: web.one("ConfigMap", name)["data"] == given, "it is what it was")


def test_a_manifest_that_lost_its_label_is_found_again(web: Subject) -> None:
    web.apply("VirtualMachine")
    web.becomes("Ready")
    name = web.hull()["metadata"]["name"]
    uid = web.one("ConfigMap", name)["metadata"]["uid"]
    web.cluster.api.patch("ConfigMap", name, web.namespace, {"metadata": {"labels": {WORKLOAD_LABEL: None}}})
    web.eventually(lambda: web.belongings().get("ConfigMap") == [name], "its label is put back")
    assert web.one("ConfigMap", name)["metadata"]["uid"] == uid


@pytest.fixture
def surroundings(api: Api, namespace: str) -> Iterator[None]:
    """What the rich template and its machine refer to."""
    made = objects(namespace)
    made += [
        of_cluster("VirtualMachineClusterInstancetype", {"cpu": {"guest": 2}, "memory": {"guest": "2Gi"}}),
        of_cluster("VirtualMachineClusterPreference", {"devices": {"preferredDiskBus": "virtio"}}),
    ]
    for obj in made:
        api.create(obj)
    yield
    for obj in made:
        if "namespace" not in obj["metadata"]:
            api.delete(obj["kind"], obj["metadata"]["name"])


@pytest.mark.usefixtures("surroundings")
def test_rich_template_is_admitted_by_kubevirt(web: Subject) -> None:
    web.apply(
        "VirtualMachine",
        RICH,
        virtualMachine={
            "instancetype": {"name": "test-virtualmachineclusterinstancetype"},
            "preference": {"name": "test-virtualmachineclusterpreference"},
            "firmware": {"bootloader": "UEFI", "secureBoot": True, "tpm": "Ephemeral"},
            "overrides": {"domain": {"devices": {"autoattachMemBalloon": False}}, "evictionStrategy": "None"},
        },
    )
    web.becomes("Ready")

    machine = web.hull()
    spec = spec_of(machine)
    assert machine["spec"]["instancetype"]["name"] == "test-virtualmachineclusterinstancetype"
    assert machine["spec"]["preference"]["name"] == "test-virtualmachineclusterpreference"
    assert spec["domain"]["firmware"]["bootloader"] == {"efi": {"secureBoot": True}}
    assert spec["domain"]["devices"]["tpm"] == {}
    assert spec["domain"]["devices"]["autoattachMemBalloon"] is False
    assert spec["evictionStrategy"] == "None"
    for key in ("affinity", "tolerations", "dnsConfig", "dnsPolicy", "nodeSelector", "priorityClassName"):
        assert spec[key] == RICH["spec"][key]
    assert spec["terminationGracePeriodSeconds"] == 20  # the Pod's own, and 15 for the guest
    manifest = json.loads(web.one("ConfigMap", machine["metadata"]["name"])["data"]["manifest.json"])
    given = {(entry["kind"], entry["name"]) for entry in manifest["attachments"]}
    assert given == {
        ("ServiceAccount", "default"),
        ("Secret", "registry"),
        ("Secret", "database"),
        ("ConfigMap", "settings"),
        ("Secret", "absent"),
        ("PersistentVolumeClaim", "data"),
        ("ConfigMap", "more"),
        ("Launcher", machine["metadata"]["name"]),
    }
    devices = {entry.get("tag") or entry["serial"] for entry in manifest["attachments"]}
    assert devices <= {volume["name"] for volume in spec["volumes"]}
    # The launcher Pod runs, so KubeVirt could mount each of them.
    assert condition(web.one("VirtualMachineInstance", machine["metadata"]["name"]), "Ready")[0] == "True"


def test_unsupported_fields_are_each_named_and_no_machine_is_made(web: Subject) -> None:
    web.apply(
        "VirtualMachine",
        template(
            hostNetwork=True,
            containers=[
                container(
                    ports=[{"containerPort": 80, "hostPort": 80}],
                    volumeMounts=[{"name": "logs", "mountPath": "/logs"}],
                )
            ],
            volumes=[{"name": "logs", "hostPath": {"path": "/var/log"}}],
        ),
    )
    workload = web.becomes("UnsupportedFields")

    fields = {field["path"]: field["reason"] for field in workload["status"]["unsupportedFields"]}
    other = "use isolation Container"
    assert fields == {
        "spec.hostNetwork": f"a machine doesn't share its node's network; remove it, or {other}",
        "spec.containers[web].ports[0].hostPort": (
            "the machine has no port on its node; use the Workload's Service"
        ),
        "spec.volumes[logs].hostPath": f"the machine can't see its node's files; {other}",
    }
    status, reason, message = condition(workload, "Stalled")
    assert (status, reason) == ("True", "UnsupportedFields")
    assert message.endswith("(and 2 more in status.unsupportedFields)")
    assert "VirtualMachine" not in web.belongings()

    web.change(isolationPolicy="Container")
    workload = web.becomes("Ready")
    assert "unsupportedFields" not in workload["status"]


def test_a_flip_that_cannot_be_leaves_the_container_running(web: Subject) -> None:
    pod_template = template(hostNetwork=True)
    web.apply("Container", pod_template)
    web.becomes("Ready")
    old = web.hull()["metadata"]

    web.change(isolationPolicy="VirtualMachine")

    web.becomes("UnsupportedFields")
    assert web.belongings() == {"Pod": [old["name"]]}


def test_manifest_deleted_by_hand_comes_back(web: Subject, api: Api) -> None:
    web.apply("VirtualMachine")
    web.becomes("Ready")
    name = web.hull()["metadata"]["name"]
    old = web.one("ConfigMap", name)

    api.delete("ConfigMap", name, web.namespace)

    web.eventually(
        lambda: web.one("ConfigMap", name)["metadata"]["uid"] != old["metadata"]["uid"], "another is there"
    )
    assert web.one("ConfigMap", name)["data"] == old["data"]


def test_a_machine_that_is_not_ready_says_so(web: Subject) -> None:
    web.apply("VirtualMachine", template({"simulate.twinhull.dev/never-ready": "true"}))
    web.eventually(lambda: web.get()["status"]["hull"]["node"], "the machine is on its node")
    web.eventually(
        lambda: web.condition("Ready")[2].startswith("VirtualMachine web-"), "the machine itself isn't ready"
    )
    assert web.condition("Ready")[0] == "False"
    assert web.condition("Reconciling")[0] == "True"


def test_a_machine_that_is_to_end_goes_when_its_time_is_over_and_is_made_again(web: Subject) -> None:
    """What the operator notes on it is of no interest to KubeVirt. No guest answers here."""
    web.apply("VirtualMachine", template(terminationGracePeriodSeconds=1))
    web.becomes("Ready")
    machine = web.hull()["metadata"]

    instance = web.one("VirtualMachineInstance", machine["name"])["metadata"]["uid"]
    note = f"2026-01-01T00:00:00Z {instance}"
    web.annotate("VirtualMachine", machine["name"], **{"twinhull.dev/ending": note})

    web.eventually(lambda: web.hull()["metadata"]["uid"] != machine["uid"], "there is another machine")
    assert web.becomes("Ready")["status"]["hull"]["name"] == machine["name"]
