"""The Workloads that the tests look at, and the objects that they refer to."""

from __future__ import annotations

import base64
import json
from typing import Any

from tests.disksystem import client
from tests.guest.registry import PASSWORD, USER
from tests.guest.scenario import NAMESPACE, PRIVATE, REGISTRY, config_map, container, secret
from tests.node import shell_image
from tests.node.cluster import PRIVATE_GUEST_IMAGE, SANDBOX_CLASS
from tests.node.machine import PORT
from twinhull.hulls.parity import MOST_LIVE

Raw = dict[str, Any]


def _workload(name: str, pod: Raw, **spec: Any) -> Raw:
    return {
        "apiVersion": "twinhull.dev/v1alpha1",
        "kind": "Workload",
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": {"isolationPolicy": "VirtualMachine", "template": {"spec": pod}, **spec},
    }


def _variable(name: str, **source: Raw) -> Raw:
    return {"name": name, "valueFrom": source}


def _field(name: str, path: str) -> Raw:
    return _variable(name, fieldRef={"fieldPath": path})


#: How often a probe asks, and how long a container has for its answer: with a second it isn't ready for
#: moments on a busy machine.
_OFTEN = {"periodSeconds": 1, "timeoutSeconds": 15}
#: All that a Pod is told by its node.
_WEB = _workload(
    "web",
    {
        "terminationGracePeriodSeconds": 5,
        "containers": [
            container(
                "web",
                port=PORT,
                env=[
                    _variable("GREETING", configMapKeyRef={"name": "settings", "key": "greeting"}),
                    _variable("LOGIN", secretKeyRef={"name": "login", "key": "password"}),
                    _field("POD_UID", "metadata.uid"),
                    _field("POD_IP", "status.podIP"),
                    _field("NODE", "spec.nodeName"),
                    _field("HOST_IP", "status.hostIP"),
                ],
                readinessProbe={"httpGet": {"path": "/", "port": PORT}, **_OFTEN},
                resources={"limits": {"cpu": "500m", "memory": "64Mi"}},
                volumeMounts=[
                    {"name": "settings", "mountPath": "/settings"},
                    {"name": "login", "mountPath": "/login"},
                    {"name": "about", "mountPath": "/about"},
                ],
            )
        ],
        "volumes": [
            {"name": "settings", "configMap": {"name": "settings"}},
            {"name": "login", "secret": {"secretName": "login"}},
            {
                "name": "about",
                "downwardAPI": {"items": [{"path": "name", "fieldRef": {"fieldPath": "metadata.name"}}]},
            },
        ],
    },
)


def _job(name: str, *arguments: str, **fields: Any) -> Raw:
    """One that runs for a while first: a guest that has answered the operator is asked often from then on,
    and only a minute is left for that after its run.
    """
    job = container("job", "--sleep=30s", *arguments, **fields)
    return _workload(name, {"restartPolicy": "Never", "containers": [job]})


def _claim_volume(name: str, claim: str) -> Raw:
    return {"name": name, "persistentVolumeClaim": {"claimName": claim}}


#: A container that needs a while to end, and writes what it did to its claim.
_DATA = _workload(
    "data",
    {
        "terminationGracePeriodSeconds": 120,
        "containers": [
            container(
                "data",
                "--trap=4s:/files/log",
                port=PORT,
                volumeMounts=[{"name": "files", "mountPath": "/files"}],
                volumeDevices=[{"name": "raw", "devicePath": "/dev/xvda"}],
            )
        ],
        "volumes": [_claim_volume("files", "files"), _claim_volume("raw", "raw")],
    },
)


