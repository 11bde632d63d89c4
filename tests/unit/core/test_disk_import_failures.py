"""How it is told that an import fails, or may have only a part of the disk, and what then can be done."""

from __future__ import annotations

import pytest

from twinhull.core.decision import decide
from twinhull.core.plan import plan

from .diskworld import BOOT, DATA, HTTP, LATE_PHASES, World, names, running, wl


def test_what_an_importer_waits_for_that_doesnt_start() -> None:
    """CDI says nothing of a ConfigMap that isn't there."""
    world = World(wl())
    world.settle()
    world.tell("ImportScheduled")
    assert world.settle() == "DiskWaiting"
    step = decide(world.case())
    assert "see its Events (kubectl get events -n shop)" in step.message
    assert "the ConfigMap of certConfigMap" in step.message
    assert not step.stalled, "it may only take time"


NOT_FOUND = "Unable to connect to http data source: expected status code 200, got 404. Status: 404 Not Found"


def statuses(world: World) -> int:
    """How many different statuses the present pass makes: one, or none if nothing is new."""
    found = plan(world.case()).status
    if found is not None:
        world.raw = world.raw | {"status": found.raw()}
        world.events += [event.message for event in plan(world.case()).events]
    return int(found is not None)


def attempt(world: World, number: int, message: str, progress: str = "N/A") -> int:
    """CDI runs its importer once more, which fails; how many statuses are written for that."""
    world.tell("ImportInProgress", progress=progress, restarts=number, status="True", message="")
    written = statuses(world)
    assert decide(world.case()).stalled or number < 1, "it stays told while CDI tries again"
    world.tell("ImportInProgress", progress=progress, restarts=number, message=message)
    return written + statuses(world)


@pytest.mark.parametrize("progress", ["N/A", "48.3%"])
def test_a_failure_stays_told_while_cdi_tries_again_and_again(progress: str) -> None:
    world = World(wl())
    world.settle()
    world.tell("ImportInProgress", progress=progress, message=NOT_FOUND)
    world.settle()
    written = [attempt(world, number, NOT_FOUND, progress) for number in range(1, 17)]
    assert sum(written) <= 5, written  # when 2, 4, 8 and 16 attempts were made
    assert sum(written[8:14]) == 0
    step = decide(world.case())
    assert (step.reason, step.stalled) == ("DiskFailed", True)
    assert step.message.endswith("correct source.url (CDI has tried at least 16 times)")
    assert world.raw["status"]["disks"][0]["failure"] == {
        "message": NOT_FOUND,
        "attempts": 16,
        "progress": progress,
        "dataVolume": "uid-DataVolume/web-boot",
    }
    events = [event for event in world.events if "is filled to" in event]
    assert events == ([] if progress == "N/A" else ["disk boot is filled to 48%"])


def test_a_failure_is_forgotten_once_the_import_gets_further() -> None:
    world = World(wl())
    world.settle()
    world.tell("ImportInProgress", progress="48.3%", restarts=1, message="unexpected EOF")
    world.settle()
    world.tell("ImportInProgress", progress="12%", restarts=2, message=NOT_FOUND)
    world.settle()
    runs = {"status": "True", "message": ""}
    world.tell("ImportInProgress", progress="47%", restarts=3, **runs)
    assert world.settle() == "DiskFailed"
    assert world.raw["status"]["disks"][0]["progress"] == "48%", "of the best attempt"
    world.tell("ImportInProgress", progress="49%", restarts=3, **runs)
    assert world.settle() == "DiskImporting"
    assert "failure" not in world.raw["status"]["disks"][0]
    assert not decide(world.case()).stalled


def from_file(name: str) -> World:
    source = {"http": {"url": f"https://images.example/{name}"}}
    return World(wl({"bootDisk": BOOT | {"source": source}}))


DESCRIBES = "a VMDK of some hundred bytes only describes a disk"


@pytest.mark.parametrize(
    ("name", "sentence", "hint"),
    [
        ("web.vmdk", "could not process image header", DESCRIBES),
        ("web.vmdk.gz", "could not process image header", DESCRIBES),
        ("web.vmdk", NOT_FOUND, ""),
        ("web.vmdk", "Could not open '/data/web-flat.vmdk'", ""),
        ("web.vhd", "DataVolume too small to contain image", "CDI takes a VHD of a fixed size"),
        ("web.vhd", "unexpected EOF", ""),
    ],
)
def test_what_a_files_name_may_mean_is_told_once_an_import_failed_at_the_file(
    name: str, sentence: str, hint: str
) -> None:
    world = from_file(name)
    world.settle()
    world.tell("ImportInProgress", progress="10%")
    world.settle()
    assert "message" not in world.raw["status"]["disks"][0], "nothing is wrong"
    world.tell("ImportInProgress", progress="10%", restarts=3, message=sentence)
    world.settle()
    message = world.raw["status"]["disks"][0]["message"]
    assert message.startswith(sentence)
    assert (DESCRIBES in message or "CDI takes a VHD" in message) == bool(hint)
    assert hint in message


