"""The real virt-handler, as virt-operator would install it: its rights, its certificates, its DaemonSet."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

from tests.controlplane.ports import LOOPBACK

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from tests.controlplane.api import Api
    from tests.controlplane.certificates import Authority

_NAME = "virt-handler"
_CLIENT = "kubevirt.io:system:client:virt-handler"
_SERVER = "kubevirt.io:system:node:virt-handler"
_RIGHTS = ("ServiceAccount", "Role", "RoleBinding")

Manifest = dict[str, Any]


def install(api: Api, namespace: str, manifests: Iterable[Manifest], authority: Authority) -> None:
    """Installs it for every node that joins; `manifests` are all of KubeVirt's."""
    critical = {"name": "kubevirt-cluster-critical"}
    api.create(
        {
            "apiVersion": "scheduling.k8s.io/v1",
            "kind": "PriorityClass",
            "metadata": critical,
            "value": 1_000_000_000,
        }
    )
    for manifest in manifests:
        if manifest["kind"] in _RIGHTS:
            api.create(manifest)
    (daemon_set,) = (
        one for one in manifests if (one["kind"], one["metadata"]["name"]) == ("DaemonSet", _NAME)
    )
    pod = daemon_set["spec"]["template"]["spec"]
    for volume in pod["volumes"]:
        if "secret" in volume:
            api.create(_certificates(volume["secret"]["secretName"], namespace, authority))
    _emulate(pod)
    api.create(daemon_set)


def _certificates(name: str, namespace: str, authority: Authority) -> Manifest:
    """One of its pairs, for what its name says."""
    if "server" in name:
        pair = authority.server(name, _SERVER, ("localhost", LOOPBACK, _SERVER))
    else:
        pair = authority.client(name, _CLIENT)
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": "kubernetes.io/tls",
        "metadata": {"name": name, "namespace": namespace},
        "data": {"tls.crt": _base64(pair.certificate), "tls.key": _base64(pair.key)},
    }


def _emulate(pod: Manifest) -> None:
    """Has it find no KVM: where the kernel has it, the script that asks libvirt what the node can do would
    make the device and ask for what KVM can do, though machines are emulated.
    """
    for container in pod["initContainers"]:
        for variable in container.get("env", ()):
            if variable["name"] == "HYPERVISOR_DEVICE":
                variable["value"] = "none"


def _base64(path: Path) -> str:
    return base64.b64encode(path.read_bytes()).decode("ascii")