#: A database that runs as a user of its own. A block claim and a filesystem claim are disks of its machine.
_DATABASE = _workload(
    "database",
    {
        "terminationGracePeriodSeconds": 5,
        "securityContext": {"runAsUser": 999, "runAsGroup": 999, "fsGroup": 999},
        "containers": [
            container(
                "database",
                "--initdb=/pg/main",
                "--initdb=/image/main",
                port=PORT,
                volumeMounts=[{"name": name, "mountPath": f"/{name}"} for name in ("pg", "image")],
            )
        ],
        "volumes": [_claim_volume("pg", "pg"), _claim_volume("image", "image")],
    },
    virtualMachine={"claims": [{"volume": name, "as": "Disk"} for name in ("pg", "image")]},
)


def _served(name: str, machine: Raw, **pod: Any) -> Raw:
    """One container that serves what it can see."""
    return _workload(name, {"containers": [container(name, port=PORT)], **pod}, virtualMachine=machine)


#: As many volumes as a Pod may well have: more devices than a machine has slots to begin with.
CONFIG_MAPS = tuple(f"part-{number:02}" for number in range(36))
#: As many of them as a machine shows with their changes. The others are mounted by subPath, and are disks.
WHOLE = CONFIG_MAPS[:MOST_LIVE]


def _part(name: str) -> Raw:
    """The mount by which the one file of a ConfigMap is /parts/<its name>/name."""
    whole = {"name": name, "mountPath": f"/parts/{name}"}
    return whole if name in WHOLE else {**whole, "mountPath": f"/parts/{name}/name", "subPath": "name"}


_MANY = _workload(
    "many",
    {
        "containers": [
            container(
                "many",
                port=PORT,
                volumeMounts=[_part(name) for name in CONFIG_MAPS],
            )
        ],
        "volumes": [{"name": name, "configMap": {"name": name}} for name in CONFIG_MAPS],
    },
)

SCTP_PORT = 2905
_ASSOCIATES = _workload(
    "associates",
    {
        "containers": [
            container(
                "associates",
                f"--serve={PORT}",
                f"--sctp={SCTP_PORT}",
                ports=[{"containerPort": PORT}, {"containerPort": SCTP_PORT, "protocol": "SCTP"}],
            )
        ]
    },
)

#: The claims of the disks that machines boot, in mebibytes.
DISK_SIZE = 192


def _booting(name: str, bootloader: str, mac: str, **machine_fields: Any) -> Raw:
    """A machine that boots the disk in the claim of its name, with `machine_fields` beside."""
    machine = {
        "cpus": 1,
        "memory": "320Mi",
        "firmware": {"bootloader": bootloader},
        "networkInterface": {"macAddress": mac},
        "bootDisk": {"source": {"claim": {"name": name}}},
        "readiness": {"httpGet": {"path": "/", "port": client.PORT}, "periodSeconds": 1},
        **machine_fields,
    }
    return {
        "apiVersion": "twinhull.dev/v1alpha1",
        "kind": "Workload",
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": {
            "isolationPolicy": "VirtualMachine",
            "service": {"ports": [{"name": "http", "port": client.PORT}]},
            "virtualMachine": machine,
        },
    }


#: The Secret with the public key of who may log in to the machine LOGIN. Its SSH server starts with the key.
KEYS = "admins"
LOGIN = "login"
_LOGIN = _booting(
    LOGIN,
    "BIOS",
    "00:50:56:01:02:04",
    sshKeys={"secret": KEYS},
    readiness={"tcpSocket": {"port": 22}, "periodSeconds": 5, "timeoutSeconds": 15},
)

#: What the machine of an instancetype has.
INSTANCETYPE: Raw = {
    "apiVersion": "instancetype.kubevirt.io/v1beta1",
    "kind": "VirtualMachineInstancetype",
    "metadata": {"name": "small"},
    "spec": {"cpu": {"guest": 1}, "memory": {"guest": "400Mi"}},
}
_TYPED = _served("typed", {"instancetype": {"name": "small", "kind": INSTANCETYPE["kind"]}})

_PULLS = json.dumps({"auths": {PRIVATE: {"auth": base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()}}})
_GUARDED = _served("guarded", {"guestImage": PRIVATE_GUEST_IMAGE, "guestImagePullSecret": "pulls"})