def test_while_nothing_is_to_be_made_a_disk_has_no_message() -> None:
    world = World(wl(isolationPolicy="Container"))
    assert world.settle() == "TemplateMissing"
    assert "message" not in world.raw["status"]["disks"][0]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("web-s001.vmdk", "one of several parts of a split VMDK"),
        ("web-f002.vmdk.xz", "one of several parts of a split VMDK"),
        ("WEB-000001.vmdk?key=1", "what was written after a snapshot"),
        ("web-000002-delta.vmdk", "what was written after a snapshot"),
        ("web-000001-sesparse.vmdk", "what was written after a snapshot"),
        ("web_6A1C.avhdx", "what was written after a snapshot"),
        ("web.avhd", "what was written after a snapshot"),
        ("web-2024001.vmdk", ""),
        ("web-flat.vmdk", ""),
        ("web.vhdx", ""),
    ],
)
def test_a_file_that_may_have_only_a_part_of_the_disk_is_warned_of_before_and_after(
    name: str, expected: str
) -> None:
    world = from_file(name)
    world.settle()
    world.tell("ImportInProgress", progress="10%")
    assert world.settle() == "DiskImporting", "a name proves nothing"
    assert expected in decide(world.case()).message
    world.fill()
    assert world.settle() == "Pending"
    assert expected in world.raw["status"]["disks"][0].get("message", "")
    assert ("message" in world.raw["status"]["disks"][0]) == bool(expected)


def test_another_failure_takes_the_place_of_the_last_one() -> None:
    world = World(wl())
    world.settle()
    for number in range(3):
        attempt(world, number, NOT_FOUND)
    world.tell("ImportInProgress", restarts=3, message="unexpected EOF")
    assert world.settle() == "DiskImporting", "that may pass"
    world.tell("ImportInProgress", restarts=3, status="True", message="")
    assert world.settle() == "DiskImporting"
    assert "the connection broke off" in decide(world.case()).message, "and is told while CDI tries again"


def test_a_disk_that_is_made_anew_has_no_former_failure() -> None:
    world = World(wl())
    world.settle()
    for number in range(3):
        attempt(world, number, NOT_FOUND)
    world.objects["DataVolume", "web-boot"]["metadata"]["uid"] = "another"
    world.tell("ImportInProgress", restarts=5, status="True", message="")
    assert world.settle() == "DiskImporting"


def test_what_may_pass_by_itself_is_no_failure() -> None:
    world = World(wl())
    world.settle()
    world.tell("ImportScheduled", restarts=5, message="Importer pod cannot be scheduled")
    assert world.settle() == "DiskWaiting"
    assert not decide(world.case()).stalled
    assert "see the Events of the importer Pod" in decide(world.case()).message


def test_an_importer_that_waits_for_vmwares_library_says_so() -> None:
    vddk = {
        "url": "https://vcenter.example",
        "uuid": "u",
        "backingFile": "[a] web.vmdk",
        "thumbprint": "20:6C",
    }
    source = {"vddk": {**vddk, "secretRef": "vcenter"}}
    world = World(wl({"bootDisk": BOOT | {"source": source}}))
    world.settle()
    world.tell("ImportScheduled")
    world.settle()
    assert "source.vddk.initImageURL" in decide(world.case()).message


@pytest.mark.parametrize("phase", LATE_PHASES)
def test_a_disk_whose_import_failed_is_taken_out_of_the_machine_again(phase: str) -> None:
    """The machine goes back to what it was, though KubeVirt never calls it Stopped meanwhile."""
    world = running()
    world.ask({"disks": [DATA | {"source": HTTP}]})
    assert world.settle() == "DiskWaiting"
    world.tell(phase, disk="data")
    assert world.settle() == "DiskWaiting"
    world.ask({"disks": [DATA | {"source": HTTP}]}, state="Stopped")
    world.settle()
    world.end()
    assert world.settle() == "Stopped"
    world.ask({"disks": [DATA | {"source": HTTP}]})
    world.settle()
    assert names(world)[0] == ["boot", "data"]
    world.tell("ImportInProgress", disk="data", restarts=3, message=NOT_FOUND)
    world.say_without_instance()
    assert world.settle() == "DiskFailed"
    world.ask()
    assert world.settle() == "Replacing"
    world.end()
    assert world.vm["status"]["printableStatus"] == "DataVolumeError"
    world.settle()
    assert (world.vm["spec"]["runStrategy"], names(world)[0]) == ("Always", ["boot"])
    world.boot()
    assert world.settle() == "Ready"
    assert "VirtualMachine/web" not in world.deleted


@pytest.mark.parametrize("phase", LATE_PHASES)
def test_a_machine_whose_import_failed_is_stopped_and_started_with_another_source(phase: str) -> None:
    world = World(wl())
    world.settle()
    world.tell(phase)
    assert world.settle() == "Pending"
    world.tell("ImportInProgress", restarts=3, message=NOT_FOUND)
    world.say_without_instance()
    assert world.settle() == "DiskFailed"
    world.ask(state="Stopped")
    assert world.settle() == "Stopping"
    world.end()
    assert world.vm["status"]["printableStatus"] == "DataVolumeError"
    assert world.settle() == "Stopped"
    source = {"http": {"url": "https://images.example/right.qcow2"}}
    world.ask({"bootDisk": BOOT | {"source": source}})
    assert world.settle() == "DiskWaiting"
    assert world.deleted == ["DataVolume/web-boot"]
    assert world.objects["DataVolume", "web-boot"]["spec"]["source"] == source
    world.tell(phase)
    world.settle()
    assert world.vm["spec"]["runStrategy"] == "Always"
    world.fill()
    world.boot()
    assert world.settle() == "Ready"
