"""Disks are filled before what runs is ended for them, or with the machine there if storage waits for it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from twinhull.core.decision import decide
from twinhull.core.plan import plan

from .diskworld import (
    BOOT,
    CDI,
    DATA,
    HTTP,
    LATE_PHASES,
    RUNS,
    World,
    at_time,
    conditions_of,
    names,
    running,
    wl,
)
from .objects import KUBEVIRT, NAME, NOW, at, case, conditions


def test_the_disk_is_filled_before_the_machine_is_made() -> None:
    world = World(wl())
    assert world.settle() == "DiskWaiting"
    assert world.kinds == ["DataVolume"]
    world.tell("ImportInProgress", progress="45.32%")
    assert world.settle() == "DiskImporting"
    (disk,) = world.raw["status"]["disks"]
    assert disk == {
        "name": "boot",
        "claim": "web-boot",
        "phase": "ImportInProgress",
        "progress": "45%",
        "attached": False,
    }
    assert "disk boot is filled to 45%" in world.events
    assert world.kinds == ["DataVolume"]
    world.fill()
    assert world.settle() == "Pending"
    assert world.kinds == ["DataVolume", "PersistentVolumeClaim", "VirtualMachine"]
    assert (world.vm["metadata"]["name"], world.vm["spec"]["runStrategy"]) == (NAME, "Always")


def test_a_tenth_is_told_once() -> None:
    world = World(wl())
    world.settle()
    for progress in ("9.9%", "10.1%", "19%", "N/A", "31%", "31.5%"):
        world.tell("ImportInProgress", progress=progress)
        world.settle()
    events = [event for event in world.events if "is filled to" in event]
    assert events == ["disk boot is filled to 10%", "disk boot is filled to 31%"]


def test_a_disk_that_waits_for_its_upload_says_by_which_command() -> None:
    world = World(wl({"bootDisk": {"source": {"upload": {}}, "size": "10Gi"}}))
    world.settle()
    world.tell("UploadReady")
    assert world.settle() == "DiskWaiting"
    expected = (
        "waiting for the upload, of which CDI doesn't say whether it has begun: virtctl image-upload dv "
        f"{NAME}-boot --no-create --image-path=FILE -n shop"
    )
    assert expected in decide(world.case()).message
    later = decide(replace(world.case(), now=NOW + timedelta(days=7)))
    assert (later.reason, later.stalled) == ("DiskWaiting", False), "nothing is overdue"


@pytest.mark.parametrize(
    ("phase", "expected"),
    [
        ("UploadReady", "waiting for the upload"),
        ("ImportInProgress", "ImportInProgress"),
        ("Pending", "PVC web-boot Pending"),
    ],
)
def test_a_claim_that_is_bound_once_it_is_filled_hides_nothing(phase: str, expected: str) -> None:
    """CDI fills the claims of CSI drivers so."""
    world = World(wl())
    world.settle()
    world.tell(phase)
    bound = {"type": "Bound", "status": "False", "reason": "Pending", "message": "PVC web-boot Pending"}
    world.objects["DataVolume", f"{NAME}-boot"]["status"]["conditions"] = [bound]
    world.settle()
    assert decide(world.case()).message.startswith(f"disk boot: {expected}")


@pytest.mark.parametrize("progress", ["", "N/A", "45.32%"])
@pytest.mark.parametrize(
    ("phase", "reason"),
    [
        *((phase, "DiskWaiting") for phase in ("Pending", "PVCBound", "Paused", "Unknown", "UploadReady")),
        *((f"{what}Scheduled", "DiskWaiting") for what in ("Import", "Clone", "Upload")),
        *(
            (f"{what}InProgress", "DiskImporting")
            for what in ("Import", "Clone", "CSIClone", "SnapshotForSmartClone", "PrepClaim", "Rebind")
        ),
    ],
)
def test_a_disk_is_being_filled_by_its_phase_whatever_cdi_knows_of_its_progress(
    phase: str, reason: str, progress: str
) -> None:
    """CDI sets the progress to N/A at once; an import that it can't ask has no other."""
    world = World(wl())
    world.settle()
    world.tell(phase, progress=progress)
    assert world.settle() == reason
    step = decide(world.case())
    assert (step.ready, step.reconciling, step.stalled) == ("False", True, False)


