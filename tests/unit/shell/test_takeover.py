"""Whoever takes the Lease over acts by what its former holder wrote last, however late the watches are."""

from __future__ import annotations

from tests.sequences.changes import container
from twinhull.shell.listing import Listing

from .simulation import Simulation, run
from .test_passes import started

#: What one process of the operator has.
_PARTS = (
    *("store", "queue", "executor", "reconciler", "controller", "watches"),
    *("refusals", "policies", "decisions", "memories", "metrics"),
)


def ask_for(world: Simulation, image: str) -> None:
    world.edit({"template": {"spec": {"containers": [container(image)]}}})


def test_no_hull_is_made_beside_one_that_the_former_leader_made() -> None:
    world = started(replacement={"strategy": "Recreate"})
    world.restart()
    standby = {part: getattr(world, part) for part in _PARTS}
    world.restart()
    ask_for(world, "nginx:2")
    world.settle()
    (made_by_leader,) = world.server.all("Pod")
    ask_for(world, "nginx:3")
    world.server.events.clear()  # the standby's watches are late
    vars(world).update(standby)
    run(Listing(world.cluster, world.watches, world.queue, every=600).catch_up())
    while len(world.queue):
        world.reconcile()
    (pod,) = world.server.all("Pod")
    assert pod["metadata"]["uid"] == made_by_leader["metadata"]["uid"]
    assert "deletionTimestamp" in pod["metadata"], "what was asked for last replaces it"
