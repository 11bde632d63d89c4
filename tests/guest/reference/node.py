"""The reference node: a machine, booted, and known to the API server."""

from __future__ import annotations

import http.client
import json
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from guest.image.boot import KERNEL_ARGUMENTS
from guest.image.tree import Tree, write_cpio
from tests import web
from tests.controlplane import process
from tests.controlplane.identities import ADMINS
from tests.controlplane.nodes import is_ready
from tests.controlplane.pki import HOST_IN_GUEST
from tests.controlplane.polling import eventually
from tests.controlplane.ports import LOOPBACK, free_ports
from tests.guest.reference.programs import Programs
from tests.guest.registry import tied

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from guest.image.tools import Tools
    from tests.controlplane import ControlPlane
    from tests.controlplane.process import Process
    from tests.guest.launcher import GuestFiles

Raw = dict[str, Any]
T = TypeVar("T")

NAME = "reference-node"
#: The serial number of the disk with all that it is told, as guest/agent/cmd/reference-node looks for it.
_DISK = "reference"
LABEL = "twinhull.dev/reference"
TAINT: Raw = {"key": LABEL, "value": "true", "effect": "NoSchedule"}
#: What a Pod's template needs to be placed here by the scheduler.
PLACEMENT: Raw = {
    "nodeSelector": {LABEL: "true"},
    "tolerations": [{"key": LABEL, "operator": "Exists", "effect": "NoSchedule"}],
}
MEMORY = 1536  # MiB
CORES = 1
_BOOT = 900.0  # seconds, for the node to be Ready; about 60 on two idle cores
_PROXY_PORT = 60000
_CONSOLE_LINES = 40
#: The name server that QEMU gives to machines; so resolv.conf can be compared.
_NAME_SERVER = "10.0.2.3"
_CLUSTER_DOMAIN = "cluster.local"
_POD_NETWORK: Raw = {
    "cniVersion": "1.0.0",
    "name": "pods",
    "plugins": [
        {
            "type": "bridge",
            "bridge": "cni0",
            "isGateway": True,
            "ipam": {
                "type": "host-local",
                "ranges": [[{"subnet": "10.244.7.0/24"}]],
                "routes": [{"dst": "0.0.0.0/0"}],
            },
        }
    ],
}


class NodeDied(Exception):
    """The reference node ended; the message has the end of its console."""


@dataclass
class ReferenceNode:
    """A node that has been started. `start` gives it once it is Ready."""

    plane: ControlPlane
    folder: Path
    proxy: int
    began: float
    process: Process
    ready_after: float = 0.0

    @classmethod
    def start(
        cls,
        plane: ControlPlane,
        tools: Tools,
        guest: GuestFiles,
        folder: Path,
        mirrors: Mapping[str, str],
    ) -> ReferenceNode:
        """Boots one in `folder`, which must not be there yet. Raises BuildError, NodeDied, NeverHappened.

        `mirrors` are the registries' addresses as the guest sees them, by the host that images are named
        with.
        """
        programs = Programs.build()
        content = folder / "content"
        (content / "bin").mkdir(parents=True)
        for plugin in programs.plugins:
            shutil.copy2(plugin, content / "bin")
        shutil.copyfile(_kubeconfig(plane, folder), content / "kubeconfig")
        (content / "node.json").write_text(json.dumps(_description(mirrors)), encoding="utf-8")
        tools.run("xorrisofs", *("-quiet", "-rock", "-volid", _DISK, "-o"), folder / "content.iso", content)
        root = folder / "guest.qcow2"
        tools.run("qemu-img", "create", "-q", "-f", "qcow2", "-b", guest.disk, "-F", "qcow2", root)
        write_initrd(guest.initrd, programs.init, folder / "initrd.img")
        (proxy,) = free_ports(1)
        began = time.monotonic()
        started = process.start(
            "qemu-system-x86_64",
            tied(tools.command("qemu-system-x86_64", *_qemu(folder, guest.kernel, proxy))),
            log=folder / "qemu.log",
            folder=folder,
            environment={"PATH": "/usr/bin:/bin"},
            tied=False,
        )
        node = cls(plane, folder, proxy, began, started)
        try:
            node.eventually(node._is_ready, _BOOT, f"node {NAME} is Ready")
        except BaseException as error:
            error.add_note(f"the node's console ends:\n{node.console_end()}")
            node.stop()
            raise
        node.ready_after = time.monotonic() - began
        return node

    def stop(self) -> None:
        """Kills the node, and deletes it from the cluster."""
        process.stop([self.process])
        self.plane.api.delete("Node", NAME)

    def check(self) -> None:
        """Raises NodeDied, or ComponentDied for a part of the control plane."""
        if not self.process.alive():
            raise NodeDied(f"{self.process.obituary()}\nits console ends:\n{self.console_end()}")
        self.plane.check()

    def eventually(self, check: Callable[[], T], timeout: float, what: str, interval: float = 0.5) -> T:
        """polling.eventually, which ends at once when the node has."""
        return eventually(check, timeout, what, alive=self.check, interval=interval)

    def get(self, address: str, port: int, path: str = "/", /, **query: str) -> bytes:
        """What a container of the Pod with this address answers on a port, once it listens."""

        def answer() -> tuple[bytes]:
            connection = http.client.HTTPConnection(LOOPBACK, self.proxy, timeout=web.PATIENCE)
            connection.set_tunnel(address, port)
            return (web.get(connection, path, query),)

        return self.eventually(answer, 2 * web.PATIENCE, f"{address}:{port}{path} answers")[0]

    def log(self, program: str) -> str:
        """The log of the kubelet or of containerd."""
        connection = http.client.HTTPConnection(LOOPBACK, self.proxy, timeout=web.PATIENCE)
        return web.get(connection, f"/{program}.log", {}).decode(errors="replace")

    def console_end(self) -> str:
        """The end of its console, for people."""
        console = self.folder / "console"
        text = console.read_text(encoding="utf-8", errors="replace") if console.exists() else ""
        lines = [line for line in text.splitlines() if line.strip()]
        return "\n".join(f"  | {line.rstrip()}" for line in lines[-_CONSOLE_LINES:])

    def _is_ready(self) -> bool:
        found = self.plane.api.get("Node", NAME)
        if found is None:
            return False
        others = [taint for taint in found["spec"].get("taints", ()) if taint["key"] != LABEL]
        return is_ready({**found, "spec": {**found["spec"], "taints": others}})


