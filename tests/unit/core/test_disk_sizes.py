"""Disks grow with the spec, and never shrink."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from twinhull.api.base import Raw
from twinhull.api.reasons import Reason
from twinhull.core.decision import decide
from twinhull.core.observed import Refusal
from twinhull.core.plan import plan

from .diskworld import BOOT, World, running, wl
from .objects import NOW

LATER = NOW + timedelta(seconds=8)


def test_a_size_that_is_smaller_than_before_is_answered_with_the_size_that_would_do() -> None:
    world = running()
    world.ask({"bootDisk": BOOT | {"size": "30Gi"}})
    assert world.settle() == "DiskShrinks"
    assert decide(world.case()).message == (
        "spec.virtualMachine.bootDisk.size: the disk boot can't be made smaller: set size to 40Gi or more"
    )
    world.ask({"bootDisk": BOOT | {"size": "50Gi"}})
    assert world.settle() == "Ready"
    world.ask({"bootDisk": BOOT | {"size": "45Gi"}})
    assert world.settle() == "DiskShrinks"
    assert decide(world.case()).message.endswith("set size to 50Gi or more"), "that is what it asked for last"


@pytest.mark.parametrize("size", ["40Gi", "30Gi"])
def test_a_disk_that_a_former_workload_left_larger_is_taken_up_as_it_is(size: str) -> None:
    former = running()
    claim = former.objects["PersistentVolumeClaim", "web-boot"]
    claim["spec"] = {"resources": {"requests": {"storage": "50Gi"}}}  # somebody has grown it
    kept = {key: obj for key, obj in former.objects.items() if key[1] == "web-boot"}
    world = World(wl({"bootDisk": BOOT | {"size": size}}), kept)
    world.raw["metadata"]["uid"] = "another"
    assert world.settle() == "Pending"
    world.boot()
    assert world.settle() == "Ready"
    assert (
        "took up the disk boot again: DataVolume web-boot was there, whose claim stays as large as it is "
        f"(50Gi), though size is {size}"
    ) in world.events
    assert world.objects["PersistentVolumeClaim", "web-boot"]["spec"] == claim["spec"]
    world.ask({"bootDisk": BOOT | {"size": "20Gi"}})
    assert world.settle() == "DiskShrinks"
    assert decide(world.case()).message.endswith(f"set size to {size} or more")


def test_a_disk_grows_with_what_cdi_added_and_never_shrinks() -> None:
    world = running()  # its claim asks for 42Gi, for a disk of 40Gi
    world.ask({"bootDisk": BOOT | {"size": "80Gi"}})
    assert world.settle() == "Ready"
    claim = world.objects["PersistentVolumeClaim", "web-boot"]
    assert claim["spec"]["resources"]["requests"] == {"storage": f"{84 * 1024}Mi"}
    volume = world.objects["DataVolume", "web-boot"]
    assert volume["spec"]["storage"]["resources"]["requests"] == {"storage": "40Gi"}
    for smaller in ("60Gi", "40Gi", "1Gi"):
        world.ask({"bootDisk": BOOT | {"size": smaller}})
        assert world.settle() == "DiskShrinks"
        step = decide(world.case())
        assert (step.ready, step.stalled) == ("True", True)
    assert claim == world.objects["PersistentVolumeClaim", "web-boot"]


@pytest.mark.parametrize("source", [{"dataSource": {"name": "fedora"}}, {"snapshot": {"name": "monday"}}])
def test_a_clone_that_was_made_without_a_size_grows_to_one(source: Raw) -> None:
    """Its claim is as large as the original's."""
    world = World(wl({"bootDisk": {"source": source}}))
    world.settle()
    world.fill(size="10Gi")
    world.settle()
    world.boot()
    assert world.settle() == "Ready"
    claim = world.objects["PersistentVolumeClaim", "web-boot"]
    world.ask({"bootDisk": {"source": source, "size": "8Gi"}})
    assert world.settle() == "Ready"
    assert claim == world.objects["PersistentVolumeClaim", "web-boot"], "it is used as it is"
    world.ask({"bootDisk": {"source": source, "size": "80Gi"}})
    assert world.settle() == "Ready"
    grown = world.objects["PersistentVolumeClaim", "web-boot"]
    assert grown["spec"]["resources"]["requests"] == {"storage": f"{80 * 1024}Mi"}
    assert f"asked for {80 * 1024}Mi for PersistentVolumeClaim web-boot (80Gi)" in world.events
    world.ask({"bootDisk": {"source": source, "size": "40Gi"}})
    assert world.settle() == "DiskShrinks"
    assert decide(world.case()).message.endswith("set size to 80Gi or more")


