"""The operator killed at each of its writes: the next one goes on, nothing is doubled, nothing is left."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from signal import SIGKILL
from typing import Literal

import pytest

from tests.controlplane import Cluster, process
from tests.controlplane.ports import LOOPBACK
from tests.e2e.operator.history import History, Life
from tests.e2e.operator.subject import WORKLOAD_LABEL, Subject, container, template
from tests.operator_process import launch
from tests.request_proxy import Request, RequestProxy

pytestmark = pytest.mark.simulated

SERVED = template(containers=[container(ports=[{"containerPort": 80}])])
When = Literal["before", "after"]
#: For how long a Workload is waited for, in seconds: for each of its writes an operator is started.
_PATIENCE = 900.0


@dataclass
class Mortal:
    """An operator that dies at its writes, and is started again each time.

    Killed `after` a write, it did it and never saw the answer. Killed `before` one, it didn't, and the next
    operator may do it if it sees fit, and is killed before the one that follows. Whatever the cut, the next
    knows only what the cluster says.
    """

    proxy: RequestProxy
    when: When
    log: Path
    killed_at: list[str] = field(default_factory=list)
    immortal: bool = False
    _current: process.Process | None = None
    _last: str = ""

    def __post_init__(self) -> None:
        self.proxy.before = self._before
        self.proxy.after = self._after

    def revive(self) -> None:
        """Start it, if it isn't alive."""
        if self._current is not None and self._current.alive():
            return
        options = ("--health-address", f"{LOOPBACK}:0", "--first-report", "60")
        self._current = launch(self.proxy.kubeconfig, self.log, *options)

    def end(self) -> None:
        """End it, if it is alive."""
        self.immortal = True
        if self._current is not None:
            process.stop([self._current])

    def _before(self, request: Request) -> bool:
        return self.when == "after" or str(request) == self._last or self._survives(request)

    def _after(self, request: Request) -> bool:
        return self.when == "before" or self._survives(request)

    def _survives(self, request: Request) -> bool:
        if self.immortal or not request.is_write or self._current is None:
            return True
        self._last = str(request)
        self.killed_at.append(f"{request.method} {request.resource}")
        self._current.signal(SIGKILL)
        return False


@pytest.fixture(params=["before", "after"])
def mortal(request: pytest.FixtureRequest, proxy: RequestProxy, tmp_path: Path) -> Iterator[Mortal]:
    operator = Mortal(proxy, request.param, tmp_path / "operator.log")
    yield operator
    operator.end()


@pytest.fixture
def web(mortal: Mortal, cluster: Cluster, namespace: str) -> Subject:
    """A Workload, during each wait for which the operator is revived."""
    return Subject(cluster, namespace, alive=mortal.revive, patience=_PATIENCE)


def test_a_whole_life_goes_on_over_each_write(web: Subject, mortal: Mortal) -> None:
    history = History.begin(web.cluster, web.namespace)

    web.apply("Container", SERVED)
    pod = web.becomes("Ready")["status"]["hull"]["name"]
    assert web.belongings() == {"Pod": [pod], "Service": ["web"]}

    web.change(isolationPolicy="VirtualMachine")
    machine = web.becomes("Ready")["status"]["hull"]["name"]
    assert_machine(web, machine)

    web.change(isolationPolicy="Container")
    web.becomes("Ready")
    web.eventually(lambda: web.belongings() == {"Pod": [pod], "Service": ["web"]}, "only the Pod is left")

    web.change(state="Stopped", service={"enabled": False})
    web.becomes("Stopped")
    web.eventually(lambda: web.belongings() == {}, "nothing is left")

    assert_quiet(web, mortal)

    assert set(mortal.killed_at) == {
        *("POST services", "POST pods", "DELETE pods", "DELETE services"),
        *("POST configmaps", "POST virtualmachines", "DELETE virtualmachines", "DELETE configmaps"),
        "PATCH workloads",
    }
    # Each was made as often as it was asked for, and no more.
    ours = f"{WORKLOAD_LABEL}=web"
    assert names(history.lives("Service", ours)) == ["web"]
    assert names(history.lives("ConfigMap", ours)) == [machine]
    assert names(history.lives("VirtualMachine", ours)) == [machine]
    assert names(history.lives("Pod", f"{ours},twinhull.dev/hull")) == [pod] * 2
    running = history.lives("Pod", ours)
    assert not any(old.overlaps(new) for old, new in pairwise(running))


def assert_machine(web: Subject, machine: str) -> None:
    belongings = web.belongings()
    (launcher,) = belongings.pop("Pod")
    assert launcher.startswith(f"virt-launcher-{machine}")
    assert belongings == {
        "VirtualMachine": [machine],
        "VirtualMachineInstance": [machine],
        "ConfigMap": [machine],
        "Service": ["web"],
    }


def test_a_machine_made_from_nothing_and_deleted_while_no_operator_lives(
    web: Subject, mortal: Mortal
) -> None:
    web.apply("VirtualMachine", SERVED)
    machine = web.becomes("Ready")["status"]["hull"]["name"]
    assert_machine(web, machine)
    assert_quiet(web, mortal)

    mortal.end()
    web.delete()
    Subject(web.cluster, web.namespace).is_gone()


def assert_quiet(web: Subject, mortal: Mortal) -> None:
    """One more operator, undisturbed, finds nothing to do."""
    mortal.end()
    workload = web.get()
    other = web.named("other")
    other.apply(state="Stopped")
    other.becomes("Stopped")
    assert web.get() == workload


def names(lives: list[Life]) -> list[str]:
    return [life.name for life in lives]
