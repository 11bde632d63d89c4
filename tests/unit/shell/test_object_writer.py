"""What the operator writes for one Workload is news to others, though its watch brings none any more."""

from __future__ import annotations

from tests.unit.core.objects import hull
from twinhull.api.base import Raw
from twinhull.hulls.hull import DISK_LABEL, WORKLOAD_LABEL
from twinhull.shell import kinds

from .simulation import KEY, Simulation, run
from .test_change_handler import World, named
from .test_passes import operate, started

OTHER = (KEY[0], "db")


def _conditions(world: Simulation, name: str) -> Raw:
    status = world.server.get("Workload", (KEY[0], name))["status"]
    return {condition["type"]: condition["status"] for condition in status["conditions"]}


def _with_another() -> Simulation:
    """Two Workloads that are Ready, and older than the deadline of their progress."""
    world = started("Container")
    world.cluster.before_write, world.server.on_change = lambda *_: None, lambda: None  # they are of one
    other = world.server.get("Workload", KEY)
    metadata = {"name": OTHER[1], "namespace": OTHER[0], "labels": other["metadata"]["labels"]}
    world.server.create({**other, "metadata": metadata, "status": {"observedGeneration": -1}})
    world.settle()
    world.wait(3600)
    world.settle()
    assert _conditions(world, OTHER[1])["Ready"] == "True"
    return world


def test_who_had_a_label_for_a_moment_hears_that_it_was_restored() -> None:
    world = _with_another()
    (pod,) = [key for key in world.server.objects["Pod"] if key[1].startswith("web-")]
    world.server.patch("Pod", pod, {"metadata": {"labels": {WORKLOAD_LABEL: OTHER[1]}}})
    world.deliver(0)
    while len(world.queue):
        world.queue.done(run(world.queue.get()))
    run(world.reconciler.reconcile(OTHER))  # of both, it is looked at first
    assert _conditions(world, OTHER[1])["Stalled"] == "True"
    world.queue.add(KEY)
    operate(world)
    assert world.server.get("Pod", pod)["metadata"]["labels"][WORKLOAD_LABEL] == KEY[1]
    assert _conditions(world, OTHER[1])["Stalled"] == "False"


def test_a_write_asks_for_all_whom_it_concerns_but_the_writer() -> None:
    world = World()
    before, after = (hull("Pod", "web-1") | {"kind": "Pod"} for _ in range(2))
    before["metadata"] = {**before["metadata"], "namespace": "shop", "labels": {WORKLOAD_LABEL: "db"}}
    after["metadata"] = {**after["metadata"], "namespace": "shop", "labels": {WORKLOAD_LABEL: "web"}}
    world.watches.ask_others(("shop", "web"), kinds.POD, [before, after])
    assert world.queued() == ["db"]
    world.watches.ask_others(("shop", "web"), kinds.POD, [after])
    assert world.queued() == []


def test_who_mounts_a_claim_hears_that_it_was_made_anothers_disk() -> None:
    world = World()
    db = named("db")
    claim = {"name": "data", "persistentVolumeClaim": {"claimName": "data"}}
    db["spec"]["template"]["spec"]["volumes"] = [claim]
    world.take(db)
    world.queued()
    metadata = {"name": "data", "namespace": "shop", "uid": "uid-data", "resourceVersion": "1", "labels": {}}
    before: Raw = {"metadata": metadata, "spec": {}}
    after = {"metadata": {**metadata, "labels": {DISK_LABEL: "web"}}, "spec": {}}
    world.store.put(kinds.CLAIM, after)
    world.watches.ask_others(("shop", "web"), kinds.CLAIM, [before, after])
    assert world.queued() == ["db"]