def test_a_claim_that_a_backup_restored_without_its_data_volume_grows() -> None:
    world = running()
    del world.objects["DataVolume", "web-boot"]
    claim = world.objects["PersistentVolumeClaim", "web-boot"]
    assert world.settle() == "Ready"
    assert claim == world.objects["PersistentVolumeClaim", "web-boot"], "it has what CDI once added"
    world.ask({"bootDisk": BOOT | {"size": "80Gi", "reclaim": "Delete"}})
    assert world.settle() == "Ready"
    grown = world.objects["PersistentVolumeClaim", "web-boot"]
    assert grown["spec"]["resources"]["requests"] == {"storage": f"{80 * 1024}Mi"}
    (disk,) = world.raw["status"]["disks"]
    assert "stays when the Workload is deleted, whatever reclaim says" in disk["message"]


def test_storage_that_cannot_grow_is_told_and_what_runs_is_ready() -> None:
    world = running()
    world.ask({"bootDisk": BOOT | {"size": "80Gi"}})
    found = world.case()
    refusal = Refusal(Reason.CLAIM_REFUSED, "it can't be resized", final=True, retry_at=LATER, since=NOW)
    refusals = {"PersistentVolumeClaim/web-boot/change": refusal}
    step = decide(replace(found, observed=replace(found.observed, refusals=refusals)))
    assert (step.ready, step.reason, step.stalled, step.refusal) == ("True", "Ready", True, refusal)


def test_a_size_that_the_storage_cannot_grow_to_can_be_taken_back() -> None:
    world = running()
    world.ask({"bootDisk": BOOT | {"size": "80Gi"}})
    found = world.case()
    refusal = Refusal(Reason.CLAIM_REFUSED, "it can't be resized", final=True, retry_at=LATER, since=NOW)
    refusals = {"PersistentVolumeClaim/web-boot/change": refusal}
    refused = replace(found, observed=replace(found.observed, refusals=refusals))
    for action in plan(refused).actions:
        world.do(action)
    world.ask()
    assert world.settle() == "Ready"


@pytest.mark.parametrize("size", ["41Gi", "50Gi", "60G", "80Gi", "8Ei", "1000Ei"])
def test_a_disk_grows_once_whatever_cdi_added(size: str) -> None:
    world = World(wl())
    world.settle()
    world.fill(size="45527275111")  # 40Gi and 6 %, which is no whole mebibyte
    world.settle()
    world.boot()
    assert world.settle() == "Ready"
    world.ask({"bootDisk": BOOT | {"size": size}})
    assert world.settle() == "Ready"
    assert world.objects["PersistentVolumeClaim", "web-boot"]["spec"]["resources"] != {
        "requests": {"storage": "45527275111"}
    }


def test_a_claim_that_is_larger_than_asked_for_keeps_no_machine_from_starting() -> None:
    world = running()
    claim = world.objects["PersistentVolumeClaim", "web-boot"]
    claim["spec"] = {"resources": {"requests": {"storage": "100Gi"}}}
    assert world.settle() == "Ready", "it grew by somebody else's hand"
    world.ask({"bootDisk": BOOT | {"size": "30Gi"}})
    assert world.settle() == "DiskShrinks"
    world.ask(state="Stopped")
    world.settle()
    world.end()
    assert world.settle() == "Stopped"
    world.ask()
    assert world.settle() == "Pending"
