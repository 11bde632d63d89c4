"""Boots the scenarios that are asked for, each when there is a slot for it."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from tests.guest.made import Made, Shelf, forged, render
from tests.guest.scenario import PRIVATE, REGISTRY, config_map
from tests.guest.stage import Stage
from twinhull.api.registry import ClusterRegistry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tests.guest.boot_slots import BootSlots
    from tests.guest.containerimage import ContainerImage
    from tests.guest.launcher import Launcher
    from tests.guest.machine import Machine
    from tests.guest.registry import Registry
    from tests.guest.scenario import Case, Scenario

#: What went wrong with a scenario, by the case's title.
Errors = dict[str, BaseException]
#: The longest that a test waits for its scenario: the queue before it, and its own deadlines.
_PATIENCE = 2400.0
#: The ranks of scenarios begin here, after the reference node's and what is compared with it.
_RANK = 3
_THREADS = 64  # who of them may run is the slots' business


@dataclass
class Boots:
    """The machines of all cases of a test run."""

    boot_slots: BootSlots
    launcher: Launcher
    registry: Registry
    private: Registry
    images: dict[str, ContainerImage]
    _pool: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(_THREADS, "scenario"))
    _boots: dict[Scenario, Future[Errors]] = field(default_factory=dict)
    _running: list[Machine] = field(default_factory=list)

    def start(self, cases: Iterable[Case]) -> None:
        """Starts the scenarios of these cases."""
        wanted: dict[Scenario, list[Case]] = {}
        for case in cases:
            if before := case.scenario.after:
                wanted[before] = list(before.cases)  # by which it leaves what the other finds
            wanted.setdefault(case.scenario, []).append(case)
        for rank, (scenario, chosen) in enumerate(wanted.items(), _RANK):
            self._boots[scenario] = self._pool.submit(self._boot, scenario, chosen, rank)

    def outcome(self, case: Case) -> None:
        """Waits for the case, and raises what went wrong with it."""
        errors = self._boots[case.scenario].result(_PATIENCE)
        if error := errors.get(case.title):
            raise error

    def stop(self) -> None:
        """Ends the machines that still run, whose outcome nobody waits for any more."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        for machine in list(self._running):
            machine.stop()
        self._pool.shutdown(wait=True)

    def _boot(self, scenario: Scenario, cases: list[Case], rank: int) -> Errors:
        if scenario.after:
            wait([self._boots[scenario.after]])
        shelf = Shelf()
        shelf.put(*scenario.objects)
        with self.boot_slots.slot(scenario.name, rank) as slot_use:
            try:
                machine = self.launcher.launch(self._made(scenario, shelf), scenario.ports)
            except Exception as error:  # noqa: BLE001 - becomes the outcome of all cases
                return {case.title: error for case in cases}
            self._running.append(machine)
            leave = partial(self.boot_slots.leave, slot_use)
            stage = Stage(machine, shelf, self.registry, self.private, self.images, leave)
            try:
                errors, settled_after = _play(stage, scenario, cases)
            finally:
                processor = machine.processor_seconds()
                self._running.remove(machine)
                machine.stop()
            settled = f"settled after {settled_after:.0f} s" if settled_after else "never settled"
            slot_use.note = f"{settled}, {processor:.0f} s of a processor"
            return errors

    def _made(self, scenario: Scenario, shelf: Shelf) -> Made:
        """What the operator makes of it, and somebody else of that."""
        made = self._rendered(scenario, shelf)
        if scenario.forged:
            shelf.put(forged(shelf, made, scenario.forged))
        return made

    def _rendered(self, scenario: Scenario, shelf: Shelf) -> Made:
        """What the operator makes of it, with the registries that it or the Workload is configured with."""
        mirrors = {REGISTRY: self.registry.mirror}
        workload, authority = scenario.workload(), self.private.certificates
        private = {"host": PRIVATE, "mirrors": (self.private.mirror,)}
        if not scenario.trusts:
            known = ClusterRegistry.model_validate({**private, "caBundle": authority})
            return render(workload, shelf, mirrors, scenario.manifest, (known,), keyed=scenario.keyed)
        shelf.put(config_map(scenario.trusts, {"ca.crt": authority}))
        ca = {"configMap": scenario.trusts, "key": "ca.crt"}
        workload["spec"]["virtualMachine"]["registries"] = [{**private, "ca": ca}]
        return render(workload, shelf, mirrors, scenario.manifest)


def _play(stage: Stage, scenario: Scenario, cases: list[Case]) -> tuple[Errors, float | None]:
    """Looks at the cases in turn; what went wrong, and after how many seconds the machine had settled."""
    machine = stage.machine
    if unsettled := _attempt(partial(scenario.settles or Stage.ready, stage)):
        return {case.title: _with_words(unsettled, machine.words()) for case in cases}, None
    errors, settled_after = {}, machine.age
    for case in cases:
        if failed := _attempt(partial(case.check, stage)):
            errors[case.title] = _with_words(failed, machine.words())
    return errors, settled_after


def _attempt(what: Callable[[], object]) -> BaseException | None:
    try:
        what()
    except Exception as error:  # noqa: BLE001 - it is the outcome, and pytest's own failures are among it
        return error
    return None


def _with_words(error: BaseException, words: str) -> BaseException:
    error.add_note(f"the machine's console ends:\n{words}")
    return error
