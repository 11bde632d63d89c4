"""The Workloads that run both ways: between them they use what templates are made of."""

from __future__ import annotations

from typing import Any

from tests.guest.reference.moment import Moment
from tests.guest.scenario import REGISTRY, Scenario, config_map, container, secret

Raw = dict[str, Any]

#: The port of the container whose file system the others' reports are left in.
DESK = 8080
_REPORTS = {"name": "reports", "mountPath": "/reports"}
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
_AMOUNTS = {
    "CPU_LIMIT": ("limits.cpu", "0"),
    "CPU_LIMIT_MILLI": ("limits.cpu", "1m"),
    "CPU_REQUEST": ("requests.cpu", "1m"),
    "MEMORY_LIMIT": ("limits.memory", "0"),
    "MEMORY_LIMIT_MI": ("limits.memory", "1Mi"),
    "MEMORY_REQUEST_KI": ("requests.memory", "1Ki"),
    "STORAGE_REQUEST": ("requests.ephemeral-storage", "1Mi"),
}
_LITERALS = {
    "QUOTES": """both "double" and 'single' and `back`""",
    "LINES": "first\nsecond\n\nfourth\n",
    "UNICODE": "héllo wörld — 你好 🚀",
    "EMPTY": "",
    "GREETING": "hello",
    "DERIVED": "$(GREETING)/$(UNICODE)",
    "ESCAPED": "$$(GREETING)",
    "UNKNOWN": "$(NOBODY)",
    "LATER": "$(DEFINED_LATER)",
    "DEFINED_LATER": "late",
    "TWICE": "$$$(GREETING)",
    "DOLLARS": "$HOME ${HOME} $1 $",
}
_SETTINGS = config_map(
    "settings",
    {
        "mode": "fast",
        "app.conf": "listen 8080\n$(GREETING)\n",
        "tricky": "$(GREETING) $$(GREETING) $",
        "e": "",
    },
    blob="AAECAwT/",
)
_CREDENTIALS = secret("credentials", {"TOKEN": "pa$$w$(ord)", "USER": "me", "with.dot": "kept"})


def _field(name: str, path: str) -> Raw:
    return {"name": name, "valueFrom": {"fieldRef": {"fieldPath": path}}}


def _amount(name: str, resource: str, divisor: str) -> Raw:
    return {"name": name, "valueFrom": {"resourceFieldRef": {"resource": resource, "divisor": divisor}}}


def _key(name: str, kind: str, of: str, key: str, *, optional: bool = False) -> Raw:
    reference = {"name": of, "key": key, **({"optional": True} if optional else {})}
    return {"name": name, "valueFrom": {f"{kind}KeyRef": reference}}


