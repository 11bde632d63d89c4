"""Whose a disk is, what becomes of it when its Workload goes, and which disks the status lists."""

from __future__ import annotations

from datetime import timedelta

import pytest

from twinhull.api.base import Raw
from twinhull.core.actions import Change
from twinhull.core.decision import decide
from twinhull.core.plan import plan
from twinhull.hulls.hull import DISK_LABEL

from .diskworld import BOOT, BUILT, DATA, LATE_PHASES, World, running, wl
from .objects import NAME, UID, at, workload


def test_it_is_nobodys_unless_it_is_to_be_deleted_with_its_workload() -> None:
    world = running()
    assert "ownerReferences" not in world.objects["DataVolume", "web-boot"]["metadata"]
    world.ask({"bootDisk": BOOT | {"reclaim": "Delete"}})
    assert world.settle() == "Ready"
    (owner,) = world.objects["DataVolume", "web-boot"]["metadata"]["ownerReferences"]
    assert owner["uid"] == UID
    world.ask()
    assert world.settle() == "Ready"
    assert not world.objects["DataVolume", "web-boot"]["metadata"].get("ownerReferences")
    assert world.deleted == []


def test_a_disk_that_is_to_stay_now_stays_though_its_workload_is_being_deleted() -> None:
    """With another's finalizer, or deleted in the foreground, the Workload is there for a while."""
    deleted = {"deletionTimestamp": at(899), "finalizers": ["a.example/b"]}
    world = running({"bootDisk": BOOT | {"reclaim": "Delete"}, "disks": [DATA | {"reclaim": "Delete"}]})
    world.raw["metadata"] |= deleted
    assert plan(world.case()).actions == ()
    world.ask({"bootDisk": BOOT, "disks": [DATA | {"reclaim": "Delete"}]})
    world.settle()
    owned = {
        name: bool(obj["metadata"].get("ownerReferences"))
        for (kind, name), obj in world.objects.items()
        if kind == "DataVolume"
    }
    assert owned == {"web-boot": False, "web-data": True}
    assert world.events[-1] == "DataVolume web-boot stays: the reclaim of the disk boot is Retain now"
    world.ask({"bootDisk": BOOT | {"reclaim": "Delete"}, "disks": [DATA | {"reclaim": "Delete"}]})
    world.settle()
    assert "ownerReferences" not in world.objects["DataVolume", "web-boot"]["metadata"], "it is let go once"
    assert world.deleted == []


def test_of_a_disk_that_is_being_deleted_with_its_workload_nothing_is_written() -> None:
    world = running({"bootDisk": BOOT | {"reclaim": "Delete"}})
    world.raw["metadata"] |= {"deletionTimestamp": at(899), "finalizers": ["foregroundDeletion"]}
    world.objects["DataVolume", "web-boot"]["metadata"]["deletionTimestamp"] = at(899)
    world.ask()
    assert plan(world.case()).actions == ()


def test_a_disk_that_the_spec_no_longer_names_is_listed_while_a_machine_has_it() -> None:
    strategy = {"strategy": "OnRestart"}
    world = running({"disks": [DATA]}, replacement=strategy)
    world.ask(replacement=strategy)
    assert world.settle() == "RestartRequired"
    assert [disk["name"] for disk in world.raw["status"]["disks"]] == ["boot", "data"]
    assert world.attached == [True, True]
    del world.objects["VirtualMachineInstance", NAME]  # it restarts
    world.boot()
    assert world.settle() == "Ready"
    assert [disk["name"] for disk in world.raw["status"]["disks"]] == ["boot"]


def test_of_two_claims_that_are_one_disk_in_turn_both_are_listed() -> None:
    def claim(name: str) -> Raw:
        about = {"name": name, "uid": f"u-{name}", "resourceVersion": "7"}
        return {"kind": "PersistentVolumeClaim", "metadata": about, "spec": {}}

    objects = {("PersistentVolumeClaim", name): claim(name) for name in ("a", "b")}
    world = World(wl({"bootDisk": {"source": {"claim": {"name": "a"}}}}), objects)
    assert world.settle() == "Pending"
    world.boot()
    assert world.settle() == "Ready"
    world.ask({"bootDisk": {"source": {"claim": {"name": "b"}}}})
    assert world.settle() == "Replacing"
    listed = [(disk["name"], disk["claim"], disk["attached"]) for disk in world.raw["status"]["disks"]]
    assert listed == [("boot", "b", False), ("a", "a", True)]


