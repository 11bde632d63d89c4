"""An operator takes over what an earlier one made: it writes one event, and nothing that runs is lost."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import replace
from typing import Any

import pytest

from twinhull.api.base import Raw
from twinhull.core.blueprint import Blueprint
from twinhull.core.revision import FORMER, Content
from twinhull.hulls.hull import WORKLOAD_LABEL
from twinhull.shell.errors import Refused
from twinhull.shell.store import key_of

from .simulation import Simulation
from .test_overruled import PORTS, hour, ready
from .test_passes import written

KINDS = {"Container": "Pod", "Sandbox": "Pod", "VirtualMachine": "VirtualMachine"}


@contextmanager
def formerly() -> Iterator[None]:
    """An operator from before revisions were made of canonical templates."""
    made: Callable[..., Content] = Blueprint._made_from  # noqa: SLF001
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Blueprint, "_made_from", lambda *of: replace(made(*of), way=FORMER))
        yield


def upgraded(isolation: str) -> Simulation:
    """A Workload that an earlier operator made Ready, and the present one has just begun."""
    labelled = {"metadata": {"labels": {"app": "x"}}, **PORTS}
    world = Simulation({"isolationPolicy": isolation, "template": labelled})
    with formerly():
        world.settle()
    world.restart()
    return world


def minutes(world: Simulation, count: int) -> None:
    for turn in range(count):
        world.everybody(turn)
        world.wait(60)


@pytest.mark.parametrize("isolation", KINDS)
def test_it_writes_one_note(isolation: str) -> None:
    world = upgraded(isolation)
    count = len(world.cluster.writes)
    world.settle()
    assert written(world)[count:] == [f"patch {KINDS[isolation]}"]
    assert hour(world) == 0


@pytest.mark.parametrize("isolation", ["Container", "VirtualMachine"])
def test_a_hull_that_lost_its_label_has_none_made_beside_it(isolation: str) -> None:
    world = upgraded(isolation)
    world.settle()
    (hull,) = world.server.all(KINDS[isolation])
    world.server.patch(hull["kind"], key_of(hull), {"metadata": {"labels": {WORKLOAD_LABEL: None}}})
    minutes(world, 15)
    (after,) = world.server.all(KINDS[isolation])
    assert after["metadata"]["uid"] == hull["metadata"]["uid"]
    if isolation == "Container":  # a machine without it is known by its instance
        assert after["metadata"]["labels"][WORKLOAD_LABEL] == "web"
    assert ready(world)[0] == "True"


@pytest.mark.parametrize("isolation", ["Container", "VirtualMachine"])
def test_a_note_that_is_taken_away_each_time_is_written_ever_less_often(
    isolation: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    world, kind = upgraded(isolation), KINDS[isolation]
    patch = world.server.patch

    def patched(of: str, key: tuple[str, str], change: Raw, **more: Any) -> Raw:
        kept = deepcopy(change)
        if of == kind and not more.get("status"):
            kept.get("metadata", {}).pop("annotations", None)
        return patch(of, key, kept, **more)

    monkeypatch.setattr(world.server, "patch", patched)
    count = len(world.cluster.writes)
    minutes(world, 10)
    assert written(world)[count:].count(f"patch {kind}") < 10
    assert ready(world)[0] == "True"


def test_a_note_that_is_refused_keeps_nothing_from_being_ready() -> None:
    world = upgraded("Container")
    world.cluster.refused["patch", "Pod"] = Refused("Pods are immutable here")
    minutes(world, 5)
    assert ready(world) == ("True", "Ready")
    assert world.condition("Stalled")["status"] == "False"
