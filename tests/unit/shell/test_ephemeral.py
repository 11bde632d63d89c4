"""Ephemeral claims of a machine in a cluster in miniature: made, kept, and gone with their machine."""

from __future__ import annotations

from twinhull.api.base import Raw

from .simulation import KEY, Simulation

CLAIM = {"spec": {"accessModes": ["ReadWriteOnce"], "volumeMode": "Block"}}
SPEC: Raw = {
    "isolationPolicy": "VirtualMachine",
    "template": {
        "spec": {
            "containers": [
                {"name": "web", "image": "x", "volumeDevices": [{"name": "raw", "devicePath": "/dev/raw"}]}
            ],
            "volumes": [{"name": "raw", "ephemeral": {"volumeClaimTemplate": CLAIM}}],
        }
    },
}


def claims(world: Simulation) -> dict[str, str]:
    """The uid of the owner of each claim."""
    return {
        obj["metadata"]["name"]: obj["metadata"]["ownerReferences"][0]["uid"]
        for obj in world.server.all("PersistentVolumeClaim")
    }


def machines(world: Simulation) -> dict[str, str]:
    """The name that the claim of each machine has, and the machine's uid."""
    return {
        f"{obj['metadata']['name']}-raw": obj["metadata"]["uid"] for obj in world.server.all("VirtualMachine")
    }


def settled(spec: Raw = SPEC) -> Simulation:
    world = Simulation(spec)
    world.settle()
    assert len(claims(world)) == 1
    return world


def test_it_is_made_for_the_machine_and_no_later_pass_writes() -> None:
    world = settled()
    assert claims(world) == machines(world)
    assert world.make_pass() == []
    world.restart()
    assert world.make_pass() == []


def test_a_restarted_machine_has_a_claim_of_its_own() -> None:
    world = settled()
    old = claims(world)
    (name,) = [obj["metadata"]["name"] for obj in world.server.all("VirtualMachine")]
    world.server.delete("VirtualMachine", (KEY[0], name))
    world.settle()
    assert claims(world) == machines(world)
    assert claims(world).keys() == old.keys()
    assert claims(world) != old, "it was made anew for the machine that was"


def test_it_goes_with_its_machine() -> None:
    for change in ({"state": "Stopped"}, {"isolationPolicy": "Container"}):
        world = settled()
        world.edit(change)
        world.settle()
        assert claims(world) == {}


def test_one_of_somebody_elses_that_is_not_seen_yet_is_looked_at_and_not_taken() -> None:
    (name,) = claims(settled())
    world = Simulation(SPEC)
    metadata = {"name": name, "namespace": KEY[0]}
    world.server.create({"kind": "PersistentVolumeClaim", "metadata": metadata, "spec": CLAIM["spec"]})
    while len(world.queue):
        world.reconcile()
    assert not world.condition("Ready") or world.condition("Ready")["reason"] == "Waiting"
    world.settle()
    assert world.condition("Stalled")["reason"] == "NameConflict"
    world.server.remove("PersistentVolumeClaim", (KEY[0], name))
    world.settle()
    assert world.condition("Ready")["status"] == "True"
    assert claims(world) == machines(world)