def test_a_retained_disk_is_taken_up_again() -> None:
    former = running()
    kept = {key: obj for key, obj in former.objects.items() if key[1] == "web-boot"}
    raw = wl()
    raw["metadata"]["uid"] = "another"
    world = World(raw, kept)
    assert world.settle() == "Pending"
    assert "took up the disk boot again: DataVolume web-boot was there" in world.events
    assert [event for event in world.events if event.startswith("created DataVolume")] == []
    assert world.deleted == []


OWNED: Raw = {"bootDisk": BOOT | {"reclaim": "Delete"}}


def made_again(former: World, machine: Raw | None = None) -> World:
    """A Workload of the name of one that was deleted, while the disk of the former one is still there."""
    raw = wl(machine)
    raw["metadata"]["uid"] = "another"
    return World(raw, {key: obj for key, obj in former.objects.items() if key[1] == "web-boot"})


@pytest.mark.parametrize("machine", [OWNED, BUILT])
@pytest.mark.parametrize("phase", ["Succeeded", "WaitForFirstConsumer", "ImportInProgress", "Failed"])
def test_a_disk_that_goes_with_a_former_workload_is_not_taken_up(machine: Raw, phase: str) -> None:
    """Whatever the present one wants of its disk: the former one asked for the deletion."""
    world = made_again(running(OWNED), machine)
    world.tell(phase)
    former = world.objects["DataVolume", "web-boot"]
    assert world.settle() == "DiskWaiting"
    assert world.objects["DataVolume", "web-boot"] == former
    assert world.kinds == ["DataVolume", "PersistentVolumeClaim"]
    assert "belongs to a former Workload of this name" in world.raw["status"]["disks"][0]["message"]
    world.objects.clear()  # the garbage collector comes by
    assert world.settle() == "DiskWaiting"
    assert "created DataVolume web-boot for the disk boot" in world.events
    (owner,) = world.objects["DataVolume", "web-boot"]["metadata"].get("ownerReferences") or [None]
    assert (owner and owner["uid"]) == ("another" if machine is OWNED else None)
    world.fill()
    assert world.settle() == "Pending"
    assert (world.deleted, [event for event in world.events if "took up" in event]) == ([], [])


def test_a_former_disk_stays_if_somebody_takes_its_owner_from_it() -> None:
    """Or nobody owned it: the former Workload was deleted with --cascade=orphan, or a backup restored it."""
    world = made_again(running(OWNED), OWNED)
    assert world.settle() == "DiskWaiting"
    del world.objects["DataVolume", "web-boot"]["metadata"]["ownerReferences"]
    assert world.settle() == "Pending"
    assert "took up the disk boot again: DataVolume web-boot was there" in world.events
    (owner,) = world.objects["DataVolume", "web-boot"]["metadata"]["ownerReferences"]
    assert owner["uid"] == "another"


def test_the_owner_of_a_disk_that_was_taken_up_is_put_back() -> None:
    world = running(OWNED)
    (owner,) = world.objects["DataVolume", "web-boot"]["metadata"]["ownerReferences"]
    world.objects["DataVolume", "web-boot"]["metadata"]["ownerReferences"] = [owner | {"uid": "another"}]
    assert world.settle() == "Ready"
    assert world.objects["DataVolume", "web-boot"]["metadata"]["ownerReferences"] == [owner]


@pytest.mark.parametrize("phase", LATE_PHASES)
def test_no_machine_is_made_for_a_disk_that_is_being_deleted(phase: str) -> None:
    world = World(wl())
    world.settle()
    world.tell(phase)
    world.objects["DataVolume", "web-boot"]["metadata"]["deletionTimestamp"] = at(899)
    assert world.settle() == "DiskWaiting"
    assert world.kinds == ["DataVolume"]


def test_a_claim_without_a_data_volume_is_used_as_it_is() -> None:
    former = running()
    claim = former.objects["PersistentVolumeClaim", "web-boot"]
    world = World(wl(), {("PersistentVolumeClaim", "web-boot"): claim})
    assert world.settle() == "Pending"
    (volume,) = world.vm["spec"]["template"]["spec"]["volumes"]
    assert volume == {"name": "boot", "persistentVolumeClaim": {"claimName": "web-boot"}}
    assert "DataVolume" not in world.kinds


