"""Fixtures: the registries with the test images, and all that boots, two machines at a time.

What the chosen tests need boots in the background from the start. Tests that drive a machine themselves come
first and have the first slot. The outcomes of the others are asked for afterwards.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tests.e2e.conftest import install_crds
from tests.e2e.operator.subject import Subject
from tests.guest.guestfiles import guest_files, tools
from tests.guest.images import all_images
from tests.guest.launcher import Launcher
from tests.guest.machineslots import FIRST, MachineSlots, SlotUse
from tests.guest.reference.node import ReferenceNode
from tests.guest.reference.pairs import Pairs
from tests.guest.registry import Registry
from tests.guest.rendered import SECRET
from tests.guest.scenario import REGISTRY
from tests.guest.scenarioruns import ScenarioRuns
from tests.guest.virthandler import VirtHandler, loopback_address
from tests.operator_process import OperatorProcess

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from _pytest.terminal import TerminalReporter

    from tests.controlplane import Cluster, ControlPlane
    from tests.guest.containerimage import ContainerImage

Boot = Callable[[Subject, str, list[int]], VirtHandler]
_PAIRS = pytest.StashKey[Pairs]()
_SLOT_USES = pytest.StashKey[list[SlotUse]]()
#: What tests wait for, in the order in which they are run; those that wait for nothing are the last.
_ORDER = ("slot", "pairs", "scenario_runs", None)
_AFTER_PAIRS = _ORDER.index("pairs") + 0.5


def pytest_configure(config: pytest.Config) -> None:
    """Declares the mark of the cases that `make test` has, a quarter of all."""
    config.addinivalue_line("markers", "guest_quick: of the quarter of the booted cases that `make test` has")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Puts those tests first that drive a machine, while the others' machines boot in the background.

    Tests with a control plane of their own come after those of pairs, which `_background` starts on the
    control plane of the first test.
    """
    items.sort(key=lambda item: max(_ORDER.index(_waits_for(item)), _AFTER_PAIRS * _has_own_plane(item)))


def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    """Ends the reference node when nobody needs it any more; idle, it takes a fifth of a processor."""
    pairs = item.config.stash.get(_PAIRS, None)
    if pairs and nextitem and _waits_for(item) == "pairs" != _waits_for(nextitem):
        pairs.stop()


def pytest_terminal_summary(terminalreporter: TerminalReporter, config: pytest.Config) -> None:
    """Prints who had the slots, and when."""
    for use in config.stash.get(_SLOT_USES, []):
        terminalreporter.write_line(str(use))


@pytest.fixture(scope="session", autouse=True)
def _background(request: pytest.FixtureRequest) -> None:
    """Starts what the chosen tests will ask for. Pairs are first, since the node runs one Pod at a time."""
    for name in ("pairs", "scenario_runs"):
        if any(name in _fixtures(item) for item in request.session.items):
            with suppress(pytest.skip.Exception):  # which is for those that need it
                request.getfixturevalue(name)


@pytest.fixture(scope="session")
def images() -> dict[str, ContainerImage]:
    """All images that are run, by `name:tag`."""
    return all_images()


@pytest.fixture(scope="session")
def registry(
    images: dict[str, ContainerImage], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Registry]:
    """The registry that everybody may pull from."""
    started = Registry.start(tools(), tmp_path_factory.mktemp("registry") / "public")
    for name, image in images.items():
        if not name.startswith(("late", "private")):  # a case pushes the former itself
            started.push(name, image)
    yield started
    started.stop()


@pytest.fixture(scope="session")
def slots(request: pytest.FixtureRequest) -> MachineSlots:
    """The slots of this run of the tests."""
    slots = MachineSlots()
    request.config.stash[_SLOT_USES] = slots.uses
    return slots


