"""For how long watches may have missed changes."""

from __future__ import annotations

from twinhull.shell import kinds
from twinhull.shell.kinds import Place
from twinhull.shell.watch_ages import WatchAges

PODS, LAUNCHERS = (kinds.POD, "shop"), (kinds.LAUNCHER, "shop")


class World:
    """Ages, and a clock."""

    def __init__(self, *places: Place) -> None:
        self.now = 0.0
        self.ages = WatchAges(lambda: self.now)
        for place in places:
            self.ages.begin(place)

    def wait(self, seconds: float) -> None:
        self.now += seconds


def test_a_resource_is_as_old_as_its_quietest_watch() -> None:
    quiet = (kinds.POD, "bank")
    world = World(PODS, LAUNCHERS, quiet)
    world.wait(100)
    world.ages.hear(PODS)
    world.ages.hear(quiet)
    world.wait(10)
    assert world.ages.by_resource() == {"pods": 110}
    world.ages.hear(LAUNCHERS)
    assert world.ages.by_resource() == {"pods": 10}


def test_a_list_makes_no_watch_younger_that_brings_nothing() -> None:
    world = World(PODS)
    world.wait(600)
    world.ages.complete(PODS, "5")
    world.ages.begin(PODS)
    assert world.ages.by_resource() == {"pods": 600}


def test_a_watch_that_has_missed_changes_ages_until_they_are_listed() -> None:
    world = World(PODS)
    world.wait(100)
    world.ages.miss(PODS, "10")
    world.ages.hear(PODS)
    world.ages.complete(PODS, "9")
    assert world.ages.by_resource() == {"pods": 100}
    world.ages.complete(PODS, "10")
    assert world.ages.by_resource() == {"pods": 0}
    world.wait(100)
    world.ages.hear(PODS)
    assert world.ages.by_resource() == {"pods": 0}


def test_a_kind_that_is_not_served_and_a_namespace_that_is_refused_have_no_age() -> None:
    disks = (kinds.DATA_VOLUME, "shop")
    world = World(PODS, disks, (kinds.SERVICE, "bank"))
    world.ages.forget(disks)
    assert set(world.ages.by_resource(without=["bank"])) == {"pods"}
    world.wait(100)
    world.ages.miss(disks, "1")
    assert world.ages.by_resource()["datavolumes"] == 0, "it counts from when the kind is served"