def _kubeconfig(plane: ControlPlane, folder: Path) -> Path:
    """The node's credentials, with the API server's address as the node sees it."""
    # Without the Node authorizer RBAC alone would have to say what a node may, object by object.
    path = plane.kubeconfig_for(f"system:node:{NAME}", ("system:nodes", ADMINS))
    config = json.loads(path.read_text(encoding="utf-8"))
    cluster = config["clusters"][0]["cluster"]
    port = cluster["server"].rpartition(":")[2]
    cluster |= {"server": f"https://{HOST_IN_GUEST}:{port}", "tls-server-name": "localhost"}
    own = folder / "kubeconfig"
    own.write_text(json.dumps(config), encoding="utf-8")
    return own


def _description(mirrors: Mapping[str, str]) -> Raw:
    """node.json, as guest/agent/cmd/reference-node reads it."""
    return {
        "name": NAME,
        "labels": f"{LABEL}=true",
        "taints": [TAINT],
        "clusterDomain": _CLUSTER_DOMAIN,
        "clusterDNS": [_NAME_SERVER],
        "podNetwork": _POD_NETWORK,
        "registries": [{"host": host, "mirrors": [url]} for host, url in mirrors.items()],
        "proxyPort": _PROXY_PORT,
    }


def write_initrd(image: Path, init: Path, target: Path) -> None:
    """Writes the image's initrd with an archive behind it. Of two files of a name the kernel keeps the later.

    An archive begins at a multiple of four bytes, up to which there are zeros
    (https://docs.kernel.org/driver-api/early-userspace/buffer-format.html).
    """
    tree = Tree()
    tree.file("init", init, 0o755)
    with target.open("wb") as file:
        with image.open("rb") as first:
            shutil.copyfileobj(first, file)
        file.write(bytes(-file.tell() % 4))
        write_cpio(tree, file, 0)


def _qemu(folder: Path, kernel: Path, proxy: int) -> list[str]:
    """The devices of a machine (tests/guest/commandlines.py), less those that only KubeVirt has."""
    disks = {"guest": ("guest.qcow2", "format=qcow2"), _DISK: ("content.iso", "format=raw,readonly=on")}
    return [
        *("-name", NAME, "-nodefaults", "-no-user-config", "-display", "none", "-monitor", "none"),
        *("-machine", "q35", "-accel", "tcg,thread=multi", "-cpu", "Nehalem"),
        *("-smp", str(CORES), "-m", f"{MEMORY}M"),
        *("-kernel", str(kernel), "-initrd", str(folder / "initrd.img")),
        *("-append", f"console=ttyS0 {KERNEL_ARGUMENTS}", "-serial", f"file:{folder / 'console'}"),
        *(
            option
            for serial, (file, how) in disks.items()
            for option in (
                *("-drive", f"file={folder / file},if=none,id={serial},cache=unsafe,{how}"),
                *("-device", f"virtio-blk-pci,drive={serial},serial={serial}"),
            )
        ),
        *("-netdev", f"user,id=network,hostfwd=tcp:{LOOPBACK}:{proxy}-:{_PROXY_PORT}"),
        *("-device", "virtio-net-pci,netdev=network,romfile=", "-device", "virtio-rng-pci"),
        *("-action", "panic=exit-failure", "-no-reboot"),
    ]