ENVIRONMENT = Scenario(
    "environment",
    {
        "metadata": {
            "labels": {"example.com/tier": "front", "app": "environment"},
            "annotations": {"note": "costs $(A) lot", "lines": 'one\ntwo "quoted"'},
        },
        "spec": {
            "terminationGracePeriodSeconds": 2,
            "initContainers": [
                container("first", "--report=/reports/first", volumeMounts=[_REPORTS]),
                container(
                    "sidecar",
                    port=9100,
                    restartPolicy="Always",
                    env=[_field("SIDECAR_OF", "metadata.name")],
                    startupProbe={"tcpSocket": {"port": 9100}, "periodSeconds": 1, "timeoutSeconds": 5},
                ),
                container(
                    "second",
                    "--report=/reports/second",
                    image=f"{REGISTRY}/numeric-user:1",
                    securityContext={"runAsUser": 0},
                    volumeMounts=[_REPORTS],
                ),
            ],
            "containers": [
                container(
                    "main",
                    *("plain", "with space", "quote\"d'arg", "$(GREETING)-x", "$$(GREETING)", "$(NOBODY)"),
                    *("ünïcødé", "", "line\nbreak", "$(TRICKY)"),
                    port=DESK,
                    workingDir="/srv",
                    env=[
                        *({"name": name, "value": value} for name, value in _LITERALS.items()),
                        *(_field(name, path) for name, path in _FIELDS.items()),
                        *(_amount(name, *of) for name, of in _AMOUNTS.items()),
                        {"name": "URL", "value": "http://$(POD_IP):8080/$(NAME)"},
                        _key("TRICKY", "configMap", "settings", "tricky"),
                    ],
                    resources={
                        "requests": {"cpu": "250m", "memory": "384Mi", "ephemeral-storage": "8Mi"},
                        "limits": {"cpu": "1", "memory": "448Mi"},
                    },
                    readinessProbe={"httpGet": {"port": DESK, "path": "/health"}, "timeoutSeconds": 5},
                    volumeMounts=[_REPORTS],
                ),
                container(
                    "from",
                    "--stay",
                    port=8081,
                    image=f"{REGISTRY}/entrypoint-and-command:1",
                    envFrom=[
                        {"configMapRef": {"name": "settings"}, "prefix": "CFG_"},
                        {"secretRef": {"name": "credentials"}},
                        {"configMapRef": {"name": "absent", "optional": True}},
                    ],
                    env=[
                        {"name": "USER", "value": "of env"},
                        _key("MODE", "configMap", "settings", "mode"),
                        _key("SECRET", "secret", "credentials", "TOKEN"),
                        _key("ABSENT", "configMap", "settings", "none", optional=True),
                        {"name": "USES", "value": "$(MODE) $(SECRET) $(CFG_mode)"},
                    ],
                ),
                container("folder", port=8082, image=f"{REGISTRY}/missing-folder:1"),
                container(
                    "replaced",
                    port=8083,
                    image=f"{REGISTRY}/entrypoint-and-command:1",
                    command=["/bin/conformance", "--log=$(SAID)"],
                    env=[{"name": "SAID", "value": "by the command"}],
                    workingDir="/made/for/it",
                ),
                container("unlimited", port=8084, env=[_amount("CPU", "limits.cpu", "0")]),
            ],
            "volumes": [{"name": "reports", "emptyDir": {}}],
        },
    },
    objects=(_SETTINGS, _CREDENTIALS),
)

