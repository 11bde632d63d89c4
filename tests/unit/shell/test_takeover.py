"""Whoever takes the Lease over acts by what its former holder wrote last, however late the watches are."""

from __future__ import annotations

import pytest

from tests.sequences import Change
from tests.sequences.changes import container
from twinhull.api.base import Raw
from twinhull.shell.kinds import Kind
from twinhull.shell.listing import Listing

from .simulation import KEY, Simulation, run
from .test_passes import started

#: What one process of the operator has.
_PARTS = (
    *("store", "queue", "executor", "reconciler", "controller", "watches"),
    *("refusals", "policies", "decisions", "memories", "metrics"),
)


def ask_for(world: Simulation, command: str) -> None:
    world.edit({"template": {"spec": {"containers": [container(command=[command])]}}})


class Takeover:
    """A leader with a Workload, and a standby that has seen all until now."""

    def __init__(self) -> None:
        self.world = started(replacement={"strategy": "Recreate"})
        self.world.restart()
        self._standby = {part: getattr(self.world, part) for part in _PARTS}
        self.world.restart()

    def happen(self) -> None:
        """The leader is gone. The standby, whose watches are late, does all that it has to do."""
        world = self.world
        world.server.events.clear()
        vars(world).update(self._standby)
        run(Listing(world.cluster, world.watches, world.queue, every=600).catch_up())
        world.queue.add(KEY)
        while len(world.queue):
            world.reconcile()


def test_no_hull_is_made_beside_one_that_the_former_leader_made() -> None:
    takeover = Takeover()
    world = takeover.world
    ask_for(world, "second")
    world.settle()
    (made_by_leader,) = world.server.all("Pod")
    ask_for(world, "third")
    takeover.happen()
    (pod,) = world.server.all("Pod")
    assert pod["metadata"]["uid"] == made_by_leader["metadata"]["uid"]
    assert "deletionTimestamp" in pod["metadata"], "what was asked for last replaces it"


@pytest.mark.parametrize("of_namespace", [False, True])
def test_no_hull_is_replaced_by_one_below_a_floor_that_the_former_leader_knew(of_namespace: bool) -> None:  # noqa: FBT001
    takeover = Takeover()
    world = takeover.world
    floor: Raw = {"minimum": "Sandbox", "onViolation": "Raise"}
    if of_namespace:
        floor["match"] = {"namespaceSelector": {"matchLabels": {"of": "tenants"}}}
        world.change(Change("Namespace", {"metadata": {"labels": {"of": "tenants"}}}))
    world.change(Change("IsolationPolicy", floor, "floor"))
    world.settle()
    (made_by_leader,) = world.server.all("Pod")
    assert made_by_leader["spec"]["runtimeClassName"] == "gvisor"
    takeover.happen()
    (pod,) = world.server.all("Pod")
    assert pod["metadata"] == made_by_leader["metadata"]


def test_the_instances_of_machines_are_listed_before_there_is_work() -> None:
    """Without its instance a machine is taken for one whose guest can't be asked, and deleted at once."""
    takeover = Takeover()
    world = takeover.world
    taken: list[str] = []
    take_rest = world.watches.take_rest

    def noted(kind: Kind, present: set[str], version: str | None, namespace: str | None = None) -> None:
        taken.append(kind.name)
        take_rest(kind, present, version, namespace)

    world.watches.take_rest = noted  # type: ignore[method-assign]
    run(Listing(world.cluster, world.watches, world.queue, every=600).catch_up())
    assert taken.index("VirtualMachineInstance") < taken.index("Workload")
