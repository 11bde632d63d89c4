"""How each of the control plane's processes is started, given where the others and the certificates are."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.controlplane.ports import LOOPBACK, free_ports
from tests.controlplane.supervisor import Launch

if TYPE_CHECKING:
    from tests.controlplane.pki import Pki

_STAGES = Path(__file__).parent / "stages"
_AUDIT_POLICY = Path(__file__).parent / "audit.yaml"
#: The addresses of Services.
SERVICES = "10.0.0.0/16"
_PODS = "10.64.0.0/12"
# Controllers ask as fast as they can; the defaults (20 requests a second) are for clusters with other users.
_CLIENT_RATE = ("--kube-api-qps=2000", "--kube-api-burst=2000")
# Kubernetes 1.37 has it as Beta, off by default; managed clusters and those with GPUs turn it on.
_WORKLOAD_API = (
    "--runtime-config=scheduling.k8s.io/v1beta1=true",
    "--feature-gates=GenericWorkload=true",
)
# What the downward API would tell KubeVirt's Pods.
_POD = {"POD_NAMESPACE": "kubevirt", "POD_NAME": "virt", "POD_IP": LOOPBACK}
# Where virt-handler serves consoles and screens on each node, for virt-api (kubevirt.io/kubevirt,
# pkg/virt-operator/resource/generate/components/daemonsets.go).
_CONSOLES = 8186
# One KWOK 0.8.0 with Stages of several kinds can die of this as it starts: a process for each kind makes it
# rare (kubelet needs Node and Pod), starting it again makes up for the rest.
_KWOK_RACE = "fatal error: concurrent map"


@dataclass(frozen=True)
class Ports:
    """What listens where, on loopback."""

    etcd: int
    etcd_peer: int
    apiserver: int
    kubelet: int
    provisioner: int
    virt_api: int
    virt_controller: int
    virt_handler: int

    @classmethod
    def choose(cls) -> Ports:
        """Free ones."""
        return cls(*free_ports(8))


def etcd(data: Path, pki: Pki, ports: Ports) -> Launch:
    """One member, with client certificates, and no waiting for the disk: its data needn't last."""
    client_url = f"https://{LOOPBACK}:{ports.etcd}"
    peer_url = f"https://{LOOPBACK}:{ports.etcd_peer}"
    return Launch(
        "etcd",
        "etcd",
        [
            f"--data-dir={data}",
            "--unsafe-no-fsync",
            "--log-level=warn",
            f"--listen-client-urls={client_url}",
            f"--advertise-client-urls={client_url}",
            f"--listen-peer-urls={peer_url}",
            f"--initial-advertise-peer-urls={peer_url}",
            f"--initial-cluster=default={peer_url}",
            f"--cert-file={pki.etcd.certificate}",
            f"--key-file={pki.etcd.key}",
            f"--trusted-ca-file={pki.etcd_authority.certificate}",
            "--client-cert-auth",
            f"--peer-cert-file={pki.etcd.certificate}",
            f"--peer-key-file={pki.etcd.key}",
            f"--peer-trusted-ca-file={pki.etcd_authority.certificate}",
            "--peer-client-cert-auth",
        ],
    )


def apiserver(audit_log: Path, pki: Pki, ports: Ports, *, workload_api: bool = False) -> Launch:
    """The API server, with RBAC and the aggregation layer. What the operator asks for is written down.

    Its requestheader flags make it publish the ConfigMap extension-apiserver-authentication, without which
    virt-api doesn't start. With `workload_api` it serves Kubernetes' own workloads.scheduling.k8s.io.
    """
    return Launch(
        "kube-apiserver",
        "kube-apiserver",
        [
            f"--etcd-servers=https://{LOOPBACK}:{ports.etcd}",
            f"--etcd-cafile={pki.etcd_authority.certificate}",
            f"--etcd-certfile={pki.etcd.certificate}",
            f"--etcd-keyfile={pki.etcd.key}",
            f"--bind-address={LOOPBACK}",
            f"--advertise-address={LOOPBACK}",
            f"--secure-port={ports.apiserver}",
            # Names of nodes mean nothing here.
            "--kubelet-preferred-address-types=InternalIP",
            "--endpoint-reconciler-type=none",
            f"--service-cluster-ip-range={SERVICES}",
            f"--tls-cert-file={pki.apiserver.certificate}",
            f"--tls-private-key-file={pki.apiserver.key}",
            f"--client-ca-file={pki.cluster.files.certificate}",
            "--authorization-mode=RBAC",
            "--allow-privileged=true",
            "--service-account-issuer=https://kubernetes.default.svc",
            f"--service-account-key-file={pki.service_accounts.certificate}",
            f"--service-account-signing-key-file={pki.service_accounts.key}",
            f"--requestheader-client-ca-file={pki.front_proxy_authority.certificate}",
            "--requestheader-allowed-names=front-proxy-client",
            "--requestheader-username-headers=X-Remote-User",
            "--requestheader-group-headers=X-Remote-Group",
            "--requestheader-extra-headers-prefix=X-Remote-Extra-",
            f"--proxy-client-cert-file={pki.front_proxy.certificate}",
            f"--proxy-client-key-file={pki.front_proxy.key}",
            f"--audit-policy-file={_AUDIT_POLICY}",
            f"--audit-log-path={audit_log}",
            "--audit-log-maxsize=1000",
            *(_WORKLOAD_API if workload_api else ()),
        ],
    )