@pytest.fixture(scope="session")
def scenario_runs(
    request: pytest.FixtureRequest,
    slots: MachineSlots,
    images: dict[str, ContainerImage],
    registry: Registry,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[ScenarioRuns]:
    """The scenarios of all chosen cases. They begin now."""
    folder = tmp_path_factory.mktemp("guest")
    private = Registry.start(tools(), folder / "private", private=True)
    private.push("private:1", images["private:1"])
    launcher = Launcher(tools(), guest_files(), folder / "machines")
    scenario_runs = ScenarioRuns(slots, launcher, registry, private, images)
    scenario_runs.start(_parameters(request.session, "scenario_runs", "case"))
    yield scenario_runs
    slots.close()
    scenario_runs.stop()
    private.stop()


@pytest.fixture(scope="session")
def pairs(
    request: pytest.FixtureRequest,
    slots: MachineSlots,
    simulation: ControlPlane,
    registry: Registry,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Pairs]:
    """A real node of this run's control plane, for Pods, and what this run compares with Pods there."""
    folder = tmp_path_factory.mktemp("same")
    mirrors = {REGISTRY: registry.mirror}

    def boot() -> ReferenceNode:
        return ReferenceNode.start(simulation, tools(), guest_files(), folder / "node", mirrors)

    pairs = Pairs(slots, boot, Launcher(tools(), guest_files(), folder), mirrors)
    pairs.start(_parameters(request.session, "pairs", "scenario"))
    request.config.stash[_PAIRS] = pairs
    yield pairs
    slots.close()
    pairs.stop()


@pytest.fixture
def node(pairs: Pairs) -> Iterator[ReferenceNode]:
    """The real node, once it is Ready and nobody else has a Pod there."""
    with pairs.exclusive_node() as node:
        yield node


@pytest.fixture
def slot(request: pytest.FixtureRequest, slots: MachineSlots) -> Iterator[SlotUse]:
    """The slot of a machine that a test drives itself."""
    with slots.slot(request.node.name, FIRST) as use:
        yield use


@pytest.fixture(scope="module")
def operator(
    control_plane: Cluster, registry: Registry, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[OperatorProcess]:
    """The operator, which may ask guests and tells them of the registry."""
    install_crds(control_plane)
    folder = tmp_path_factory.mktemp("operator")
    (folder / "key").write_bytes(SECRET)
    (folder / "registries.yaml").write_text(
        yaml.safe_dump([{"host": REGISTRY, "mirrors": [registry.mirror]}]), encoding="utf-8"
    )
    options = [
        f"--guest-key-file={folder / 'key'}",
        f"--guest-registries={folder / 'registries.yaml'}",
    ]
    started = OperatorProcess.start(control_plane.kubeconfig, folder / "operator.log", *options)
    yield started
    started.stop()


@pytest.fixture
def web(operator: OperatorProcess, control_plane: Cluster, namespace: str) -> Subject:
    """A Workload of the name web, yet to be applied."""
    return Subject(control_plane, namespace, alive=operator.check)


@pytest.fixture
def address() -> str:
    """Where the machine of the test's Workload is to be."""
    return loopback_address()


@pytest.fixture
def launcher(tmp_path: Path) -> Launcher:
    """Starts machines in the test's own folder."""
    return Launcher(tools(), guest_files(), tmp_path)


@pytest.fixture
def boot(control_plane: Cluster, slot: SlotUse, launcher: Launcher) -> Iterator[Boot]:  # noqa: ARG001
    """Boots the machine of a Workload that was applied, at an address."""
    with ExitStack() as ends:

        def booted(subject: Subject, address: str, ports: list[int]) -> VirtHandler:
            where = (subject.namespace, subject.name)
            handler = VirtHandler.boot(control_plane.api, launcher, where, address, ports)
            ends.callback(handler.stop)
            return handler

        yield booted


def _waits_for(item: pytest.Item) -> str | None:
    return next((name for name in _ORDER if name in _fixtures(item)), None)


def _has_own_plane(item: pytest.Item) -> bool:
    """Whether its module has a fixture control_plane in place of the one of the whole run."""
    return hasattr(getattr(item, "module", None), "control_plane")


def _fixtures(item: pytest.Item) -> list[str]:
    """The names of the fixtures that a test has, directly or by another fixture."""
    found: list[str] = getattr(item, "fixturenames", [])
    return found


def _parameters(session: pytest.Session, fixture: str, parameter: str) -> list[Any]:
    """What the chosen tests of a fixture are called with."""
    return [
        item.callspec.params[parameter]
        for item in session.items
        if isinstance(item, pytest.Function) and fixture in _fixtures(item) and hasattr(item, "callspec")
    ]
