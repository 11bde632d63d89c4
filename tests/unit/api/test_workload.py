from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from pydantic import ValidationError

from twinhull.api.base import Raw
from twinhull.api.isolation import Isolation
from twinhull.api.schema import structural
from twinhull.api.workload import Workload

TEMPLATE = yaml.load(
    (Path(__file__).parents[2] / "podtemplate/everything.yaml").read_text("utf-8"), yaml.CSafeLoader
)

METADATA = {
    "name": "web",
    "namespace": "shop",
    "uid": "6f1f8f0e-6b8c-4d2e-9c64-7a1f2b3c4d5e",
    "generation": 3,
    "creationTimestamp": "2026-11-23T07:43:53Z",
}

MD5 = "md5:0123456789abcdef0123456789abcdef"
#: Every field is set, and to something else than its default.
MAXIMAL: Raw = {
    "metadata": METADATA
    | {
        "deletionTimestamp": "2026-11-24T00:00:00Z",
        "annotations": {"twinhull.dev/restart": "now"},
        "labels": {"tier": "untrusted"},
    },
    "spec": {
        "isolationPolicy": "VirtualMachine",
        "state": "Stopped",
        "replacement": {"strategy": "StartFirst", "progressDeadlineSeconds": 60, "drainSeconds": 1},
        "service": {
            "enabled": False,
            "ports": [
                {"name": "http", "port": 80, "targetPort": 8080, "protocol": "UDP", "appProtocol": "http"}
            ],
            "type": "LoadBalancer",
            "annotations": {"cloud.example/internal": "true"},
            "labels": {"team": "shop"},
            "loadBalancerClass": "cloud.example/internal",
            "externalTrafficPolicy": "Local",
            "internalTrafficPolicy": "Cluster",
            "sessionAffinity": "ClientIP",
            "sessionAffinityConfig": {"clientIP": {"timeoutSeconds": 60}},
            "ipFamilyPolicy": "RequireDualStack",
            "ipFamilies": ["IPv6", "IPv4"],
            "headless": False,
            "publishNotReadyAddresses": True,
            "nodePorts": {"http": 30080},
        },
        "sandbox": {"runtimeClassName": "gvisor"},
        "virtualMachine": {
            "instancetype": {"name": "u1.small", "kind": "VirtualMachineInstancetype"},
            "preference": {"name": "linux", "kind": "VirtualMachinePreference"},
            "guestImage": "registry.example.com/guest:1",
            "guestImagePullSecret": "registry-1.credentials",
            "registries": [
                {
                    "host": "docker.io",
                    "mirrors": ["https://mirror.example"],
                    "ca": {"configMap": "authorities", "key": "ca.crt"},
                }
            ],
            "claims": [{"volume": "data", "as": "Disk"}],
            "os": "Windows",
            "cpus": 2,
            "memory": "4Gi",
            "devices": "Virtio",
            "firmware": {
                "bootloader": "UEFI",
                "secureBoot": True,
                "persistent": True,
                "tpm": "Persistent",
            },
            "bootDisk": {
                "name": "system",
                "source": {
                    "http": {
                        "url": "https://images.example/web.vmdk",
                        "checksum": MD5,
                        "secretRef": "images",
                        "certConfigMap": "authorities",
                        "secretExtraHeaders": ["token"],
                    },
                    "s3": {"url": "s3://b/web", "checksum": MD5, "secretRef": "s", "certConfigMap": "c"},
                    "gcs": {"url": "gs://b/web", "checksum": MD5, "secretRef": "s"},
                    "registry": {
                        "url": "docker://web",
                        "checksum": MD5,
                        "pullMethod": "node",
                        "secretRef": "s",
                        "certConfigMap": "c",
                    },
                    "vddk": {
                        "url": "https://vcenter.example",
                        "uuid": "52260566-b032-36cb-55b1-79bf29e30490",
                        "backingFile": "[datastore1] web/web.vmdk",
                        "thumbprint": "20:6C:8A",
                        "secretRef": "vcenter",
                        "checksum": MD5,
                        "certConfigMap": "c",
                        "initImageURL": "vddk:8",
                        "extraArgs": "vddk",
                    },
                    "imageio": {
                        "url": "https://ovirt.example",
                        "diskId": "1",
                        "secretRef": "s",
                        "certConfigMap": "c",
                        "checksum": MD5,
                    },
                    "claim": {"name": "web"},
                    "snapshot": {"name": "web"},
                    "dataSource": {"name": "fedora", "namespace": "golden"},
                    "upload": {},
                    "blank": {},
                    "containerDisk": {"image": "disk:1", "imagePullSecret": "s", "path": "/disk/web.img"},
                },
                "size": "40Gi",
                "storageClassName": "fast",
                "accessModes": ["ReadWriteOnce"],
                "volumeMode": "Block",
                "reclaim": "Delete",
                "bus": "scsi",
            },
            "disks": [
                {"name": "data", "source": {"blank": {}}, "size": "1Gi", "cdrom": False, "bootOrder": 2}
            ],
            "networkInterface": {"macAddress": "02:00:00:00:00:01", "model": "e1000e"},
            "cloudInit": {"userDataSecret": "user", "networkDataSecret": "network"},
            "sysprep": {"secret": "answers"},
            "sshKeys": {"secret": "keys", "users": ["ada"]},
            "virtioDrivers": {"image": "virtio-win:1", "imagePullSecret": "s"},
            "readiness": {
                "tcpSocket": {"port": 22},
                "httpGet": {"path": "/ready", "port": 80, "scheme": "HTTPS"},
                "exec": {"command": ["true"]},
                "guestAgentPing": {},
                "initialDelaySeconds": 1,
                "periodSeconds": 2,
                "timeoutSeconds": 3,
                "successThreshold": 4,
                "failureThreshold": 5,
            },
            "overrides": {"domain": {"cpu": {"model": "host-model"}}, "hostname": None},
        },
        "template": TEMPLATE,
    },
    "status": {
        "observedGeneration": 3,
        "isolation": {
            "requested": "Auto",
            "resolved": "Sandbox",
            "running": "Container",
            "pendingSince": "2026-11-23T07:45:00Z",
            "policy": "untrusted",
            "reason": "PolicyDefault",
            "message": "m",
        },
        "hull": {
            "kind": "VirtualMachine",
            "name": "web-6f9c1",
            "revision": "6f9c1",
            "ready": True,
            "node": "n1",
            "address": "10.1.2.3",
            "startedAt": "2026-11-23T07:44:00Z",
            "migratable": {
                "possible": False,
                "reason": "DisksNotLiveMigratable",
                "message": "PVC data is not shared",
            },
        },
        "previousHull": {"kind": "Pod", "name": "web-0a1b2", "revision": "0a1b2", "ready": False},
        "lastChange": {
            "how": "InPlace",
            "revision": "6f9c1",
            "hull": "web-6f9c1",
            "at": "2026-11-23T07:44:00Z",
        },
        "replacement": {
            "revision": "6f9c1",
            "generation": 3,
            "startedAt": "2026-11-23T07:44:00Z",
            "failedAt": "2026-11-23T07:54:00Z",
            "message": "m",
        },
        "backOff": {
            "revision": "6f9c1",
            "losses": 2,
            "since": "2026-11-23T07:44:00Z",
            "lostAt": "2026-11-23T07:44:01Z",
            "retryAt": "2026-11-23T07:44:11Z",
            "hull": "6f1f8f0e-6b8c-4d2e-9c64-7a1f2b3c4d5f",
            "reason": "Evicted",
            "message": "m",
        },
        "lacks": [{"reason": "KubeVirtMissing", "message": "m"}],
        "unsupportedFields": [{"path": "spec.hostPID", "reason": "r"}],
        "containers": [
            {
                "name": "web",
                "init": True,
                "ready": True,
                "restarts": 2,
                "state": "Terminated",
                "reason": "Completed",
                "exitCode": 0,
                "lastReason": "OOMKilled",
                "lastExitCode": 137,
            }
        ],
        "disks": [
            {
                "name": "boot",
                "claim": "web-boot",
                "phase": "ImportInProgress",
                "progress": "45%",
                "size": "40Gi",
                "attached": False,
                "message": "m",
            }
        ],
        "exit": {
            "code": 137,
            "reason": "OOMKilled",
            "message": "m",
            "container": "web",
            "finishedAt": "2026-11-23T07:45:00.123456Z",
            "revision": "6f9c1",
            "asked": "6f9c2",
            "canonical": "6f9c3",
        },
        "conditions": [
            {
                "type": "Ready",
                "status": "False",
                "reason": "Stopped",
                "message": "m",
                "lastTransitionTime": "2026-11-23T07:44:30Z",
                "observedGeneration": 3,
            }
        ],
    },
}

