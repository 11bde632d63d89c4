"""A Workload and a Deployment beside it, whose ReplicaSets tell which templates mean something else."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from tests.controlplane import Cluster
from tests.e2e.operator.subject import Manifest, Subject, condition

#: As charts print it: keys with nothing behind them.
NULLS: Manifest = {
    "metadata": {"annotations": None, "labels": None, "finalizers": None},
    "spec": {
        "nodeSelector": None,
        "tolerations": None,
        "affinity": {"podAffinity": None},
        "initContainers": None,
        "dnsPolicy": None,
        "restartPolicy": None,
        "runtimeClassName": None,
        "terminationGracePeriodSeconds": None,
        "securityContext": {"runAsUser": None, "seccompProfile": None},
        "containers": [
            {
                "name": "web",
                "image": "nginx:1.29",
                "env": [{"name": "A", "value": None}, {"name": "B", "valueFrom": None}],
                "resources": None,
                "imagePullPolicy": None,
                "ports": [{"containerPort": 80, "name": None, "protocol": None}],
                "livenessProbe": None,
                "securityContext": {"capabilities": {"drop": None}},
                "volumeMounts": [{"name": "flags", "mountPath": "/flags", "readOnly": None}],
            }
        ],
        "volumes": [{"name": "flags", "configMap": {"name": "flags", "optional": True, "items": None}}],
    },
}

BASE: Manifest = {
    "metadata": {"labels": {"app": "shop"}},
    "spec": {
        "serviceAccountName": "default",
        "containers": [
            {
                "name": "web",
                "image": "nginx:1.29",
                "ports": [{"containerPort": 80}],
                "env": [{"name": "A"}],
                "resources": {
                    "requests": {"cpu": "1", "memory": "1Gi"},
                    "limits": {"cpu": "2", "memory": "2Gi"},
                },
                "startupProbe": {"httpGet": {"port": 80}},
                "volumeMounts": [
                    {"name": "scratch", "mountPath": "/scratch"},
                    {"name": "flags", "mountPath": "/f"},
                ],
                "lifecycle": {"preStop": {"httpGet": {"port": 80}}},
            }
        ],
        "volumes": [
            {"name": "scratch", "emptyDir": {"sizeLimit": "1Gi"}},
            {"name": "flags", "configMap": {"name": "flags", "optional": True}},
        ],
    },
}


def with_pod(**fields: Any) -> Manifest:
    found = deepcopy(BASE)
    found["spec"] |= fields
    return found


def with_container(**fields: Any) -> Manifest:
    (container,) = deepcopy(BASE)["spec"]["containers"]
    return with_pod(containers=[container | fields])


class Pair:
    """A Workload, and a Deployment of the same template beside it."""

    def __init__(self, cluster: Cluster, web: Subject, isolation: str, *options: str) -> None:
        self.cluster, self.web, self.isolation, self.options = cluster, web, isolation, options

    def apply(self, template: Manifest) -> tuple[str, str]:
        """What kubectl says of the Workload; and the Deployment's ReplicaSets, and what runs."""
        output = self.cluster.kubectl.apply(self.workload(template), *self.options)
        self.cluster.kubectl.apply(self.deployment(template), *self.options)
        return output, f"{self.replica_sets()} {self.runs()}"

    def workload(self, template: Manifest) -> Manifest:
        return {
            "apiVersion": "twinhull.dev/v1alpha1",
            "kind": "Workload",
            "metadata": {"name": "web", "namespace": self.web.namespace},
            "spec": {"isolationPolicy": self.isolation, "template": template},
        }

    def deployment(self, template: Manifest) -> Manifest:
        labels = {**((template.get("metadata") or {}).get("labels") or {}), "beside": "web"}
        metadata = {**(template.get("metadata") or {}), "labels": labels}
        return {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": "beside", "namespace": self.web.namespace},
            "spec": {
                "replicas": 0,
                "selector": {"matchLabels": {"beside": "web"}},
                "template": {**template, "metadata": metadata},
            },
        }

    def replica_sets(self) -> list[str]:
        """Those that the Deployment has come to have, once its controller has seen its template."""

        def seen() -> list[str]:
            deployment = self.web.one("Deployment", "beside")
            assert deployment["status"]["observedGeneration"] == deployment["metadata"]["generation"]
            # Until it says so it writes on, which `kubectl diff` would show.
            assert condition(deployment, "Progressing")[1] == "NewReplicaSetAvailable"
            found = self.cluster.api.list("ReplicaSet", self.web.namespace)
            return sorted(replica_set["metadata"]["name"] for replica_set in found)

        return self.web.eventually(seen, "the Deployment's controller has seen it")

    def differs_in_nothing(self, *options: str, stdin: str) -> None:
        """Wait until `kubectl diff` sees no difference in these manifests."""
        self.web.eventually(
            lambda: self.cluster.kubectl.finds_no_difference(*options, stdin=stdin), "nothing differs"
        )

    def runs(self) -> str:
        """The uid of what runs of the Workload, once the operator has seen its template."""
        self.web.becomes("Ready")
        uid: str = self.web.hull()["metadata"]["uid"]
        return uid
