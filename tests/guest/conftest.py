"""Fixtures: the registries with the test images, the boots that the chosen cases need, and a real node."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import pytest

from tests.guest.boots import Boots
from tests.guest.guestfiles import guest_files, tools
from tests.guest.images import all_images
from tests.guest.launcher import Launcher
from tests.guest.reference.node import ReferenceNode
from tests.guest.registry import Registry
from tests.guest.scenario import REGISTRY, Case

if TYPE_CHECKING:
    from collections.abc import Iterator

    from _pytest.terminal import TerminalReporter

    from tests.controlplane import ControlPlane
    from tests.guest.containerimage import ContainerImage

_LOG = pytest.StashKey[dict[str, str]]()


def pytest_configure(config: pytest.Config) -> None:
    """Declares the mark of the quarter that every run of the tests has."""
    config.addinivalue_line("markers", "guest_quick: of the quarter of the booted cases that `make test` has")


def pytest_terminal_summary(terminalreporter: TerminalReporter, config: pytest.Config) -> None:
    """Says how long the machines took."""
    for name, boot in config.stash.get(_LOG, {}).items():
        terminalreporter.write_line(f"{name:14} {boot}")


@pytest.fixture(scope="session")
def images() -> dict[str, ContainerImage]:
    """All that are run, by `name:tag`."""
    return all_images()


@pytest.fixture(scope="session")
def registry(
    images: dict[str, ContainerImage], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Registry]:
    """The one that everybody may pull from."""
    started = Registry.start(tools(), tmp_path_factory.mktemp("registry") / "public")
    for name, image in images.items():
        if not name.startswith(("late", "private")):  # a case pushes the former itself
            started.push(name, image)
    yield started
    started.stop()


@pytest.fixture(scope="session")
def node(
    simulation: ControlPlane, registry: Registry, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ReferenceNode]:
    """A real node of this run's control plane, for Pods. It boots when it is first wanted."""
    folder = tmp_path_factory.mktemp("reference") / "node"
    started = ReferenceNode.start(simulation, tools(), guest_files(), folder, {REGISTRY: registry.mirror})
    yield started
    started.stop()


@pytest.fixture(scope="session")
def boots(
    request: pytest.FixtureRequest,
    images: dict[str, ContainerImage],
    registry: Registry,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Boots]:
    """The machines of all cases that this run has, booting from now on."""
    folder = tmp_path_factory.mktemp("guest")
    private = Registry.start(tools(), folder / "private", private=True)
    private.push("private:1", images["private:1"])
    launcher = Launcher(tools(), guest_files(), folder / "machines")
    boots = Boots(launcher, registry, private, images)
    boots.start(
        cast("Case", item.callspec.params["case"])
        for item in request.session.items
        if isinstance(item, pytest.Function) and "case" in getattr(item, "fixturenames", ())
    )
    yield boots
    boots.stop()
    request.config.stash[_LOG] = boots.log()
    private.stop()