MINIMAL: Raw = {
    "metadata": METADATA,
    "spec": {"template": {"spec": {"containers": [{"name": "web", "image": "nginx"}]}}},
}


def unset(schema: Raw, value: Raw, path: str = "") -> list[str]:
    """The fields of `schema` that `value` lacks."""
    paths = []
    for name, field in schema.get("properties", {}).items():
        if name not in value:
            paths.append(f"{path}.{name}")
        elif isinstance(value[name], dict):
            paths += unset(field, value[name], f"{path}.{name}")
    return paths


def test_maximal_workload_is_maximal() -> None:
    schema = structural(Workload)
    previous = [f".status.previousHull.{name}" for name in ("node", "address", "startedAt", "migratable")]
    assert unset(schema, MAXIMAL) == previous


def test_dumping_a_parsed_workload_gives_what_was_parsed() -> None:
    assert Workload.model_validate(MAXIMAL).raw() == MAXIMAL


def test_defaults_are_those_of_the_api_server() -> None:
    workload = Workload.model_validate(MINIMAL)
    assert (workload.spec.isolation_policy, workload.spec.state) == ("Auto", "Running")
    assert workload.status.observed_generation == -1


def test_unknown_field_is_ignored() -> None:
    newer = MINIMAL | {"spec": MINIMAL["spec"] | {"fromANewerVersion": True}}
    assert Workload.model_validate(newer) == Workload.model_validate(MINIMAL)


def test_workload_cannot_be_changed() -> None:
    workload = Workload.model_validate(MINIMAL)
    with pytest.raises(ValidationError, match="frozen"):
        workload.spec.state = "Stopped"  # type: ignore[misc,assignment]


def test_isolation_has_an_order() -> None:
    assert sorted(Isolation, key=lambda isolation: isolation.strength) == [
        "Container",
        "Sandbox",
        "VirtualMachine",
    ]
