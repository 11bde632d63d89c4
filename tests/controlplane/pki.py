"""Which certificates the control plane is made of, and who trusts whom."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.controlplane.certificates import Authority, KeyPair, service_account_keys
from tests.controlplane.ports import LOOPBACK

if TYPE_CHECKING:
    from pathlib import Path

#: How a machine in QEMU's user network, and what runs in it, reaches this machine's loopback.
HOST_IN_GUEST = "10.0.2.2"


@dataclass(frozen=True)
class Pki:
    """All of them.

    Those of KubeVirt's parts are in a folder where nothing else changes: virt-api and virt-controller read
    theirs again on every write in it, and a log beside them makes that an endless loop.
    """

    cluster: Authority
    etcd_authority: KeyPair
    etcd: KeyPair
    apiserver: KeyPair
    front_proxy_authority: KeyPair
    front_proxy: KeyPair
    service_accounts: KeyPair
    kubevirt: Authority
    virt_api: KeyPair
    virt_controller: KeyPair
    virt_handler_client: KeyPair

    @classmethod
    def create(cls, folder: Path) -> Pki:
        """Makes all of them below `folder`."""
        kubevirt_folder = folder / "kubevirt"
        kubevirt_folder.mkdir(parents=True)
        here = (LOOPBACK, "localhost")
        service = "kubernetes.default.svc"
        cluster = Authority(folder, "cluster")
        etcd = Authority(folder, "etcd")
        front_proxy = Authority(folder, "front-proxy")
        kubevirt = Authority(kubevirt_folder, "kubevirt")
        return cls(
            cluster=cluster,
            etcd_authority=etcd.files,
            etcd=etcd.peer("etcd", "etcd", here),
            apiserver=cluster.server(
                "apiserver", "kube-apiserver", (*here, "10.0.0.1", HOST_IN_GUEST, "kubernetes", service)
            ),
            front_proxy_authority=front_proxy.files,
            front_proxy=front_proxy.client("front-proxy", "front-proxy-client"),
            service_accounts=service_account_keys(folder),
            kubevirt=kubevirt,
            virt_api=kubevirt.server("virt-api", "virt-api", (*here, "virt-api.kubevirt.svc")),
            virt_controller=kubevirt.server("virt-controller", "virt-controller", here),
            virt_handler_client=kubevirt.client(
                "virt-handler-client", "kubevirt.io:system:client:virt-handler"
            ),
        )
