"""The simulated nodes, for which KWOK plays the kubelet, and their storage."""

from __future__ import annotations

from typing import Any

from tests.controlplane.build import KUBERNETES_VERSION
from tests.controlplane.ports import LOOPBACK

_RESOURCES = {
    "cpu": "1000",
    "memory": "4Ti",
    "ephemeral-storage": "4Ti",
    "pods": "100000",
    "devices.kubevirt.io/kvm": "1k",
    "devices.kubevirt.io/tun": "1k",
    "devices.kubevirt.io/vhost-net": "1k",
}


def node(name: str) -> dict[str, Any]:
    """A node with room for everything, on which virt-controller may place machines.

    virt-handler would set KubeVirt's labels; without them and the devices a launcher Pod stays Pending.
    """
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": name,
            "annotations": {"kwok.x-k8s.io/node": "fake"},
            "labels": {
                "kubernetes.io/arch": "amd64",
                "kubernetes.io/hostname": name,
                "kubernetes.io/os": "linux",
                "kubevirt.io/schedulable": "true",
                "machine-type.node.kubevirt.io/q35": "true",
            },
        },
        "status": {
            "addresses": [
                {"type": "InternalIP", "address": LOOPBACK},
                {"type": "Hostname", "address": name},
            ],
            "allocatable": _RESOURCES,
            "capacity": _RESOURCES,
            "nodeInfo": {
                "architecture": "amd64",
                "bootID": "",
                "containerRuntimeVersion": "simulated://",
                "kernelVersion": "",
                "kubeProxyVersion": "",
                "kubeletVersion": KUBERNETES_VERSION,
                "machineID": "",
                "operatingSystem": "linux",
                "osImage": "simulated",
                "systemUUID": "",
            },
        },
    }


def storage_class() -> dict[str, Any]:
    """The default StorageClass, whose claims are bound at once: see stages/claim.yaml."""
    return {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {
            "name": "simulated",
            "annotations": {"storageclass.kubernetes.io/is-default-class": "true"},
        },
        "provisioner": "simulate.twinhull.dev/storage",
        "allowVolumeExpansion": True,
    }


def is_ready(node: dict[str, Any] | None) -> bool:
    """Whether Pods can be placed on it: Ready, and the node controller has taken its taint away."""
    if node is None or node["spec"].get("taints"):
        return False
    conditions = node["status"].get("conditions", [])
    return any(condition["type"] == "Ready" and condition["status"] == "True" for condition in conditions)
