"""Runs the scenarios of the chosen tests, each once there is a slot for its machine."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from tests.guest.rendered import ObjectStore, Rendered, forged, render
from tests.guest.scenario import PRIVATE, REGISTRY, config_map
from tests.guest.scenariorun import ScenarioRun
from twinhull.api.registry import ClusterRegistry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tests.guest.containerimage import ContainerImage
    from tests.guest.launcher import Launcher
    from tests.guest.machine import Machine
    from tests.guest.machineslots import MachineSlots
    from tests.guest.registry import Registry
    from tests.guest.scenario import Case, Scenario

#: What went wrong with a scenario, by the case's title.
Errors = dict[str, BaseException]
#: The longest that a test waits for its scenario: the queue before it, and its own deadlines.
_PATIENCE = 5400.0
#: The ranks of scenarios begin here, after the reference node's and what is compared with it.
_RANK = 3
_THREADS = 64  # the slots say which of them may run


@dataclass
class ScenarioRuns:
    """The machines of all cases of a test run."""

    slots: MachineSlots
    launcher: Launcher
    registry: Registry
    private: Registry
    images: dict[str, ContainerImage]
    _pool: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(_THREADS, "scenario"))
    _errors: dict[Scenario, Future[Errors]] = field(default_factory=dict)
    _running: list[Machine] = field(default_factory=list)

    def start(self, cases: Iterable[Case]) -> None:
        """Starts the scenarios of these cases."""
        wanted: dict[Scenario, list[Case]] = {}
        for case in cases:
            for earlier in case.scenario.earlier():
                wanted[earlier] = list(earlier.cases)  # they make what the other scenario finds
            if case not in wanted.setdefault(case.scenario, []):
                wanted[case.scenario].append(case)
        for rank, (scenario, chosen) in enumerate(wanted.items(), _RANK):
            self._errors[scenario] = self._pool.submit(self._run, scenario, chosen, rank)

    def outcome(self, case: Case) -> None:
        """Waits for the case, and raises what went wrong with it."""
        errors = self._errors[case.scenario].result(_PATIENCE)
        if error := errors.get(case.title):
            raise error

    def stop(self) -> None:
        """Ends the machines that still run, whose outcome nobody waits for any more."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        for machine in list(self._running):
            machine.stop()
        self._pool.shutdown(wait=True)

    def _run(self, scenario: Scenario, cases: list[Case], rank: int) -> Errors:
        if scenario.after:
            wait([self._errors[scenario.after]])
        store = ObjectStore()
        store.put(*scenario.objects)
        with self.slots.slot(scenario.name, rank) as use:
            try:
                machine = self.launcher.launch(self._rendered_or_forged(scenario, store), scenario.ports)
            except Exception as error:  # noqa: BLE001 - becomes the outcome of all cases
                return {case.title: error for case in cases}
            self._running.append(machine)
            release = partial(self.slots.release, use)
            run = ScenarioRun(machine, store, self.registry, self.private, self.images, release)
            try:
                errors, settled_after = _check_cases(run, scenario, cases)
            finally:
                processor = machine.processor_seconds()
                self._running.remove(machine)
                machine.stop()
            settled = f"settled after {settled_after:.0f} s" if settled_after else "never settled"
            use.note = f"{settled}, {processor:.0f} s of a processor"
            return errors

    def _rendered_or_forged(self, scenario: Scenario, store: ObjectStore) -> Rendered:
        """What the operator renders, with the change that somebody else makes in the manifest."""
        rendered = self._rendered(scenario, store)
        if scenario.forged:
            store.put(forged(store, rendered, scenario.forged))
        return rendered

    def _rendered(self, scenario: Scenario, store: ObjectStore) -> Rendered:
        """What the operator renders, with the registries that the operator or the Workload names."""
        mirrors = {REGISTRY: self.registry.mirror}
        workload, authority = scenario.workload(), self.private.certificates
        private = {"host": PRIVATE, "mirrors": (self.private.mirror,)}
        if not scenario.trusts:
            known = ClusterRegistry.model_validate({**private, "caBundle": authority})
            return render(workload, store, mirrors, scenario.manifest, (known,), keyed=scenario.keyed)
        store.put(config_map(scenario.trusts, {"ca.crt": authority}))
        ca = {"configMap": scenario.trusts, "key": "ca.crt"}
        workload["spec"]["virtualMachine"]["registries"] = [{**private, "ca": ca}]
        return render(workload, store, mirrors, scenario.manifest)


def _check_cases(run: ScenarioRun, scenario: Scenario, cases: list[Case]) -> tuple[Errors, float | None]:
    """Checks the cases in turn. Gives what went wrong, and after how many seconds the machine had settled."""
    machine = run.machine
    if unsettled := _attempt(partial(scenario.settles or ScenarioRun.ready, run)):
        return {case.title: _with_console(unsettled, machine.console_end()) for case in cases}, None
    errors, settled_after = {}, machine.age
    for case in cases:
        if failed := _attempt(partial(case.check, run)):
            errors[case.title] = _with_console(failed, machine.console_end())
    return errors, settled_after


def _attempt(what: Callable[[], object]) -> BaseException | None:
    try:
        what()
    except Exception as error:  # noqa: BLE001 - it is the outcome, and pytest's own failures are among it
        return error
    return None


def _with_console(error: BaseException, words: str) -> BaseException:
    error.add_note(f"the machine's console ends:\n{words}")
    return error
