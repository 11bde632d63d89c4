"""A Workload that was stored before the CRD had bounds: it costs little, says so, and what runs goes on."""

from __future__ import annotations

import pytest

from tests.sequences.changes import container
from twinhull.api.base import Raw
from twinhull.api.reasons import Reason

from .simulation import KEY, Simulation
from .test_passes import operate, started

SIZES: list[tuple[str, Raw]] = [
    ("spec.template.spec.containers[0].image", {"containers": [{**container(), "image": "a" * 600_000}]}),
    (
        "spec.template.spec.containers",
        {"containers": [{**container(), "name": f"c{n}"} for n in range(2000)]},
    ),
    (
        "spec.template",
        {
            "containers": [
                {**container(), "name": f"c{n}", "env": [{"name": f"E{m}", "value": ""} for m in range(200)]}
                for n in range(30)
            ]
        },
    ),
]


def _change(world: Simulation, pod: Raw) -> None:
    world.server.patch("Workload", KEY, {"spec": {"template": {"spec": pod}}})
    operate(world)


@pytest.mark.parametrize("isolation", ["Container", "VirtualMachine"])
@pytest.mark.parametrize(("field", "pod"), SIZES, ids=[field for field, _ in SIZES])
def test_it_is_stalled_and_named_and_what_runs_goes_on(isolation: str, field: str, pod: Raw) -> None:
    world = started(isolation)
    kind = "Pod" if isolation == "Container" else "VirtualMachine"
    uids = [obj["metadata"]["uid"] for obj in world.server.all(kind)]
    _change(world, pod)
    stalled = world.condition("Stalled")
    assert (stalled["status"], stalled["reason"]) == ("True", "TooLarge")
    assert stalled["message"].startswith(f"{field}: has ")
    assert stalled["message"].endswith(": make it smaller; what runs is left as it is")
    assert [obj["metadata"]["uid"] for obj in world.server.all(kind)] == uids
    assert [event.reason for event in world.events.posted].count(Reason.TOO_LARGE) == 1


def test_once_it_is_smaller_all_goes_on() -> None:
    world = started()
    _change(world, SIZES[0][1])
    _change(world, {"containers": [container()]})
    assert world.condition("Stalled")["status"] == "False"
