"""The metrics server of a cluster with real nodes: it asks their kubelets what Pods use."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.controlplane import ControlPlane, aggregation, process
from tests.controlplane.build import METRICS_SERVER, programs
from tests.controlplane.identities import ADMINS
from tests.controlplane.polling import eventually
from tests.controlplane.ports import LOOPBACK, free_ports

#: How often it asks, in seconds, as its own manifests have it. It waits 10 s for a kubelet's answer, and
#: doesn't start if it is to ask as often as that.
RESOLUTION = 15
_NAME, _NAMESPACE = "metrics-server", "kube-system"
_API = "v1beta1.metrics.k8s.io"


@contextmanager
def running(plane: ControlPlane, folder: Path) -> Iterator[None]:
    """One that the API server knows, and that has measured, until the end of the context."""
    (port,) = free_ports(1)
    with registered(plane, port):
        started = start(plane, folder, port)
        try:
            eventually(
                lambda: plane.api.list("NodeMetrics"),
                120,
                "the nodes are measured",
                alive=lambda: process.check([started]),
            )
            yield
        finally:
            process.stop([started])


@contextmanager
def registered(plane: ControlPlane, port: int) -> Iterator[None]:
    """The API server takes who answers at a port of loopback for the metrics server."""
    for obj in (aggregation.service(_NAME, _NAMESPACE, port), _api_service(port)):
        plane.api.apply(obj)
    try:
        yield
    finally:
        plane.api.delete("APIService", _API)
        plane.api.delete("Service", _NAME, _NAMESPACE)


def start(plane: ControlPlane, folder: Path, port: int) -> process.Process:
    """Starts one that listens at a port of loopback."""
    kubeconfig = plane.kubeconfig_for(f"system:serviceaccount:{_NAMESPACE}:{_NAME}", [ADMINS])
    (name,) = METRICS_SERVER
    flags = ("kubeconfig", "authentication-kubeconfig", "authorization-kubeconfig")
    return process.start(
        name,
        [
            programs(METRICS_SERVER)[name],
            *(f"--{flag}={kubeconfig}" for flag in flags),
            f"--bind-address={LOOPBACK}",
            f"--secure-port={port}",
            f"--cert-dir={folder}",
            f"--metric-resolution={RESOLUTION}s",
            "--kubelet-insecure-tls",  # a kubelet of the tests has signed its certificate itself
            "--kubelet-preferred-address-types=InternalIP",
        ],
        log=folder / f"{name}.log",
        folder=folder,
        environment={},
        tied=True,
    )


def _api_service(port: int) -> dict[str, Any]:
    """What metrics-server's own manifests have, at that port."""
    return {
        "apiVersion": "apiregistration.k8s.io/v1",
        "kind": "APIService",
        "metadata": {"name": _API},
        "spec": {
            "group": "metrics.k8s.io",
            "version": "v1beta1",
            "groupPriorityMinimum": 100,
            "versionPriority": 100,
            "insecureSkipTLSVerify": True,
            "service": {"name": _NAME, "namespace": _NAMESPACE, "port": port},
        },
    }