VOLUMES = Scenario(
    "volumes",
    {
        "metadata": {
            "labels": {"example.com/tier": "front", "app": "volumes"},
            "annotations": {"note": "costs $(A) lot", "lines": 'one\ntwo "quoted"'},
        },
        "spec": {
            "terminationGracePeriodSeconds": 2,
            "hostname": "given",
            "subdomain": "inner",
            "hostAliases": [
                {"ip": "10.9.8.7", "hostnames": ["alias.example", "alias"]},
                {"ip": "fd00::1", "hostnames": ["six.example"]},
            ],
            "dnsConfig": {
                "searches": ["more.example"],
                "options": [{"name": "timeout", "value": "3"}, {"name": "edns0"}],
            },
            "securityContext": {"fsGroup": 2000, "supplementalGroups": [4000]},
            "initContainers": [
                container(
                    "writer",
                    "--append=/state/file:by init",
                    volumeMounts=[
                        {"name": "state", "mountPath": "/state"},
                    ],
                ),
            ],
            "containers": [
                container(
                    "main",
                    port=DESK,
                    env=[_field("NAMESPACE", "metadata.namespace"), {"name": "PART", "value": "front"}],
                    volumeMounts=[
                        {"name": "config", "mountPath": "/v/config"},
                        {"name": "some", "mountPath": "/v/some", "readOnly": True},
                        {"name": "config", "mountPath": "/v/one/app.conf", "subPath": "app.conf"},
                        {"name": "hidden", "mountPath": "/v/hidden", "readOnly": True},
                        {"name": "open", "mountPath": "/v/open"},
                        {"name": "absent", "mountPath": "/v/absent"},
                        {"name": "pod", "mountPath": "/v/pod"},
                        {"name": "all", "mountPath": "/v/all"},
                        {"name": "state", "mountPath": "/v/state"},
                        {"name": "memory", "mountPath": "/v/memory"},
                        {"name": "bounded", "mountPath": "/v/bounded"},
                        {"name": "state", "mountPath": "/v/expr", "subPathExpr": "$(NAMESPACE)/$(PART)"},
                        {"name": "state", "mountPath": "/v/sub", "subPath": "a/b"},
                        {"name": "image-data", "mountPath": "/data"},
                    ],
                ),
                container(
                    "user",
                    port=8081,
                    securityContext={"runAsUser": 1000, "runAsGroup": 3000},
                    volumeMounts=[
                        {"name": "hidden", "mountPath": "/v/hidden"},
                        {"name": "state", "mountPath": "/v/state", "readOnly": True},
                        {"name": "all", "mountPath": "/v/all", "readOnly": True},
                    ],
                ),
            ],
            "volumes": [
                {"name": "config", "configMap": {"name": "settings"}},
                {
                    "name": "some",
                    "configMap": {
                        "name": "settings",
                        "defaultMode": 0o440,
                        "items": [
                            {"key": "mode", "path": "deep/er/mode", "mode": 0o600},
                            {"key": "blob", "path": "blob"},
                        ],
                    },
                },
                {"name": "hidden", "secret": {"secretName": "credentials", "defaultMode": 0o400}},
                {"name": "open", "secret": {"secretName": "credentials"}},
                {"name": "absent", "secret": {"secretName": "absent", "optional": True}},
                {
                    "name": "pod",
                    "downwardAPI": {
                        "items": [
                            {"path": "labels", "fieldRef": {"fieldPath": "metadata.labels"}},
                            {"path": "annotations", "fieldRef": {"fieldPath": "metadata.annotations"}},
                            {"path": "names/pod", "fieldRef": {"fieldPath": "metadata.name"}, "mode": 0o600},
                            {
                                "path": "cpu",
                                "resourceFieldRef": {
                                    "containerName": "main",
                                    "resource": "requests.cpu",
                                    "divisor": "1m",
                                },
                            },
                        ]
                    },
                },
                {
                    "name": "all",
                    "projected": {
                        "defaultMode": 0o444,
                        "sources": [
                            {"configMap": {"name": "settings", "items": [{"key": "mode", "path": "c/mode"}]}},
                            {
                                "secret": {
                                    "name": "credentials",
                                    "items": [{"key": "TOKEN", "path": "s/token", "mode": 0o400}],
                                }
                            },
                            {"configMap": {"name": "absent", "optional": True}},
                            {
                                "downwardAPI": {
                                    "items": [{"path": "ns", "fieldRef": {"fieldPath": "metadata.namespace"}}]
                                }
                            },
                            {"serviceAccountToken": {"path": "token", "expirationSeconds": 3600}},
                        ],
                    },
                },
                {"name": "state", "emptyDir": {}},
                {"name": "memory", "emptyDir": {"medium": "Memory", "sizeLimit": "8Mi"}},
                {"name": "bounded", "emptyDir": {"sizeLimit": "10Mi"}},
                {"name": "image-data", "emptyDir": {}},
            ],
        },
    },
    objects=(_SETTINGS, _CREDENTIALS),
)

_EVERYTHING: Raw = {
    "runAsNonRoot": True,
    "runAsUser": 1000,
    "readOnlyRootFilesystem": True,
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"], "add": ["NET_BIND_SERVICE"]},
    "seccompProfile": {"type": "RuntimeDefault"},
}
SECURITY = Scenario(
    "secured",
    {
        "spec": {
            "terminationGracePeriodSeconds": 2,
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,
            "dnsPolicy": "None",
            "dnsConfig": {
                "nameservers": ["10.0.2.3"],  # QEMU's DHCP server has but one
                "searches": ["only.example"],
                "options": [{"name": "ndots", "value": "2"}],
            },
            "securityContext": {
                "fsGroup": 2000,
                "supplementalGroups": [4000],
                "sysctls": [
                    {"name": "kernel.shm_rmid_forced", "value": "1"},
                    {"name": "net.ipv4.ip_local_port_range", "value": "20000 30000"},
                ],
            },
            "containers": [
                container("plain", port=DESK),
                container("locked", port=81, securityContext=_EVERYTHING),
                container(
                    "more",
                    port=8082,
                    securityContext={"capabilities": {"add": ["SYS_TIME"], "drop": ["MKNOD"]}},
                ),
                container("privileged", port=8083, securityContext={"privileged": True}),
                container("named", port=8084, image=f"{REGISTRY}/named-user:1"),
                container("numeric", port=8085, image=f"{REGISTRY}/numeric-user:1"),
                container(
                    "grouped",
                    port=8086,
                    securityContext={"runAsGroup": 77, "seccompProfile": {"type": "Unconfined"}},
                ),
                container("terminal", port=8087, stdin=True, tty=True),
                container(
                    "limited",
                    port=8088,
                    resources={"requests": {"memory": "384Mi"}, "limits": {"memory": "400Mi", "cpu": "500m"}},
                ),
            ],
        }
    },
)

