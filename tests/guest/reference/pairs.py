"""The two hulls of one Workload, to be compared: the Pod on the reference node, and the machine.

Each has a slot of its own. Neither waits for the other, so that no processor is idle.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.guest.nodekubelet import POD_IP
from tests.guest.reference.endscenarios import STATES
from tests.guest.reference.node import NAME
from tests.guest.reference.pod import ReferencePod
from tests.guest.reference.podview import PodView, view_of
from tests.guest.reference.statushistory import StatusHistory, common_statuses, conditions
from tests.guest.rendered import ObjectStore, render
from tests.guest.volumes import LAUNCHER_UID, NODE

if TYPE_CHECKING:
    from tests.guest.launcher import Launcher
    from tests.guest.machine import Machine
    from tests.guest.machineslots import MachineSlots
    from tests.guest.reference.node import ReferenceNode
    from tests.guest.scenario import Scenario

Raw = dict[str, Any]
_READY = 900.0  # seconds, on a busy machine, as all that follow
_STATES = 900.0  # seconds, until all containers of a hull have had the states that are compared
_PATIENCE = 5400.0  # the longest that a test waits for a pair: the queue before it, and its own deadlines
_THREADS = 64  # the slots say which of them may run
#: The ranks of all that the node does, which it does one by one, and of the machines: before other scenarios.
_ON_NODE, _MACHINE = 1, 2


@dataclass(frozen=True)
class Outcome:
    """The statuses of a hull's containers in the states that are compared, and the Pod's own."""

    statuses: dict[str, Raw]
    conditions: dict[str, tuple[str, str | None]]
    phase: str


@dataclass
class Pairs:
    """All pairs of a run of the tests. `boot` gives the node, `mirrors` are the registries' addresses."""

    slots: MachineSlots
    boot: Callable[[], ReferenceNode]
    launcher: Launcher
    mirrors: Mapping[str, str]
    _pool: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(_THREADS, "pair"))
    _node: Future[ReferenceNode] = field(init=False)
    #: The node's one processor emulates one Pod at a time.
    _node_lock: threading.Lock = field(default_factory=threading.Lock)
    _views: dict[Scenario, Future[tuple[PodView, PodView]]] = field(default_factory=dict)
    _outcomes: dict[Scenario, Future[tuple[Outcome, Outcome]]] = field(default_factory=dict)
    _running: list[Machine] = field(default_factory=list)

    def start(self, scenarios: Iterable[Scenario]) -> None:
        """Boots the node, and starts these scenarios both ways."""
        self._node = self._pool.submit(self._boot)
        for scenario in scenarios:
            if scenario.name in STATES:
                self._outcomes[scenario] = self._pool.submit(self._follow, scenario)
            else:
                self._views[scenario] = self._pool.submit(self._view_both, scenario)

    @property
    def node(self) -> ReferenceNode:
        """The reference node, once it is Ready."""
        return self._node.result(_PATIENCE)

    def views(self, scenario: Scenario) -> tuple[PodView, PodView]:
        """What the containers see: those of the Pod, and those of the machine."""
        return self._views[scenario].result(_PATIENCE)

    def outcomes(self, scenario: Scenario) -> tuple[Outcome, Outcome]:
        """What becomes of the containers of the Pod, and of those of the machine."""
        return self._outcomes[scenario].result(_PATIENCE)

    def stop(self) -> None:
        """Ends the node, and all that still runs."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        for machine in list(self._running):
            machine.stop()
        if not self._node.cancelled() and self._node.exception() is None:
            self._node.result().stop()
        self._pool.shutdown(wait=True)

    @contextmanager
    def exclusive_node(self) -> Iterator[ReferenceNode]:
        """The node, which nobody else uses meanwhile."""
        with self._node_lock:
            yield self.node

    @contextmanager
    def pod(self, scenario: Scenario) -> Iterator[ReferencePod]:
        """A scenario's Pod, alone on the node; it is gone afterwards."""
        with self.exclusive_node() as node, self.slots.slot(f"{scenario.name}, as a Pod", _ON_NODE):
            pod = ReferencePod.create(node, scenario)
            try:
                yield pod
            except BaseException as error:
                error.add_note(f"the reference node's console ends:\n{node.console_end()}")
                raise
            pod.delete()

    @contextmanager
    def _machine(self, scenario: Scenario) -> Iterator[Machine]:
        store = ObjectStore()
        store.put(*scenario.objects)
        machine = self.launcher.launch(render(scenario.workload(), store, self.mirrors), scenario.ports)
        self._running.append(machine)
        try:
            yield machine
        except BaseException as error:
            error.add_note(f"the machine's console ends:\n{machine.console_end()}")
            raise
        finally:
            self._running.remove(machine)
            machine.stop()

    def _boot(self) -> ReferenceNode:
        with self.slots.slot(NAME, _ON_NODE) as use:
            node = self.boot()
            use.note = f"Ready after {node.ready_after:.0f} s"
            return node

    def _view_both(self, scenario: Scenario) -> tuple[PodView, PodView]:
        with self.pod(scenario) as pod:
            pod.ready(_READY)
            of_pod = view_of(pod, scenario, _pod_names(pod))
        name = f"{scenario.name}, as a machine"
        with self.slots.slot(name, _MACHINE) as use, self._machine(scenario) as machine:
            kubelet = machine.kubelet
            machine.eventually(lambda: kubelet.ready, _READY, f"{machine.spec.name} is ready")
            use.note = f"Ready after {machine.age:.0f} s"
            return of_pod, view_of(machine, scenario, _machine_names(machine))

    def _follow(self, scenario: Scenario) -> tuple[Outcome, Outcome]:
        """The Pod goes on while the machine runs, so that both come to the same number of restarts."""
        states = STATES[scenario.name]
        what = f"all containers of {scenario.name} have these states"
        with self.pod(scenario) as pod:
            of_pod = StatusHistory(_pod_names(pod))
            with of_pod.recording(pod.status):
                pod.node.eventually(lambda: common_statuses(states, of_pod), _STATES, f"{what}, in a Pod")
                with self._machine(scenario) as machine:
                    of_machine = StatusHistory(_machine_names(machine))
                    with of_machine.recording(machine.status):
                        statuses = machine.eventually(
                            lambda: common_statuses(states, of_pod, of_machine),
                            _STATES,
                            f"{what}, in a machine, as in the Pod",
                        )
                    hulls = zip(statuses, (pod.status(), machine.status()), strict=True)
                    first, second = (Outcome(found, conditions(now), now["phase"]) for found, now in hulls)
        return first, second


def _pod_names(pod: ReferencePod) -> Mapping[str, str]:
    """The Pod's own names, and what stands for them in the comparison."""
    read = pod.read()
    status = read["status"]
    return {
        **_own(read["metadata"]["name"]),
        read["metadata"]["uid"]: "<uid>",
        read["spec"]["nodeName"]: "<node>",
        **({status["podIP"]: "<address>"} if "podIP" in status else {}),
    }


def _machine_names(machine: Machine) -> Mapping[str, str]:
    """The machine's own names, and what stands for them in the comparison."""
    return {**_own(machine.spec.name), LAUNCHER_UID: "<uid>", NODE: "<node>", POD_IP: "<address>"}


def _own(name: str) -> dict[str, str]:
    """A hull's name, and the revision that it ends in."""
    return {name: "<name>", name.rpartition("-")[2]: "<revision>"}