def controller_manager(kubeconfig: Path, pki: Pki) -> Launch:
    """The controllers, each under its own ServiceAccount and so with its own RBAC."""
    return Launch(
        "kube-controller-manager",
        "kube-controller-manager",
        [
            f"--kubeconfig={kubeconfig}",
            "--leader-elect=false",
            "--secure-port=0",
            "--use-service-account-credentials",
            f"--service-account-private-key-file={pki.service_accounts.key}",
            f"--root-ca-file={pki.cluster.files.certificate}",
            # A node whose kubelet is starved for a while isn't dead: its Pods would not be Ready any more.
            "--node-monitor-grace-period=10m",
            *_CLIENT_RATE,
        ],
    )


def scheduler(kubeconfig: Path) -> Launch:
    """The scheduler."""
    return Launch(
        "kube-scheduler",
        "kube-scheduler",
        [f"--kubeconfig={kubeconfig}", "--leader-elect=false", "--secure-port=0", *_CLIENT_RATE],
    )


def kubelet(kubeconfig: Path, ports: Ports) -> Launch:
    """KWOK in the kubelets' place, for the nodes with its annotation. Their leases keep the nodes Ready."""
    return Launch(
        "kwok-kubelet",
        "kwok",
        [
            f"--kubeconfig={kubeconfig}",
            f"--config={_STAGES / 'node.yaml'}",
            f"--config={_STAGES / 'pod.yaml'}",
            "--manage-all-nodes=false",
            "--manage-nodes-with-annotation-selector=kwok.x-k8s.io/node=fake",
            "--node-lease-duration-seconds=40",
            f"--node-ip={LOOPBACK}",
            f"--cidr={_PODS}",
            f"--server-address={LOOPBACK}:{ports.kubelet}",
        ],
        retry_on=_KWOK_RACE,
    )


def provisioner(kubeconfig: Path, ports: Ports) -> Launch:
    """KWOK in a storage provisioner's place."""
    return _kwok("kwok-provisioner", kubeconfig, "claim.yaml", ports.provisioner)


def virt_handler(kubeconfig: Path, ports: Ports) -> Launch:
    """KWOK in virt-handler's place."""
    return _kwok("kwok-virt-handler", kubeconfig, "vmi.yaml", ports.virt_handler)


def _kwok(name: str, kubeconfig: Path, stages: str, port: int) -> Launch:
    """One that has no nodes, only another kind's Stages."""
    return Launch(
        name,
        "kwok",
        [
            f"--kubeconfig={kubeconfig}",
            f"--config={_STAGES / stages}",
            "--manage-all-nodes=false",
            "--manage-nodes-with-annotation-selector=kwok.x-k8s.io/node=none",
            f"--server-address={LOOPBACK}:{port}",
        ],
        retry_on=_KWOK_RACE,
    )


def virt_controller(kubeconfig: Path, pki: Pki, ports: Ports, launcher: str) -> Launch:
    """virt-controller, whose machines run in the image `launcher`."""
    return Launch(
        "virt-controller",
        "virt-controller",
        [
            f"--kubeconfig={kubeconfig}",
            f"--launcher-image={launcher}",
            "--exporter-image=simulated/virt-exportserver",
            "--additional-launcher-annotations-sync=simulate.twinhull.dev/never-ready",
            f"--listen={LOOPBACK}",
            f"--port={ports.virt_controller}",
            f"--prom-cert-file={pki.virt_controller.certificate}",
            f"--prom-key-file={pki.virt_controller.key}",
            # Nobody else wants the Lease, and it ends when it can't renew it in time (10 s by default).
            "--leader-elect-lease-duration=10m",
            "--leader-elect-renew-deadline=9m",
        ],
        _POD,
    )


def virt_api(kubeconfig: Path, pki: Pki, ports: Ports) -> Launch:
    """virt-api: KubeVirt's admission webhooks and its API subresources.kubevirt.io."""
    return Launch(
        "virt-api",
        "virt-api",
        [
            f"--kubeconfig={kubeconfig}",
            f"--listen={LOOPBACK}",
            f"--port={ports.virt_api}",
            f"--console-server-port={_CONSOLES}",
            f"--tls-cert-file={pki.virt_api.certificate}",
            f"--tls-key-file={pki.virt_api.key}",
            f"--handler-cert-file={pki.virt_handler_client.certificate}",
            f"--handler-key-file={pki.virt_handler_client.key}",
        ],
        _POD,
    )