#: The Workloads that people reach into: the same template in each hull.
REACHED = {
    "Container": "reached-pod",
    "Sandbox": "reached-sandbox",
    "VirtualMachine": "reached-machine",
}
#: A container that fails once, so that there is a log of its previous run. It has started when the second
#: runs.
_TWICE = (
    "if test -e /state/ran; then touch /state/again; exec sleep 1000000; fi; "
    "touch /state/ran; echo the first run; exit 1"
)
#: A busy node may take long for it. If the container were ended for that, its previous run would be another.
_RUNS_AGAIN = {
    "exec": {"command": ["/bin/sh", "-c", "test -e /state/again"]},
    "periodSeconds": 2,
    "timeoutSeconds": 60,
    "failureThreshold": 300,
}
_HEALTHY = {"httpGet": {"path": "/health", "port": PORT}, **_OFTEN}


def _shell(name: str, script: str, **fields: Any) -> Raw:
    command = ["/bin/sh", "-c", script]
    return {"name": name, "image": f"{REGISTRY}/{shell_image.NAME}", "command": command, **fields}


def _reached(isolation: str, name: str) -> Raw:
    state = {"volumeMounts": [{"name": "state", "mountPath": "/state"}]}
    return _workload(
        name,
        {
            "terminationGracePeriodSeconds": 2,
            "initContainers": [_shell("setup", "echo set up")],
            "containers": [
                {
                    "name": "web",
                    "image": f"{REGISTRY}/{shell_image.NAME}",
                    "args": [f"--serve={PORT}", "--log=one", "--log=two", "--log=three"],
                    "ports": [{"name": "http", "containerPort": PORT}],
                    "readinessProbe": _HEALTHY,
                },
                _shell("twice", _TWICE, startupProbe=_RUNS_AGAIN, **state),
                _shell("typed", "exec cat", stdin=True, tty=True),
            ],
            "volumes": [{"name": "state", "emptyDir": {}}],
        },
        isolationPolicy=isolation,
        **({"sandbox": {"runtimeClassName": SANDBOX_CLASS}} if isolation == "Sandbox" else {}),
    )


#: Nothing keeps it on its node.
MOVES = _workload(
    "moves",
    {"terminationGracePeriodSeconds": 5, "containers": [container("moves", port=PORT)]},
    virtualMachine={"overrides": {"domain": {"cpu": {"sockets": 1}}}},
)

WORKLOADS: dict[str, Raw] = {
    workload["metadata"]["name"]: workload
    for workload in (
        _WEB,
        _job("succeeds", "--exit=0"),
        _job("fails", "--message=no rows", "--exit=3"),
        _job("outgrows", "--alloc=200", "--stay", resources={"limits": {"memory": "32Mi"}}),
        _DATA,
        _DATABASE,
        _TYPED,
        _GUARDED,
        _MANY,
        _ASSOCIATES,
        *(_reached(isolation, name) for isolation, name in REACHED.items()),
        _booting("vmware", "BIOS", "00:50:56:01:02:03"),
        _booting("hyperv", "UEFI", "00:15:5d:01:02:03"),
        _LOGIN,
        _workload(
            "flips",
            {
                "terminationGracePeriodSeconds": 5,
                "containers": [
                    container(
                        "flips",
                        "--trap=1s",
                        port=PORT,
                        readinessProbe=_HEALTHY,
                    )
                ],
            },
            isolationPolicy="Container",
            sandbox={"runtimeClassName": SANDBOX_CLASS},
            replacement={"strategy": "StartFirst"},
        ),
    )
}

OBJECTS: tuple[Raw, ...] = (
    config_map("settings", {"greeting": "hello", "color": "green"}),
    secret("login", {"password": "only for these tests", "user": "bob"}),
    secret("pulls", {".dockerconfigjson": _PULLS}, "kubernetes.io/dockerconfigjson"),
    INSTANCETYPE,
    *(config_map(name, {"name": name}) for name in CONFIG_MAPS),
)