@pytest.mark.parametrize("label", [{}, {DISK_LABEL: "other"}], ids=["nobody's", "another's"])
def test_somebody_elses_claim_is_not_used(label: Raw) -> None:
    claim = {"kind": "PersistentVolumeClaim", "metadata": {"name": "web-boot", "labels": label}, "spec": {}}
    world = World(wl(), {("PersistentVolumeClaim", "web-boot"): claim})
    assert world.settle() == "DiskConflict"
    assert world.kinds == ["PersistentVolumeClaim"]


def test_a_claim_is_named_as_a_source() -> None:
    world = World(wl({"bootDisk": {"source": {"claim": {"name": "forklift-1"}}}}))
    assert world.settle() == "ClaimMissing"
    about = {"name": "forklift-1", "uid": "u", "resourceVersion": "7"}
    claim: Raw = {"kind": "PersistentVolumeClaim", "metadata": about, "spec": {}}
    world.objects["PersistentVolumeClaim", "forklift-1"] = claim
    (hold,) = plan(world.case()).actions
    assert isinstance(hold, Change)
    assert (hold.name, hold.version) == ("forklift-1", "7"), "only one of two can mark it"
    assert world.settle() == "Pending"
    labels = world.objects["PersistentVolumeClaim", "forklift-1"]["metadata"]["labels"]
    assert labels == {DISK_LABEL: NAME}
    (volume,) = world.vm["spec"]["template"]["spec"]["volumes"]
    assert volume["persistentVolumeClaim"] == {"claimName": "forklift-1"}
    claim["metadata"]["labels"] = {DISK_LABEL: "other"}
    world = World(wl({"bootDisk": {"source": {"claim": {"name": "forklift-1"}}}}), {("x", "y"): claim})
    assert world.settle() == "DiskConflict"


def test_a_claim_that_another_workloads_template_mounts_is_not_booted() -> None:
    world = World(wl({"bootDisk": {"source": {"claim": {"name": "plan-1"}}}}))
    about = {"name": "plan-1", "uid": "u", "resourceVersion": "7"}
    world.objects["PersistentVolumeClaim", "plan-1"] = {
        "kind": "PersistentVolumeClaim",
        "metadata": about,
        "spec": {},
    }
    volumes = [{"name": "data", "persistentVolumeClaim": {"claimName": "plan-1"}}]
    other = workload({}, pod={"containers": [{"name": "a", "image": "b"}], "volumes": volumes})
    other["metadata"] = {**other["metadata"], "name": "files", "uid": "uid-files"}
    world.objects["Workload", "files"] = other
    assert world.settle() == "DiskConflict"
    assert "Workload files mounts" in decide(world.case()).message
    assert decide(world.case()).requeue_after == timedelta(minutes=1)
    assert "labels" not in world.objects["PersistentVolumeClaim", "plan-1"]["metadata"]
    del world.objects["Workload", "files"]
    assert world.settle() == "Pending"


def test_the_mark_of_a_disks_claim_is_put_back_and_anothers_is_told() -> None:
    world = running()
    claim = world.objects["PersistentVolumeClaim", "web-boot"]
    claim["metadata"]["labels"] = {}
    assert world.settle() == "Ready"
    assert world.objects["PersistentVolumeClaim", "web-boot"]["metadata"]["labels"] == {DISK_LABEL: NAME}
    world.objects["PersistentVolumeClaim", "web-boot"]["metadata"]["labels"] = {DISK_LABEL: "other"}
    assert world.settle() == "DiskConflict"
    assert decide(world.case()).ready == "True"


@pytest.mark.parametrize("kind", ["DataVolume", "PersistentVolumeClaim"])
def test_a_disk_that_is_being_deleted_is_not_booted(kind: str) -> None:
    world = running()
    world.ask(state="Stopped")
    world.settle()
    world.end()
    assert world.settle() == "Stopped"
    world.objects[kind, "web-boot"]["metadata"]["deletionTimestamp"] = at(899)
    world.ask()
    assert world.settle() == "DiskWaiting"
    assert world.vm["spec"]["runStrategy"] == "Halted"
    assert "being deleted" in world.raw["status"]["disks"][0]["message"]


def test_a_disk_is_attached_while_a_machine_has_it() -> None:
    world = running(template=True, replacement={"strategy": "OnRestart"})
    world.ask({"memory": "8Gi"}, template=True, replacement={"strategy": "OnRestart"})
    assert world.settle() == "RestartRequired"
    assert world.attached == [True]
    world.ask(template=True, isolationPolicy="Container")
    assert world.settle() == "Replacing"
    assert world.attached == [True]
