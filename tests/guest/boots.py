"""Boots the scenarios that are asked for, two at a time, in the order in which they will be wanted."""

from __future__ import annotations

import os
import time
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from tests.guest.made import Made, Shelf, render
from tests.guest.scenario import PRIVATE, REGISTRY, config_map
from tests.guest.stage import Stage
from twinhull.api.registry import ClusterRegistry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tests.guest.containerimage import ContainerImage
    from tests.guest.launcher import Launcher
    from tests.guest.machine import Machine
    from tests.guest.registry import Registry
    from tests.guest.scenario import Case, Scenario

#: Emulated processors take a real one each; more machines than those only make each other slow.
_AT_ONCE = int(os.environ.get("GUEST_TESTS_AT_ONCE", "2"))
#: The longest that a test waits for its scenario: the queue before it, and its own deadlines.
_PATIENCE = 1500.0


@dataclass
class Boot:
    """What came of a scenario: what went wrong, by the case's title, and how long things took, in seconds.

    `processor` is what QEMU used, which other work on this machine doesn't change.
    """

    errors: dict[str, BaseException] = field(default_factory=dict)
    settled_after: float | None = None
    seconds: float = 0
    processor: float = 0

    def __str__(self) -> str:
        settled = f"settled after {self.settled_after:.0f} s" if self.settled_after else "never settled"
        return f"{settled}, took {self.seconds:.0f} s, {self.processor:.0f} s of a processor"


@dataclass
class Boots:
    """All machines of a test run."""

    launcher: Launcher
    registry: Registry
    private: Registry
    images: dict[str, ContainerImage]
    _pool: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(_AT_ONCE, "scenario"))
    _boots: dict[Scenario, Future[Boot]] = field(default_factory=dict)
    _running: list[Machine] = field(default_factory=list)

    def start(self, cases: Iterable[Case]) -> None:
        """Starts the scenarios of these cases."""
        wanted: dict[Scenario, list[Case]] = {}
        for case in cases:
            if before := case.scenario.after:
                wanted[before] = list(before.cases)  # by which it leaves what the other finds
            wanted.setdefault(case.scenario, []).append(case)
        for scenario, chosen in wanted.items():
            self._boots[scenario] = self._pool.submit(self._boot, scenario, chosen)

    def outcome(self, case: Case) -> None:
        """Waits for the case, and raises what went wrong with it."""
        boot = self._boots[case.scenario].result(_PATIENCE)
        if error := boot.errors.get(case.title):
            raise error

    def log(self) -> dict[str, str]:
        """What is known of the scenarios that are over, by their names."""
        done = {scenario.name: future for scenario, future in self._boots.items() if future.done()}
        return {name: str(future.result()) for name, future in done.items() if not future.cancelled()}

    def stop(self) -> None:
        """Ends the machines that still run, whose outcome nobody waits for any more."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        for machine in list(self._running):
            machine.stop()
        self._pool.shutdown(wait=True)

    def _boot(self, scenario: Scenario, cases: list[Case]) -> Boot:
        if scenario.after:
            wait([self._boots[scenario.after]])
        boot, began = Boot(), time.monotonic()
        shelf = Shelf()
        shelf.put(*scenario.objects)
        try:
            machine = self.launcher.launch(self._made(scenario, shelf), scenario.ports)
        except Exception as error:  # noqa: BLE001 - becomes the outcome of all cases
            return Boot({case.title: error for case in cases})
        self._running.append(machine)
        try:
            stage = Stage(machine, shelf, self.registry, self.private, self.images)
            if unsettled := _attempt(partial(scenario.settles or Stage.ready, stage)):
                boot.errors = {case.title: _with_words(unsettled, machine.words()) for case in cases}
                return boot
            boot.settled_after = machine.age
            for case in cases:
                if failed := _attempt(partial(case.check, stage)):
                    boot.errors[case.title] = _with_words(failed, machine.words())
        finally:
            boot.processor = machine.processor_seconds()
            self._running.remove(machine)
            machine.stop()
            boot.seconds = time.monotonic() - began
        return boot

    def _made(self, scenario: Scenario, shelf: Shelf) -> Made:
        """What the operator makes of it, with the registries that it or the Workload is configured with."""
        mirrors = {REGISTRY: self.registry.mirror}
        workload, authority = scenario.workload(), self.private.certificates
        private = {"host": PRIVATE, "mirrors": (self.private.mirror,)}
        if not scenario.trusts:
            known = ClusterRegistry.model_validate({**private, "caBundle": authority})
            return render(workload, shelf, mirrors, scenario.manifest, (known,))
        shelf.put(config_map(scenario.trusts, {"ca.crt": authority}))
        ca = {"configMap": scenario.trusts, "key": "ca.crt"}
        workload["spec"]["virtualMachine"]["registries"] = [{**private, "ca": ca}]
        return render(workload, shelf, mirrors, scenario.manifest)


def _attempt(what: Callable[[], object]) -> BaseException | None:
    try:
        what()
    except Exception as error:  # noqa: BLE001 - it is the outcome, and pytest's own failures are among it
        return error
    return None


def _with_words(error: BaseException, words: str) -> BaseException:
    error.add_note(f"the machine's console ends:\n{words}")
    return error
