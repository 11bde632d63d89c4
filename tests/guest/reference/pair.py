"""The two hulls of one Workload, running at once: the Pod on the reference node, and the machine."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.guest.made import Shelf, render
from tests.guest.nodekubelet import POD_IP
from tests.guest.reference.pod import ReferencePod
from tests.guest.volumes import LAUNCHER_UID, NODE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.guest.launcher import Launcher
    from tests.guest.machine import Machine
    from tests.guest.reference.node import ReferenceNode
    from tests.guest.scenario import Scenario

_READY = 600.0  # seconds, on a busy machine


@dataclass(frozen=True)
class Pair:
    """Them."""

    scenario: Scenario
    pod: ReferencePod
    machine: Machine

    def ready(self) -> tuple[float, float]:
        """Waits until both are, and gives how many seconds after their creation, or start, they were."""
        self.pod.ready(_READY)
        pod = self.pod.age
        kubelet = self.machine.kubelet
        self.machine.eventually(lambda: kubelet.ready, _READY, f"{self.machine.blueprint.name} is ready")
        return pod, self.machine.age

    @property
    def pod_names(self) -> Mapping[str, str]:
        """What is the Pod's own, and what stands for it in the other, too."""
        pod = self.pod.read()
        status = pod["status"]
        return {
            **_own(pod["metadata"]["name"]),
            pod["metadata"]["uid"]: "<uid>",
            pod["spec"]["nodeName"]: "<node>",
            **({status["podIP"]: "<address>"} if "podIP" in status else {}),
        }

    @property
    def machine_names(self) -> Mapping[str, str]:
        """What is the machine's own."""
        own = _own(self.machine.blueprint.name)
        return {**own, LAUNCHER_UID: "<uid>", NODE: "<node>", POD_IP: "<address>"}


def _own(name: str) -> dict[str, str]:
    """A hull's name, and the revision that it ends in."""
    return {name: "<name>", name.rpartition("-")[2]: "<revision>"}


@dataclass(frozen=True)
class Pairs:
    """Where they are started. `mirrors` are the registries' addresses."""

    node: ReferenceNode
    launcher: Launcher
    mirrors: Mapping[str, str]

    @contextmanager
    def of(self, scenario: Scenario) -> Iterator[Pair]:
        """Creates both, and ends them at the end; a failure is told with the end of both consoles."""
        shelf = Shelf()
        shelf.put(*scenario.objects)
        machine = self.launcher.launch(render(scenario.workload(), shelf, self.mirrors), scenario.ports)
        try:
            pod = ReferencePod.create(self.node, scenario)
            yield Pair(scenario, pod, machine)
        except BaseException as error:
            error.add_note(f"the machine's console ends:\n{machine.words()}")
            error.add_note(f"the reference node's console ends:\n{self.node.words()}")
            raise
        finally:
            machine.stop()
        pod.delete()
