"""containerd, the kubelet and kube-proxy of a node."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from tests.controlplane.identities import ADMINS
from tests.controlplane.polling import eventually
from tests.node.network import API_PORT, GATEWAY, POD_NETWORKS, node_address, pod_network

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.controlplane import ControlPlane
    from tests.node.node import Node
    from tests.node.programs import Programs

_PAUSE = "localhost/pause:1"
_WHEN, _ARCHITECTURE = "1767225600", "amd64"
_CRI = "io.containerd.cri.v1"


def install(node: Node, programs: Programs, mirrors: Mapping[str, str]) -> None:
    """Puts the programs and their configuration onto the node."""
    share = node.folder / "share"
    for place, files in (("bin", programs.node), ("cni", programs.plugins)):
        (share / place).mkdir()
        for name, path in files.items():
            shutil.copy2(path, share / place / name)
    (share / "cni.d").mkdir()
    _write(share / "cni.d/10-pods.conflist", _pod_network(node.number))
    (share / "containerd.toml").write_text(_CONTAINERD, encoding="ascii")
    _write(share / "kubelet.yaml", _kubelet(node.number))
    _write(share / "kube-proxy.yaml", _kube_proxy(node.name))
    for host, url in mirrors.items():
        folder = share / "registries" / host
        folder.mkdir(parents=True)
        text = f'server = "{url}"\n[host."{url}"]\ncapabilities = ["pull", "resolve"]\nskip_verify = true\n'
        (folder / "hosts.toml").write_text(text, encoding="ascii")
    content = node.folder / "containerd"
    command = [programs.pause_image, _PAUSE, programs.pause, content, _WHEN, _ARCHITECTURE]
    subprocess.run([str(part) for part in command], check=True, capture_output=True)


def start_containerd(node: Node) -> None:
    """Starts it, and waits until it answers."""
    node.start_process("/share/bin/containerd", "--config=/share/containerd.toml", log="containerd.log")

    def answers() -> bool:
        node.run("/share/bin/ctr", "version")
        return True

    eventually(answers, 30, f"{node.name}'s containerd answers")


def import_images(node: Node, archive: Path) -> None:
    """Gives containerd the images in an archive."""
    copied = node.folder / "share" / archive.name
    shutil.copyfile(archive, copied)
    node.run("/share/bin/ctr", "--namespace=k8s.io", "images", "import", "--local", f"/share/{archive.name}")
    copied.unlink()


def start_kubelet(node: Node, plane: ControlPlane) -> None:
    """Starts it, by the credentials of its node."""
    # Without the Node authorizer RBAC alone would have to say what a node may, object by object.
    _credentials(node, plane, "kubelet", f"system:node:{node.name}", ("system:nodes", ADMINS))
    node.start_process(
        "/share/bin/kubelet",
        "--config=/share/kubelet.yaml",
        "--kubeconfig=/share/kubelet.kubeconfig",
        f"--hostname-override={node.name}",
        f"--node-ip={node_address(node.number)}",
        "--v=2",
        log="kubelet.log",
    )


def start_kube_proxy(node: Node, plane: ControlPlane) -> None:
    """Starts it."""
    _credentials(node, plane, "kube-proxy", "system:kube-proxy", ())
    node.start_process("/share/bin/kube-proxy", "--config=/share/kube-proxy.yaml", log="kube-proxy.log")


def _credentials(node: Node, plane: ControlPlane, program: str, user: str, groups: tuple[str, ...]) -> None:
    """Puts a user's kubeconfig onto the node, with the API server's address as the node sees it."""
    config = json.loads(plane.kubeconfig_for(user, groups).read_text(encoding="utf-8"))
    config["clusters"][0]["cluster"] |= {
        "server": f"https://{GATEWAY}:{API_PORT}",
        "tls-server-name": "localhost",
    }
    _write(node.folder / "share" / f"{program}.kubeconfig", config)


def _write(path: Path, content: Any) -> None:
    text = yaml.safe_dump(content) if path.suffix == ".yaml" else json.dumps(content)
    path.write_text(text, encoding="utf-8")


def _pod_network(number: int) -> dict[str, Any]:
    """What gives each Pod of the node its address."""
    return {
        "cniVersion": "1.0.0",
        "name": "pods",
        "plugins": [
            {
                "type": "bridge",
                "bridge": "cni0",
                "isGateway": True,
                "hairpinMode": True,
                "ipam": {
                    "type": "host-local",
                    "ranges": [[{"subnet": pod_network(number)}]],
                    "routes": [{"dst": "0.0.0.0/0"}],
                },
            }
        ],
    }


#: This kind of machine may not have CAP_SYS_RESOURCE, without which no process lowers its own OOM score.
_CONTAINERD = f"""\
version = 3
root = "/var/lib/containerd"
state = "/run/containerd"

[plugins."{_CRI}.images"]
  snapshotter = "overlayfs"
  [plugins."{_CRI}.images".pinned_images]
    sandbox = "{_PAUSE}"
  [plugins."{_CRI}.images".registry]
    config_path = "/share/registries"

[plugins."{_CRI}.runtime"]
  restrict_oom_score_adj = true
  tolerate_missing_hugetlb_controller = true
  [plugins."{_CRI}.runtime".cni]
    bin_dirs = ["/share/cni"]
    conf_dir = "/share/cni.d"
  [plugins."{_CRI}.runtime".containerd]
    default_runtime_name = "crun"
    [plugins."{_CRI}.runtime".containerd.runtimes.crun]
      runtime_type = "io.containerd.runc.v2"
      [plugins."{_CRI}.runtime".containerd.runtimes.crun.options]
        BinaryName = "/usr/bin/crun"
        SystemdCgroup = false
    [plugins."{_CRI}.runtime".containerd.runtimes.runsc]
      runtime_type = "io.containerd.runsc.v1"
"""


def _kubelet(number: int) -> dict[str, Any]:
    """kubelet.config.k8s.io/v1beta1. Whoever reaches the tests' own network may ask it anything."""
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "failCgroupV1": False,
        "cgroupDriver": "cgroupfs",
        "address": node_address(number),
        "authentication": {"anonymous": {"enabled": True}, "webhook": {"enabled": False}},
        "authorization": {"mode": "AlwaysAllow"},
        "clusterDomain": "cluster.local",
        "clusterDNS": [GATEWAY],
        "containerRuntimeEndpoint": "unix:///run/containerd/containerd.sock",
        "failSwapOn": False,
        "makeIPTablesUtilChains": False,
        # KubeVirt's launchers request ephemeral storage, which no node has that doesn't count it.
        "localStorageCapacityIsolation": True,
        # The file system is the machine's, whatever else is on it.
        "evictionHard": {"imagefs.available": "1%", "nodefs.available": "1%", "memory.available": "100Mi"},
        "imageGCHighThresholdPercent": 100,
        "nodeStatusUpdateFrequency": "5s",
        "syncFrequency": "10s",
    }


def _kube_proxy(node: str) -> dict[str, Any]:
    """kubeproxy.config.k8s.io/v1alpha1. It leaves the kernel's own limits as they are."""
    return {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "clientConnection": {"kubeconfig": "/share/kube-proxy.kubeconfig"},
        "hostnameOverride": node,
        "mode": "nftables",
        "clusterCIDR": POD_NETWORKS,
        "conntrack": {"maxPerCore": 0, "min": 0, "tcpEstablishedTimeout": "0s", "tcpCloseWaitTimeout": "0s"},
        "healthzBindAddress": "127.0.0.1:10256",
        "metricsBindAddress": "127.0.0.1:10249",
    }
