"""A cluster whose nodes are real: control plane, KubeVirt, nodes, a registry, and the operator."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import click
import yaml

from guest.image import build as guest_image
from guest.image.tools import Tools
from tests.controlplane import build
from tests.controlplane.controlplane import ControlPlane
from tests.controlplane.kubevirt import Installation
from tests.disksystem.exports import Exports
from tests.guest.images import all_images
from tests.guest.registry import Registry
from tests.guest.rendered import SECRET
from tests.guest.scenario import NAMESPACE, PRIVATE, REGISTRY
from tests.node import images, root, shell_image
from tests.node.dns import ClusterDns
from tests.node.network import API_PORT, GATEWAY, Network
from tests.node.node import Node
from tests.node.programs import Programs
from tests.operator_process import GUEST_IMAGE, OperatorProcess

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

_GUEST_HOST, _, _GUEST = GUEST_IMAGE.partition("/")
#: The guest's image, where only those get it who have the registry's password.
PRIVATE_GUEST_IMAGE = f"{PRIVATE}/{_GUEST}"
#: The RuntimeClass of gVisor, which containerd has as runsc (tests/node/services.py).
SANDBOX_CLASS = "gvisor"
_SANDBOXES = {
    "apiVersion": "node.k8s.io/v1",
    "kind": "RuntimeClass",
    "metadata": {"name": SANDBOX_CLASS},
    "handler": "runsc",
}
_SCHEDULABLE = "kubevirt.io/schedulable"
#: virt-handler's start on a node: its image's first container, and what it asks libvirt.
_HANDLER = 600.0


@dataclass(frozen=True)
class Files:
    """All that a cluster is made of, from the cache."""

    installation: Installation
    programs: Programs
    root: Path
    kubevirt: Path
    guest: Path
    tools: Tools
    exports: Exports

    @classmethod
    def ready(cls, *, older: bool = False) -> Files:
        """With the newest KubeVirt, or the older release. What isn't in the cache is downloaded and built
        first, which needs the machine's own network. Raises BuildError, ImageError.
        """
        installation = Installation(older=older, real=True)
        build.programs(build.KUBERNETES)
        installation.programs(click.echo)
        programs = Programs.ready(build.OLDER_KUBEVIRT if older else "")
        base = root.ready()
        image = images.kubevirt(installation, base, programs, click.echo)
        return cls(
            installation,
            programs,
            base,
            image,
            guest_image.build(click.echo).oci,
            Tools.ready(),
            Exports.ready(),
        )


@dataclass
class NodeCluster:
    """A running one. `stop` leaves the logs in `folder`."""

    folder: Path
    files: Files
    plane: ControlPlane
    network: Network
    registry: Registry
    private: Registry
    operator: OperatorProcess
    nodes: list[Node] = field(default_factory=list)
    _ends: ExitStack = field(default_factory=ExitStack)

    @classmethod
    def start(cls, folder: Path, files: Files) -> NodeCluster:
        """Starts one with one node in `folder`.

        This process must be alone in its network namespace. Raises ComponentDied, NeverHappened,
        CommandFailed.
        """
        with ExitStack() as ends:
            network = Network.create()
            ends.callback(network.close)
            plane = ControlPlane.start(folder / "plane", nodes=0, installation=files.installation)
            ends.callback(plane.stop)
            network.serve_api(plane.port)
            plane.api.create(_api_endpoints())
            ends.callback(ClusterDns(GATEWAY, plane.api).close)
            registry = Registry.start(files.tools, folder / "registry", address=GATEWAY, seen_at=GATEWAY)
            ends.callback(registry.stop)
            private = Registry.start(
                files.tools, folder / "private", private=True, address=GATEWAY, seen_at=GATEWAY
            )
            ends.callback(private.stop)
            for name, image in all_images().items():
                registry.push(name, image)
            registry.push(shell_image.NAME, shell_image.shell_image(files.root))
            registry.push_layout(_GUEST, files.guest)
            private.push_layout(_GUEST, files.guest)
            plane.api.create(_SANDBOXES)
            plane.kubectl("apply", "--filename", "crds")
            plane.api.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}})
            operator = _operator(plane, folder, registry)
            ends.callback(operator.stop)
            cluster = cls(folder, files, plane, network, registry, private, operator)
            cluster._ends = ends.pop_all()
        try:
            cluster.add_node()
        except BaseException:
            cluster.stop()
            raise
        return cluster

    def add_node(self) -> Node:
        """Another node, on which machines can run when it is given."""
        number = len(self.nodes) + 1
        node = Node.start(number, self.folder / f"node-{number}", self.files.root, self.network)
        self.nodes.append(node)
        mirrors = {
            **dict.fromkeys((REGISTRY, _GUEST_HOST), self.registry.mirror),
            PRIVATE: self.private.mirror,
        }
        node.join(self.plane, self.files.programs, self.files.kubevirt, mirrors)
        self.plane.eventually(
            lambda: self._labels(node).get(_SCHEDULABLE) == "true",
            _HANDLER,
            f"virt-handler says that machines can run on {node.name}",
        )
        return node

    def _labels(self, node: Node) -> dict[str, Any]:
        found = self.plane.api.get("Node", node.name)
        labels: dict[str, Any] = found["metadata"].get("labels", {}) if found else {}
        return labels

    def stop(self) -> None:
        """Ends all of it: the operator, the nodes with all that runs on them, the control plane."""
        for node in self.nodes:
            node.stop()
        self._ends.close()


def _api_endpoints() -> dict[str, Any]:
    """Where Pods find the API server by its Service. It can't say so itself: its address is loopback's."""
    return {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {
            "name": "kubernetes",
            "namespace": "default",
            "labels": {"kubernetes.io/service-name": "kubernetes"},
        },
        "addressType": "IPv4",
        "endpoints": [{"addresses": [GATEWAY], "conditions": {"ready": True}}],
        "ports": [{"name": "https", "port": API_PORT, "protocol": "TCP"}],
    }


def _operator(plane: ControlPlane, folder: Path, registry: Registry) -> OperatorProcess:
    (folder / "key").write_bytes(SECRET)
    known = [{"host": REGISTRY, "mirrors": [registry.mirror]}]
    (folder / "registries.yaml").write_text(yaml.safe_dump(known), encoding="utf-8")
    return OperatorProcess.start(
        plane.kubeconfig,
        folder / "operator.log",
        f"--guest-key-file={folder / 'key'}",
        f"--guest-registries={folder / 'registries.yaml'}",
    )
