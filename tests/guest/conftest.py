"""Fixtures: the registries with the test images, and the boots that the chosen cases need."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import pytest

from tests.guest.boots import Boots
from tests.guest.guestfiles import guest_files, tools
from tests.guest.images import all_images
from tests.guest.launcher import Launcher
from tests.guest.registry import Registry
from tests.guest.scenario import Case

if TYPE_CHECKING:
    from collections.abc import Iterator

    from _pytest.terminal import TerminalReporter

_LOG = pytest.StashKey[dict[str, str]]()


def pytest_configure(config: pytest.Config) -> None:
    """Declares the mark of the quarter that every run of the tests has."""
    config.addinivalue_line("markers", "guest_quick: of the quarter of the booted cases that `make test` has")


def pytest_terminal_summary(terminalreporter: TerminalReporter, config: pytest.Config) -> None:
    """Says how long the machines took."""
    for name, boot in config.stash.get(_LOG, {}).items():
        terminalreporter.write_line(f"{name:14} {boot}")


@pytest.fixture(scope="session")
def boots(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Boots]:
    """The machines of all cases that this run has, booting from now on."""
    folder = tmp_path_factory.mktemp("guest")
    public = Registry.start(tools(), folder / "registry")
    private = Registry.start(tools(), folder / "private", private=True)
    images = all_images()
    for name, image in images.items():
        if not name.startswith("late"):  # a case pushes that itself
            (private if name.startswith("private") else public).push(name, image)
    launcher = Launcher(tools(), guest_files(), folder / "machines")
    boots = Boots(launcher, public, private, images)
    boots.start(
        cast("Case", item.callspec.params["case"])
        for item in request.session.items
        if isinstance(item, pytest.Function) and "case" in getattr(item, "fixturenames", ())
    )
    yield boots
    boots.stop()
    request.config.stash[_LOG] = boots.log()
    public.stop()
    private.stop()
