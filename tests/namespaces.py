"""The namespaces of tests: how they begin, and how they end."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus

from tests.controlplane import ApiError, Cluster, ControlPlane

#: What somebody acts upon, or the operator keeps in memory. Owners come first, so that nobody makes again
#: what they own.
_LIVING = (
    *("Workload", "AccessRequest", "CronJob", "Job"),
    *("Deployment", "ReplicaSet", "StatefulSet", "DaemonSet"),
    *("VirtualMachine", "VirtualMachineInstance", "DataVolume"),
    *("Pod", "Service", "PersistentVolumeClaim", "ConfigMap"),
)


@contextmanager
def made(cluster: Cluster, prefix: str = "test-") -> Iterator[str]:
    """A new namespace in which Pods can be created, meanwhile."""
    manifest = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"generateName": prefix}}
    name: str = cluster.api.create(manifest)["metadata"]["name"]
    has_account(cluster, name)
    try:
        yield name
    finally:
        end(cluster, name)


def has_account(cluster: Cluster, name: str) -> None:
    """Wait until a namespace has its ServiceAccount: until then the API server refuses Pods there."""
    cluster.eventually(
        lambda: cluster.api.get("ServiceAccount", "default", name), 30, f"{name} has a ServiceAccount"
    )


def end(cluster: Cluster, name: str) -> None:
    """Have all that lives in it deleted, without waiting for it.

    The namespace itself stays on a control plane that ends with this run. To delete one, Kubernetes asks for
    the objects of each kind that there is several times, more than a hundred requests: for one namespace
    a test, that was half of all that the API server did.
    """
    if not isinstance(cluster, ControlPlane) or not cluster.ends_with_this_process:
        cluster.api.delete("Namespace", name)
        return
    if not all(_deletes_all(cluster, kind, name) for kind in _LIVING):
        # A test may leave what can't be deleted now: Kubernetes goes on to try.
        cluster.api.delete("Namespace", name)


def _deletes_all(cluster: Cluster, kind: str, namespace: str) -> bool:
    """Whether the API server deletes all of a kind, if there is that kind.

    It answers with what it deletes. That isn't read: tests make objects that are hard to read.
    """
    try:
        path = cluster.api.path(kind, namespace)
    except ApiError:  # the kind isn't installed there
        return True
    status, _ = cluster.api.raw("DELETE", path)
    return status < HTTPStatus.BAD_REQUEST or status == HTTPStatus.NOT_FOUND
