"""How long a machine takes to be Ready, and what it needs, beside the same Pod under the same kubelet.

    python -m tests.guest.measure [how many times each]

Only one QEMU runs at a time. docs/performance.md has what it printed.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from tests.controlplane import ControlPlane
from tests.guest.guestfiles import guest_files, tools
from tests.guest.images import all_images
from tests.guest.launcher import Launcher
from tests.guest.made import Shelf, render
from tests.guest.memory import Memory
from tests.guest.reference.node import ReferenceNode
from tests.guest.reference.pod import ReferencePod
from tests.guest.registry import Registry
from tests.guest.scenario import REGISTRY, Scenario, container

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from tests.guest.machine import Machine

_PORT = 8080
_PATIENCE = 600.0  # seconds
_SERVER = Scenario(
    "server",
    {
        "spec": {
            "terminationGracePeriodSeconds": 1,
            "containers": [
                container(
                    "server",
                    port=_PORT,
                    readinessProbe={
                        "httpGet": {"port": _PORT, "path": "/health"},
                        "periodSeconds": 1,
                        "timeoutSeconds": 5,
                    },
                )
            ],
        }
    },
)


def main() -> None:
    """Measures, and prints a table."""
    times = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    with tempfile.TemporaryDirectory(prefix="twinhull-measure-") as scratch:
        folder = Path(scratch)
        registry = Registry.start(tools(), folder / "registry")
        try:
            registry.push("conformance:1", all_images()["conformance:1"])
            mirrors = {REGISTRY: registry.mirror}
            rows = [*_pods(folder, mirrors, times), *_machines(folder, mirrors, times)]
        finally:
            registry.stop()
    guest = guest_files()
    parts = {"disk": guest.disk, "kernel": guest.kernel, "initrd": guest.initrd}
    sizes = {name: path.stat().st_size / 1e6 for name, path in parts.items()}
    rows.append(("image: " + " + ".join(sizes), f"{sum(sizes.values()):.0f} MB"))
    rows += [(f"image: {name}", f"{size:.0f} MB") for name, size in sizes.items()]
    print("\n| what | seen |\n|---|---|")
    for what, seen in rows:
        print(f"| {what} | {seen} |")


def _pods(folder: Path, mirrors: dict[str, str], times: int) -> list[tuple[str, str]]:
    """The Pod on a node that has nothing else to do."""
    plane = ControlPlane.start(folder / "plane", kubevirt=False, nodes=0)
    try:
        node = ReferenceNode.start(plane, tools(), guest_files(), folder / "node", mirrors)
        try:
            idle = "node, from its boot to Ready", f"{node.ready_after:.0f} s"
            ages, memories = [], []
            for _ in range(times + 1):
                pod = ReferencePod.create(node, _SERVER)
                pod.ready(_PATIENCE)
                ages.append(pod.age)
                print(f"Pod: Ready after {pod.age:.1f} s", flush=True)
                memories.append(_memory(pod.get))
                pod.delete()
        finally:
            node.stop()
    finally:
        plane.stop()
    return [
        idle,
        ("Pod, from its creation to Ready, the image to be pulled", f"{ages[0]:.0f} s"),
        ("Pod, from its creation to Ready, the image already there", _seconds(ages[1:])),
        ("node, memory used with the Pod", _mebibytes([memory.used for memory in memories])),
    ]


def _machines(folder: Path, mirrors: dict[str, str], times: int) -> list[tuple[str, str]]:
    """Machines, one after the other; each has to pull the image."""
    ages, memories = [], []
    for number in range(times):
        launcher = Launcher(tools(), guest_files(), folder / f"machines-{number}")
        machine = launcher.launch(render(_SERVER.workload(), Shelf(), mirrors), _SERVER.ports)
        try:
            _wait(machine)
            ages.append(machine.age)
            print(f"machine: Ready after {ages[-1]:.1f} s", flush=True)
            memories.append(_memory(machine.get))
        finally:
            machine.stop()
    return [
        ("machine, from its start to Ready, the image to be pulled", _seconds(ages)),
        *_used(memories, machine.blueprint.memory),
    ]


def _used(memories: Sequence[Memory], whole: int) -> Iterator[tuple[str, str]]:
    yield f"machine, memory used with the Pod, of {whole} MiB", _mebibytes([one.used for one in memories])
    for part in memories[0].parts:
        yield f"… of which {part}", _mebibytes([one.parts[part] for one in memories])
    own = [whole - memory.total for memory in memories]
    yield "machine, memory that its kernel never gives out", _mebibytes(own)


def _wait(machine: Machine) -> None:
    name = machine.blueprint.name
    machine.eventually(lambda: machine.kubelet.ready, _PATIENCE, f"{name} is ready", 0.1)


def _seconds(ages: Sequence[float]) -> str:
    return f"{statistics.median(ages):.0f} s ({', '.join(f'{age:.0f}' for age in sorted(ages))})"


def _mebibytes(amounts: Sequence[float]) -> str:
    return f"{statistics.median(amounts):.0f} MiB"


def _memory(get: Callable[..., bytes]) -> Memory:
    return Memory.read(get(_PORT, "/file", path="/proc/meminfo").decode())


if __name__ == "__main__":
    main()
