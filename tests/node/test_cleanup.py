"""What a deletion leaves on a real node: nothing."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from tests.guest.scenario import NAMESPACE
from tests.node.machine import READY

if TYPE_CHECKING:
    from tests.node.cluster import NodeCluster

_OURS = ("qemu-system", "virt-launcher", "virtiofsd", "libvirtd", "virtlogd", "conformance")


def _none_left(cluster: NodeCluster, kind: str) -> bool:
    return cluster.plane.api.list(kind, NAMESPACE) == []


def test_deleted_workloads_leave_no_process_mount_or_file(started: NodeCluster) -> None:
    api, (node, *_) = started.plane.api, started.nodes
    for workload in api.list("Workload", NAMESPACE):
        api.delete("Workload", workload["metadata"]["name"], NAMESPACE)
    for kind in ("VirtualMachine", "VirtualMachineInstance", "Pod"):
        started.plane.eventually(partial(_none_left, started, kind), READY, f"there is no {kind} left")

    def empty() -> bool:
        left = [command for command in node.processes() if any(word in command for word in _OURS)]
        mounts = [
            line
            for line in node.run("cat", "/proc/mounts").splitlines()
            if "kubevirt/container-disks" in line
        ]
        folders = node.run("ls", "/var/lib/kubelet/pods").split()
        pods = {pod["metadata"]["uid"] for pod in api.list("Pod")}
        files = node.run("find", "/var/run/kubevirt", "-path", "*container-disks*", "-type", "f").split()
        assert (left, mounts, [name for name in folders if name not in pods], files) == ([], [], [], [])
        return True

    started.plane.eventually(empty, READY, "nothing of a machine is left on the node")
