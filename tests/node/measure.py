"""How long one machine takes from `kubectl apply` to Ready on a real node, stage by stage, and what it needs.

    python -m tests.node measure [how many times]

One machine runs at a time. docs/performance.md has what it printed. KubeVirt and the guest say themselves
when they came to a stage; the clock is the same for all of them.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.guest.scenario import NAMESPACE, container
from tests.node.cluster import Files, NodeCluster
from tests.node.machine import PORT, READY, Machine

if TYPE_CHECKING:
    from collections.abc import Iterator

#: The guest's own lines on its console, by the stage that each ends.
_CONSOLE = {
    "the guest's kernel and init": "twinhull: guest ",
    "network, volumes, what the Pod refers to": "is given to the kubelet",
}
_PROCESSES = {
    "QEMU": "qemu-system",
    "virt-launcher": "virt-launcher ",
    "libvirt": "libvirtd",
    "log": "virtlogd",
}


@dataclass(frozen=True)
class Stage:
    """What came to pass, and when, in seconds since the epoch."""

    name: str
    at: float


def main() -> None:
    """Measures, and prints two tables."""
    times = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    with tempfile.TemporaryDirectory(prefix="twinhull-measure-") as folder:
        cluster = NodeCluster.start(Path(folder) / "node", Files.ready())
        try:
            runs = [_once(cluster, f"web-{number}") for number in range(times)]
        finally:
            cluster.stop()
    stages = [stages for stages, _ in runs]
    print("| stage | it took | since apply |\n|---|---|---|")
    for position, stage in enumerate(stages[0][1:], start=1):
        took = statistics.median(run[position].at - run[position - 1].at for run in stages)
        after = statistics.median(run[position].at - run[0].at for run in stages)
        print(f"| {stage.name} | {took:.1f} s | {after:.1f} s |")
    print("\n| memory | MiB |\n|---|---|")
    for name in runs[0][1]:
        print(f"| {name} | {statistics.median(memory[name] for _, memory in runs):.0f} |")


def _once(cluster: NodeCluster, name: str) -> tuple[list[Stage], dict[str, float]]:
    probe = {"httpGet": {"path": "/", "port": PORT}, "periodSeconds": 1}
    template = {"spec": {"containers": [container("web", port=PORT, readinessProbe=probe)]}}
    machine = Machine(cluster.plane, NAMESPACE, name, cluster.operator.check)
    began = Stage("apply", time.time())
    machine.apply("VirtualMachine", template)
    machine.eventually(
        lambda: machine.get()["status"]["conditions"][0]["status"] == "True", f"{name} is Ready", READY
    )
    stages = [began, *_stages(cluster, machine), Stage("Ready is in the Workload's status", time.time())]
    memory = dict(_memory(cluster, machine))
    machine.delete()
    machine.is_gone()
    return stages, memory


def _stages(cluster: NodeCluster, machine: Machine) -> Iterator[Stage]:
    instance, launcher = machine.instance(), machine.launcher()
    phases = {
        one["phase"]: one["phaseTransitionTimestamp"]
        for one in instance["status"]["phaseTransitionTimestamps"]
    }
    yield Stage("operator and virt-controller: the launcher Pod is there", _time(launcher["metadata"]))
    started = max(
        status["state"]["running"]["startedAt"] for status in launcher["status"]["containerStatuses"]
    )
    yield Stage("node: the launcher's containers are started", _seconds(started))
    yield Stage("virt-handler, libvirt: QEMU runs", _seconds(phases["Running"]))
    for name, words in _CONSOLE.items():
        yield Stage(name, _said(cluster, launcher, words))
    ready = next(one for one in launcher["status"]["conditions"] if one["type"] == "Ready")
    yield Stage(
        "kubelet in the guest, the container and its probe, the launcher's probe",
        _seconds(ready["lastTransitionTime"]),
    )


def _memory(cluster: NodeCluster, machine: Machine) -> Iterator[tuple[str, float]]:
    node, pod = cluster.nodes[0], machine.launcher()["metadata"]["uid"]
    for name, words in _PROCESSES.items():
        pids = node.run("pgrep", "-f", words).split()
        yield (
            f"{name}, resident",
            sum(_resident(node.run("cat", f"/proc/{pid}/status")) for pid in pids) / 1024,
        )
    group = node.run(
        "find", "/sys/fs/cgroup", "-name", f"*{pod}*", "-path", "*memory*", "-type", "d"
    ).split()[0]
    used = int(node.run("cat", f"{group}/memory.usage_in_bytes"))
    yield "launcher Pod, as its node counts it", used / 2**20
    yield (
        "of which the machine has",
        float(machine.instance()["status"]["memory"]["guestAtBoot"].rstrip("Mi")),
    )


def _resident(status: str) -> int:
    """VmRSS in KiB, 0 for a process without memory. proc_pid_status(5)."""
    return next((int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS:")), 0)


def _said(cluster: NodeCluster, launcher: dict[str, Any], words: str) -> float:
    """When the guest said something on its console, as the node's kubelet wrote it down."""
    metadata = launcher["metadata"]
    folder = f"{metadata['namespace']}_{metadata['name']}_{metadata['uid']}"
    for path in (cluster.nodes[0].folder / "log/pods" / folder / "guest-console-log").glob("*.log"):
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
            if words in line:
                return _seconds(line.split()[0])
    raise LookupError(f"the guest never said {words!r}")


def _time(metadata: dict[str, Any]) -> float:
    return _seconds(metadata["creationTimestamp"])


def _seconds(text: str) -> float:
    """A time of RFC 3339, with at most a nanosecond's digits, in seconds since the epoch."""
    whole, _, fraction = text.rstrip("Z").partition(".")
    return datetime.fromisoformat(f"{whole}+00:00").timestamp() + (float(f"0.{fraction}") if fraction else 0)