def test_while_one_disk_is_filled_it_is_told_that_another_waits_for_its_upload() -> None:
    world = World(wl({"disks": [DATA | {"source": {"upload": {}}}]}))
    world.settle()
    world.tell("ImportInProgress", progress="45.32%")
    volume = world.objects["DataVolume", f"{NAME}-data"]
    world.objects["DataVolume", f"{NAME}-data"] = volume | {"status": {"phase": "UploadReady"}}
    assert world.settle() == "DiskImporting"
    message = decide(world.case()).message
    assert message.startswith("disk boot (45%): ImportInProgress; disk data: waiting for the upload")


def test_a_machine_that_is_made_before_its_disk_is_filled_has_its_time_once_that_is_filled() -> None:
    """Storage that waits for a consumer."""
    world = World(wl())
    world.settle()
    world.tell("PendingPopulation")
    assert world.settle() == "Pending"
    assert "VirtualMachine" in world.kinds
    world.tell("ImportInProgress")
    filling = decide(at_time(world, 90_000))
    assert (filling.reason, filling.stalled) == ("DiskImporting", False)
    world.fill()
    ready = {"type": "Ready", "status": "True", "lastTransitionTime": at(90_000)}
    world.objects["DataVolume", f"{NAME}-boot"]["status"]["conditions"] = [ready]
    starting = decide(at_time(world, 90_599))
    assert (starting.reason, starting.stalled) == ("Pending", False)
    assert starting.requeue_after == timedelta(seconds=1)
    overdue = decide(at_time(world, 90_600))
    assert (overdue.reason, overdue.stalled) == ("ProgressDeadlineExceeded", True)
    ready["status"] = "False"
    assert decide(at_time(world, 90_599)).stalled


@pytest.mark.parametrize(
    ("phase", "reason"), [("UploadReady", "DiskWaiting"), ("ImportInProgress", "DiskImporting")]
)
def test_disks_that_are_filled_again_with_a_lost_machine_are_not_overdue(phase: str, reason: str) -> None:
    world = World(wl())
    loss = {"revision": world.case().revision, "losses": 1, "since": at(0), "lostAt": at(0), "retryAt": at(0)}
    world.raw = world.raw | {"status": {"observedGeneration": 1, "backOff": {**loss, "hull": "old"}}}
    world.settle()
    world.tell(phase)
    assert world.settle() == reason
    step = decide(at_time(world, 90_000))
    assert (step.reason, step.stalled) == (reason, False)
    world.fill()
    ready = {"type": "Ready", "status": "True", "lastTransitionTime": at(90_000)}
    world.objects["DataVolume", f"{NAME}-boot"]["status"]["conditions"] = [ready]
    world.settle()
    world.vm["metadata"]["creationTimestamp"] = at(90_001)
    assert not decide(at_time(world, 90_599)).stalled
    assert decide(at_time(world, 90_601)).reason == "ProgressDeadlineExceeded"


def test_a_pod_runs_on_while_the_disk_is_filled() -> None:
    world = World(wl(template=True, isolationPolicy="Container"))
    world.settle()
    assert world.kinds == ["Pod"]
    world.ask(template=True)
    assert world.settle() == "DiskWaiting"
    assert world.kinds == ["DataVolume", "Pod"]
    world.fill()
    world.settle()
    assert world.kinds == ["DataVolume", "PersistentVolumeClaim", "VirtualMachine"]


def test_a_new_disk_is_filled_while_the_machine_runs() -> None:
    world = running()
    world.ask({"disks": [DATA]})
    assert world.settle() == "DiskWaiting"
    assert world.vm["spec"]["runStrategy"] == "Always"
    world.fill("data", size="1Gi")
    assert world.settle() == "Replacing"
    world.end()
    world.settle()
    names = [volume["name"] for volume in world.vm["spec"]["template"]["spec"]["volumes"]]
    assert names == ["boot", "data"]


