"""The two hulls of one Workload, to be compared: the Pod on the reference node, and the machine.

Each has a slot of its own, and neither waits for the other, so that no processor is idle.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.guest.made import Shelf, render
from tests.guest.nodekubelet import POD_IP
from tests.guest.reference.ends import STATES
from tests.guest.reference.node import NAME
from tests.guest.reference.pod import ReferencePod
from tests.guest.reference.reported_values import ReportedValues, reported_values
from tests.guest.reference.statuses import StatusHistory, conditions, statuses_at
from tests.guest.volumes import LAUNCHER_UID, NODE

if TYPE_CHECKING:
    from tests.guest.boot_slots import BootSlots
    from tests.guest.launcher import Launcher
    from tests.guest.machine import Machine
    from tests.guest.reference.node import ReferenceNode
    from tests.guest.scenario import Scenario

Raw = dict[str, Any]
_READY = 600.0  # seconds, on a busy machine, as all that follow
_STATES_WITHIN = 600.0  # seconds for all containers of a hull to have come to theirs
_PATIENCE = 2400.0  # the longest that a test waits for a pair: the queue before it, and its own deadlines
_THREADS = 64  # who of them may run is the slots' business
#: The ranks of all that the node does, which it does one by one, and of the machines: before other scenarios.
_ON_NODE, _MACHINE = 1, 2


@dataclass(frozen=True)
class Fate:
    """What became of a hull's containers in the states that are compared, and of the Pod as a whole."""

    statuses: dict[str, Raw]
    conditions: dict[str, tuple[str, str | None]]
    phase: str


@dataclass
class Pairs:
    """All that a test run wants. `boot` gives the node, `mirrors` are the registries' addresses."""

    boot_slots: BootSlots
    boot: Callable[[], ReferenceNode]
    launcher: Launcher
    mirrors: Mapping[str, str]
    _pool: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(_THREADS, "pair"))
    _node: Future[ReferenceNode] = field(init=False)
    #: The node's one processor emulates one Pod at a time.
    _turn: threading.Lock = field(default_factory=threading.Lock)
    _reported_values: dict[Scenario, Future[tuple[ReportedValues, ReportedValues]]] = field(
        default_factory=dict
    )
    _fates: dict[Scenario, Future[tuple[Fate, Fate]]] = field(default_factory=dict)
    _running: list[Machine] = field(default_factory=list)

    def start(self, scenarios: Iterable[Scenario]) -> None:
        """Boots the node, and starts these scenarios both ways."""
        self._node = self._pool.submit(self._boot)
        for scenario in scenarios:
            if scenario.name in STATES:
                self._fates[scenario] = self._pool.submit(self._follow, scenario)
            else:
                self._reported_values[scenario] = self._pool.submit(self._look, scenario)

    @property
    def node(self) -> ReferenceNode:
        """The reference node, once it is Ready."""
        return self._node.result(_PATIENCE)

    def reported_values(self, scenario: Scenario) -> tuple[ReportedValues, ReportedValues]:
        """What the containers of the Pod see, and what those of the machine do."""
        return self._reported_values[scenario].result(_PATIENCE)

    def fates(self, scenario: Scenario) -> tuple[Fate, Fate]:
        """What becomes of the containers of the Pod, and of those of the machine."""
        return self._fates[scenario].result(_PATIENCE)

    def stop(self) -> None:
        """Ends the node, and what nobody waits for any more."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        for machine in list(self._running):
            machine.stop()
        if not self._node.cancelled() and self._node.exception() is None:
            self._node.result().stop()
        self._pool.shutdown(wait=True)

    @contextmanager
    def turn(self) -> Iterator[ReferenceNode]:
        """The node, for nobody else."""
        with self._turn:
            yield self.node

    @contextmanager
    def pod(self, scenario: Scenario) -> Iterator[ReferencePod]:
        """A scenario's Pod, alone on the node; it is gone afterwards."""
        with self.turn() as node, self.boot_slots.slot(f"{scenario.name}, as a Pod", _ON_NODE):
            pod = ReferencePod.create(node, scenario)
            try:
                yield pod
            except BaseException as error:
                error.add_note(f"the reference node's console ends:\n{node.words()}")
                raise
            pod.delete()

    @contextmanager
    def _machine(self, scenario: Scenario) -> Iterator[Machine]:
        shelf = Shelf()
        shelf.put(*scenario.objects)
        machine = self.launcher.launch(render(scenario.workload(), shelf, self.mirrors), scenario.ports)
        self._running.append(machine)
        try:
            yield machine
        except BaseException as error:
            error.add_note(f"the machine's console ends:\n{machine.words()}")
            raise
        finally:
            self._running.remove(machine)
            machine.stop()

    def _boot(self) -> ReferenceNode:
        with self.boot_slots.slot(NAME, _ON_NODE) as slot_use:
            node = self.boot()
            slot_use.note = f"Ready after {node.ready_after:.0f} s"
            return node

    def _look(self, scenario: Scenario) -> tuple[ReportedValues, ReportedValues]:
        with self.pod(scenario) as pod:
            pod.ready(_READY)
            of_pod = reported_values(pod, scenario, _pod_names(pod))
        name = f"{scenario.name}, as a machine"
        with self.boot_slots.slot(name, _MACHINE) as slot_use, self._machine(scenario) as machine:
            kubelet = machine.kubelet
            machine.eventually(lambda: kubelet.ready, _READY, f"{machine.blueprint.name} is ready")
            slot_use.note = f"Ready after {machine.age:.0f} s"
            return of_pod, reported_values(machine, scenario, _machine_names(machine))

    def _follow(self, scenario: Scenario) -> tuple[Fate, Fate]:
        """The Pod goes on while the machine runs, so that both come to the same number of restarts."""
        states = STATES[scenario.name]
        what = f"all containers of {scenario.name} come there"
        with self.pod(scenario) as pod:
            of_pod = StatusHistory(_pod_names(pod))
            with of_pod.following(pod.status):
                pod.node.eventually(lambda: statuses_at(states, of_pod), _STATES_WITHIN, f"{what}, in a Pod")
                with self._machine(scenario) as machine:
                    of_machine = StatusHistory(_machine_names(machine))
                    with of_machine.following(machine.status):
                        statuses = machine.eventually(
                            lambda: statuses_at(states, of_pod, of_machine),
                            _STATES_WITHIN,
                            f"{what}, in a machine, as in the Pod",
                        )
                    hulls = zip(statuses, (pod.status(), machine.status()), strict=True)
                    first, second = (Fate(told, conditions(now), now["phase"]) for told, now in hulls)
        return first, second


def _pod_names(pod: ReferencePod) -> Mapping[str, str]:
    """What is the Pod's own, and what stands for it in the other, too."""
    read = pod.read()
    status = read["status"]
    return {
        **_own(read["metadata"]["name"]),
        read["metadata"]["uid"]: "<uid>",
        read["spec"]["nodeName"]: "<node>",
        **({status["podIP"]: "<address>"} if "podIP" in status else {}),
    }


def _machine_names(machine: Machine) -> Mapping[str, str]:
    """What is the machine's own."""
    return {**_own(machine.blueprint.name), LAUNCHER_UID: "<uid>", NODE: "<node>", POD_IP: "<address>"}


def _own(name: str) -> dict[str, str]:
    """A hull's name, and the revision that it ends in."""
    return {name: "<name>", name.rpartition("-")[2]: "<revision>"}
