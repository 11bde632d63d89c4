"""Workloads that must show the same in both hulls. Together they use most fields of templates."""

from __future__ import annotations

from tests.guest.scenario import REGISTRY, Scenario, container
from tests.guest.templates import projections, variables
from tests.guest.templates.identities import SYSCTLS, identities

#: The port of the container whose file system the others' reports are left in.
REPORTS_PORT = 8080
_REPORTS = {"name": "reports", "mountPath": "/reports"}

ENVIRONMENT = Scenario(
    "environment",
    {
        "metadata": projections.metadata("environment"),
        "spec": {
            "terminationGracePeriodSeconds": 2,
            "initContainers": [
                container("first", "--report=/reports/first", volumeMounts=[_REPORTS]),
                container(
                    "sidecar",
                    port=9100,
                    restartPolicy="Always",
                    env=[variables.field("SIDECAR_OF", "metadata.name")],
                    startupProbe={"tcpSocket": {"port": 9100}, "periodSeconds": 1, "failureThreshold": 300},
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
                    *(*variables.ARGUMENTS, "$(TRICKY)"),
                    port=REPORTS_PORT,
                    workingDir="/srv",
                    env=[
                        *variables.literals(variables.LITERALS),
                        *variables.of_pod(),
                        variables.key("TRICKY", "configMap", "settings", "tricky"),
                    ],
                    resources={
                        "requests": {"cpu": "250m", "memory": "384Mi", "ephemeral-storage": "8Mi"},
                        "limits": {"cpu": "1", "memory": "448Mi"},
                    },
                    readinessProbe={
                        "httpGet": {"port": REPORTS_PORT, "path": "/health"},
                        "timeoutSeconds": 5,
                    },
                    volumeMounts=[_REPORTS],
                ),
                variables.from_objects(8081),
                container("folder", port=8082, image=f"{REGISTRY}/missing-folder:1"),
                container(
                    "replaced",
                    port=8083,
                    image=f"{REGISTRY}/entrypoint-and-command:1",
                    command=["/bin/conformance", "--log=$(SAID)"],
                    env=[{"name": "SAID", "value": "by the command"}],
                    workingDir="/made/for/it",
                ),
                container("unlimited", port=8084, env=[variables.amount("CPU", "limits.cpu", "0")]),
            ],
            "volumes": [{"name": "reports", "emptyDir": {}}],
        },
    },
    objects=(variables.SETTINGS, variables.CREDENTIALS),
)

VOLUMES = Scenario(
    "volumes",
    {
        "metadata": projections.metadata("volumes"),
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
                    port=REPORTS_PORT,
                    env=[
                        variables.field("NAMESPACE", "metadata.namespace"),
                        {"name": "PART", "value": "front"},
                    ],
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
                projections.of_pod("pod", "requests.cpu", "1m"),
                projections.of_all_sources("all"),
                {"name": "state", "emptyDir": {}},
                {"name": "memory", "emptyDir": {"medium": "Memory", "sizeLimit": "8Mi"}},
                {"name": "bounded", "emptyDir": {"sizeLimit": "10Mi"}},
                {"name": "image-data", "emptyDir": {}},
            ],
        },
    },
    objects=(variables.SETTINGS, variables.CREDENTIALS),
)

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
                "sysctls": SYSCTLS,
            },
            "containers": [
                *identities(),
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
                container("app", port=REPORTS_PORT),
                container("other", port=8081, securityContext={"runAsUser": 1001}),
            ],
            "securityContext": {"supplementalGroupsPolicy": "Strict", "runAsUser": 1000, "runAsGroup": 5},
        }
    },
)

#: Alike in all that is looked at.
COMPARED = (ENVIRONMENT, VOLUMES, SECURITY, SHARED)