SHARED = Scenario(
    "together",
    {
        "spec": {
            "terminationGracePeriodSeconds": 2,
            "shareProcessNamespace": True,
            "setHostnameAsFQDN": True,
            "subdomain": "inner",
            "dnsPolicy": "Default",
            "containers": [
                container("app", port=DESK),
                container("other", port=8081, securityContext={"runAsUser": 1001}),
            ],
            "securityContext": {"supplementalGroupsPolicy": "Strict", "runAsUser": 1000, "runAsGroup": 5},
        }
    },
)

#: Alike in all that is looked at.
ALIKE = (ENVIRONMENT, VOLUMES, SECURITY, SHARED)

#: What makes the machine as large as all containers need, of which the others say nothing.
_ROOM: Raw = {"requests": {"memory": "384Mi"}}
_SMALL: Raw = {"limits": {"memory": "32Mi"}}
ENDS = Scenario(
    "ends",
    {
        "spec": {
            "restartPolicy": "Never",
            "terminationGracePeriodSeconds": 2,
            "containers": [
                container(
                    "unready",
                    port=DESK,
                    readinessProbe={"httpGet": {"port": DESK, "path": "/not-there"}, "periodSeconds": 1},
                    resources=_ROOM,
                ),
                container("done", "--message=by file", "--exit=0"),
                container(
                    "failed", "--log=by log", "--exit=3", terminationMessagePolicy="FallbackToLogsOnError"
                ),
                container("greedy", "--sleep=1s", "--alloc=64", "--stay", resources=_SMALL),
                container("no-image", image=f"{REGISTRY}/conformance:none"),
                container("no-name", image="Not An Image"),
                container("no-program", command=["/not/there"]),
                container("wants-root", securityContext={"runAsNonRoot": True}),
            ],
        }
    },
)
RESTARTS = Scenario(
    "restarts",
    {
        "spec": {
            "restartPolicy": "OnFailure",
            "terminationGracePeriodSeconds": 2,
            "containers": [
                container("stays", port=DESK, resources=_ROOM),
                container("done", "--exit=0"),
                container("crashing", "--exit=3"),
                container("greedy", "--sleep=1s", "--alloc=64", "--stay", resources=_SMALL),
                container(
                    "unhealthy",
                    "--trap=0s",
                    livenessProbe={
                        "exec": {"command": ["/bin/conformance", "--exit=1"]},
                        "periodSeconds": 1,
                        "timeoutSeconds": 10,
                        "failureThreshold": 1,
                    },
                ),
            ],
        }
    },
)

_BACK_OFF = Moment("Waiting", "CrashLoopBackOff", 1)
#: When the containers of the two are looked at.
MOMENTS = {
    ENDS.name: {
        "unready": Moment("Running"),
        "done": Moment("Terminated", "Completed"),
        "failed": Moment("Terminated", "Error"),
        "greedy": Moment("Terminated", "OOMKilled"),
        "no-image": Moment("Waiting", "ImagePullBackOff"),
        "no-name": Moment("Waiting", "InvalidImageName"),
        "no-program": Moment("Terminated", "StartError"),
        "wants-root": Moment("Waiting", "CreateContainerConfigError"),
    },
    RESTARTS.name: {
        "stays": Moment("Running"),
        "done": Moment("Terminated", "Completed"),
        "crashing": _BACK_OFF,
        "greedy": _BACK_OFF,
        "unhealthy": Moment("Running", restarts=1),
    },
}