def test_on_restart_a_machine_is_ready_while_a_disk_for_its_next_start_is_filled() -> None:
    strategy = {"strategy": "OnRestart"}
    world = running(replacement=strategy)
    world.ask({"disks": [DATA]}, replacement=strategy)
    assert world.settle() == "DiskWaiting"
    assert conditions_of(world) == ("True", "True", "False")
    assert decide(world.case()).message.endswith(RUNS)
    assert world.attached == [True, False]
    world.fill("data", size="1Gi")
    assert world.settle() == "RestartRequired"
    assert conditions_of(world) == ("True", "False", "False")
    world.objects["VirtualMachineInstance", NAME]["status"] = {"phase": "Running", "conditions": []}
    world.objects["VirtualMachine", NAME] = world.vm | {"status": {"created": True}}
    world.ask({"disks": [DATA | {"name": "other"}]}, replacement=strategy)
    assert world.settle() == "DiskWaiting"
    assert conditions_of(world)[0] == "False", "it isn't ready"


def test_what_cdi_says_of_the_usual_course_alarms_nobody() -> None:
    world = World(wl())
    world.settle()
    world.tell("ImportInProgress", restarts=1, message="scratch space required and none found")
    assert world.settle() == "DiskImporting"
    assert "disk boot: the importer starts again with scratch space" in decide(world.case()).message
    world.tell("ImportInProgress", restarts=1, message="Import Complete")
    assert world.settle() == "DiskImporting"
    assert decide(world.case()).message == "disk boot: ImportInProgress"


def test_a_disk_that_waits_for_its_machine_keeps_nobody_waiting() -> None:
    world = World(wl())
    world.settle()
    world.tell("WaitForFirstConsumer")
    assert world.settle() == "Pending"
    assert "VirtualMachine" in world.kinds


@pytest.mark.parametrize(
    ("phase", "reason"),
    [
        (None, "CDIMissing"),
        ("Deploying", "CDIDeploying"),
        ("Upgrading", "CDIDeploying"),
        ("Error", "CDINotReady"),
    ],
)
def test_without_cdi_nothing_is_made(phase: str | None, reason: str) -> None:
    cdi = [CDI | {"status": {"phase": phase}}] if phase else []
    found = case(wl(), KUBEVIRT, *cdi)
    assert (decide(found).reason, plan(found).actions) == (reason, ())
    lone = wl({"bootDisk": {"source": {"containerDisk": {"image": "disk:1"}}}})
    assert [action.key for action in plan(case(lone, KUBEVIRT)).actions] == ["VirtualMachine/web"]


@pytest.mark.parametrize("phase", [None, "Upgrading", "Error", "Deleting"])
@pytest.mark.parametrize("is_lone", [False, True])
def test_a_machine_with_filled_disks_starts_without_cdi(phase: str | None, *, is_lone: bool) -> None:
    """Its StorageClass may be gone by then, too."""
    slow = {"bootDisk": BOOT | {"storageClassName": "slow"}}
    world = World(wl(slow))
    world.objects["StorageClass", "slow"] = {"kind": "StorageClass", "metadata": {"name": "slow"}}
    world.settle()
    world.fill()
    world.settle()
    world.boot()
    assert world.settle() == "Ready"
    world.ask(slow, state="Stopped")
    world.settle()
    world.end()
    assert world.settle() == "Stopped"
    del world.objects["StorageClass", "slow"]
    if is_lone:
        del world.objects["DataVolume", "web-boot"]
    world.ask(slow)
    cdi = [CDI | {"status": {"phase": phase}}] if phase else []
    found = case(world.raw, KUBEVIRT, *cdi, *world.objects.values())
    step = decide(found)
    assert (step.reason, step.message) == ("Creating", "switching VirtualMachine web on")
    world.ask(slow | {"disks": [DATA | {"storageClassName": "slow"}]})
    step = decide(case(world.raw, KUBEVIRT, *cdi, *world.objects.values()))
    assert {lack.reason for lack in step.lacks} >= {"StorageClassMissing"}
    assert (step.ready, len(step.lacks)) == ("False", 2)


def test_an_upgrade_of_cdi_passes_by_itself() -> None:
    step = decide(case(wl(), KUBEVIRT, CDI | {"status": {"phase": "Upgrading"}}))
    assert (step.reconciling, step.stalled, step.message) == (True, False, "waiting for CDI to be upgraded")


