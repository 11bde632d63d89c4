"""How long a machine takes to be Ready, and what it needs, beside the same Pod under the same kubelet.

    python -m tests.guest.measure [how many times each]

Only one QEMU runs at a time. docs/performance.md has what it printed. Beside the time it says how much of a
processor QEMU took, which other work on this machine changes less.
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
from tests.guest.memory import Memory
from tests.guest.reference.node import ReferenceNode
from tests.guest.reference.pod import ReferencePod
from tests.guest.registry import Registry
from tests.guest.rendered import ObjectStore, render
from tests.guest.scenario import REGISTRY, Scenario, container

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from tests.guest.machine import Machine

_PORT = 8080
_PATIENCE = 600.0  # seconds
#: How long something took, and how much of a processor, in seconds.
Took = tuple[float, float]
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
        used = node.process.processor_seconds
        try:
            idle = "node, from its boot to Ready", _seconds([(node.ready_after, used())])
            took, memories = [], []
            for _ in range(times + 1):
                start = used()
                pod = ReferencePod.create(node, _SERVER)
                pod.ready(_PATIENCE)
                took.append((pod.age, used() - start))
                print(f"Pod: Ready after {_seconds(took[-1:])}", flush=True)
                memories.append(_memory(pod.get))
                pod.delete()
        finally:
            node.stop()
    finally:
        plane.stop()
    return [
        idle,
        ("Pod, from its creation to Ready, the image to be pulled", _seconds(took[:1])),
        ("Pod, from its creation to Ready, the image already there", _seconds(took[1:])),
        ("node, memory used with the Pod", _mebibytes([memory.used for memory in memories])),
    ]


def _machines(folder: Path, mirrors: dict[str, str], times: int) -> list[tuple[str, str]]:
    """Machines, one after the other; each has to pull the image."""
    took, memories = [], []
    for number in range(times):
        launcher = Launcher(tools(), guest_files(), folder / f"machines-{number}")
        machine = launcher.launch(render(_SERVER.workload(), ObjectStore(), mirrors), _SERVER.ports)
        try:
            _wait(machine)
            took.append((machine.age, machine.processor_seconds()))
            print(f"machine: Ready after {_seconds(took[-1:])}", flush=True)
            memories.append(_memory(machine.get))
        finally:
            machine.stop()
    return [
        ("machine, from its start to Ready, the image to be pulled", _seconds(took)),
        *_used(memories, machine.spec.memory),
    ]


def _used(memories: Sequence[Memory], whole: int) -> Iterator[tuple[str, str]]:
    yield f"machine, memory used with the Pod, of {whole} MiB", _mebibytes([one.used for one in memories])
    for part in memories[0].parts:
        yield f"… of which {part}", _mebibytes([one.parts[part] for one in memories])
    own = [whole - memory.total for memory in memories]
    yield "machine, memory that its kernel never gives out", _mebibytes(own)


def _wait(machine: Machine) -> None:
    name = machine.spec.name
    machine.eventually(lambda: machine.kubelet.ready, _PATIENCE, f"{name} is ready", 0.1)


def _seconds(took: Sequence[Took]) -> str:
    """The median of the times, and of what they took of a processor, with their ranges."""
    time, processor = (_range([one[part] for one in took]) for part in (0, 1))
    return f"{time} s, {processor} s of a processor"


def _range(numbers: Sequence[float]) -> str:
    median = f"{statistics.median(numbers):.0f}"
    return median if len(numbers) == 1 else f"{median} ({min(numbers):.0f} to {max(numbers):.0f})"


def _mebibytes(amounts: Sequence[float]) -> str:
    return f"{statistics.median(amounts):.0f} MiB"


def _memory(get: Callable[..., bytes]) -> Memory:
    return Memory.read(get(_PORT, "/file", path="/proc/meminfo").decode())


if __name__ == "__main__":
    main()