@pytest.mark.parametrize("way", ["Recreate", "OnRestart"])
@pytest.mark.parametrize("phase", LATE_PHASES)
def test_a_machine_isnt_ended_for_a_disk_that_is_only_filled_once_it_is_gone(phase: str, way: str) -> None:
    """Storage that waits for a consumer: the import may take hours, or fail."""
    kept: Any = {"replacement": {"strategy": way}}
    world = running(**kept)
    world.ask({"disks": [DATA | {"source": HTTP}]}, **kept)
    assert world.settle() == "DiskWaiting"
    world.tell(phase, disk="data")
    assert world.settle() == "DiskWaiting"
    assert (world.vm["spec"]["runStrategy"], names(world)[0]) == ("Always", ["boot"])
    held = decide(world.case())
    message = held.message
    assert (held.stalled, held.reconciling) == (True, False), "somebody has to choose"
    bind = "kubectl annotate pvc web-data cdi.kubevirt.io/storage.bind.immediate.requested=true -n shop"
    assert f"run {bind}" in message
    assert "run twinhull stop web -n shop, and then twinhull start web -n shop" in message
    assert message.endswith("VirtualMachine web keeps running")
    world.tell("ImportInProgress", disk="data")  # it was annotated
    assert world.settle() == "DiskImporting"
    world.fill("data")
    assert world.settle() == ("Replacing" if way == "Recreate" else "RestartRequired")


@pytest.mark.parametrize("way", ["Recreate", "OnRestart"])
@pytest.mark.parametrize("instance", ["none", "starting"])
def test_a_machine_between_two_instances_isnt_ended_for_such_a_disk(instance: str, way: str) -> None:
    """As in a drain: it is about to run again, as it was."""
    kept: Any = {"replacement": {"strategy": way}}
    world = running(**kept)
    world.ask({"disks": [DATA | {"source": HTTP}]}, **kept)
    world.settle()
    world.tell("WaitForFirstConsumer", disk="data")
    world.settle()
    if instance == "none":
        del world.objects["VirtualMachineInstance", NAME]
    else:
        world.objects["VirtualMachineInstance", NAME]["status"] = {"phase": "Scheduling"}
    assert world.settle() == "DiskWaiting"
    assert (world.vm["spec"]["runStrategy"], names(world)[0]) == ("Always", ["boot"])


def test_a_machine_that_waits_for_its_own_disk_is_changed() -> None:
    """It has never run, so nobody misses it."""
    world = World(wl(bootDisk=BOOT | {"source": HTTP}))
    world.settle()
    world.tell("WaitForFirstConsumer")
    assert world.settle() == "Pending"
    world.ask({"bootDisk": BOOT | {"source": HTTP}, "memory": "8Gi"})
    assert world.settle() == "Replacing"
    world.end()
    world.settle()
    assert world.vm["spec"]["template"]["spec"]["domain"]["memory"]["guest"] == "8Gi"


def test_containers_arent_ended_for_a_disk_that_is_only_filled_once_they_are_gone() -> None:
    world = World(wl(template=True, isolationPolicy="Container"))
    world.settle()
    ((kind, name),) = [key for key in world.objects if key[0] == "Pod"]
    world.ask(template=True)
    world.settle()
    world.tell("WaitForFirstConsumer")
    assert world.settle() == "Pending", "it has never run"
    world = World(wl(template=True, isolationPolicy="Container"))
    world.settle()
    world.objects[kind, name]["status"] = {"phase": "Running", "conditions": conditions("True")}
    assert world.settle() == "Ready"
    world.ask(template=True)
    world.settle()
    world.tell("WaitForFirstConsumer")
    assert world.settle() == "DiskWaiting"
    assert world.deleted == []
    assert decide(world.case()).message.endswith(f"Pod {name} keeps running")


@pytest.mark.parametrize("phase", LATE_PHASES)
def test_an_empty_disk_is_given_to_the_machine_whatever_its_storage_waits_for(phase: str) -> None:
    world = running()
    world.ask({"disks": [DATA]})
    world.settle()
    world.tell(phase, disk="data")
    assert world.settle() == "Replacing"


def test_a_machine_is_stopped_while_its_disk_is_filled() -> None:
    world = World(wl())
    world.settle()
    world.tell("PendingPopulation")
    world.settle()
    world.tell("ImportInProgress", progress="10%")
    world.say_without_instance()
    assert world.settle() == "DiskImporting"
    world.ask(state="Stopped")
    assert world.settle() == "Stopping"
    world.end()
    assert world.vm["status"]["printableStatus"] == "Provisioning"
    assert world.settle() == "Stopped"
