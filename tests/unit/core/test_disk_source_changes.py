"""A disk that is filled is never filled again; one that isn't is made anew by another source or claim."""

from __future__ import annotations

import pytest

from twinhull.api.base import Raw
from twinhull.core.actions import Delete
from twinhull.core.decision import decide
from twinhull.core.plan import plan
from twinhull.hulls.disknotes import POD_PHASE_ANNOTATION

from .diskworld import BOOT, CDI, DATA, HTTP, World, running, wl
from .objects import KUBEVIRT, at, case


def test_a_filled_disk_is_never_filled_again() -> None:
    world = running()
    world.ask({"bootDisk": BOOT | {"source": {"http": {"url": "https://images.example/other.vmdk"}}}})
    assert world.settle() == "DiskSourceChanged"
    step = decide(world.case())
    assert (step.ready, step.stalled) == ("True", True), "what runs runs on"
    assert "spec.virtualMachine.bootDisk.source" in step.message
    assert world.deleted == []
    world.ask({"bootDisk": BOOT | {"name": "second", "source": {"blank": {}}}})
    assert world.settle() == "DiskWaiting"
    assert ("DataVolume", "web-second") in world.objects
    assert ("DataVolume", "web-boot") in world.objects


VDDK: Raw = {
    "url": "https://vcenter.example",
    "uuid": "4234ea54-9b4b-b8ba-3de0-8612d8600648",
    "backingFile": "[datastore1] web/web.vmdk",
    "thumbprint": "20:6C",
    "secretRef": "vcenter",
}
SUM, OTHER_SUM = f"sha256:{'a' * 64}", f"sha256:{'b' * 64}"


@pytest.mark.parametrize(
    ("kind", "former", "present"),
    [
        ("http", HTTP["http"], HTTP["http"] | {"secretRef": "new", "certConfigMap": "new"}),
        ("http", HTTP["http"] | {"secretExtraHeaders": ["token"]}, HTTP["http"]),
        ("http", HTTP["http"], HTTP["http"] | {"checksum": SUM}),
        ("http", HTTP["http"] | {"checksum": SUM}, HTTP["http"]),
        ("http", HTTP["http"] | {"checksum": SUM}, HTTP["http"] | {"checksum": f"sha256:{'A' * 64}"}),
        ("http", HTTP["http"] | {"checksum": SUM}, HTTP["http"] | {"checksum": f"md5:{'c' * 32}"}),
        (
            "vddk",
            VDDK,
            VDDK | {"secretRef": "new", "thumbprint": "30:7D", "initImageURL": "r.example/vddk:9"},
        ),
        (
            "registry",
            {"url": "docker://r.example/web:1"},
            {"url": "docker://r.example/web:1", "pullMethod": "pod"},
        ),
    ],
)
def test_how_a_disk_that_is_filled_was_got_at_keeps_no_machine_from_starting(
    kind: str, former: Raw, present: Raw
) -> None:
    """Nothing is imported again, and a Secret may have another name by then."""
    world = running({"bootDisk": BOOT | {"source": {kind: former}}})
    now = {"bootDisk": BOOT | {"source": {kind: present}}}
    world.ask(now)
    assert world.settle() == "Ready"
    world.ask(now, state="Stopped")
    world.settle()
    world.end()
    assert world.settle() == "Stopped"
    world.ask(now)
    assert world.settle() == "Pending"
    assert world.vm["spec"]["runStrategy"] == "Always"
    assert world.deleted == []


@pytest.mark.parametrize(
    ("kind", "former", "present"),
    [
        ("http", HTTP["http"] | {"checksum": SUM}, HTTP["http"] | {"checksum": OTHER_SUM}),
        ("vddk", VDDK, VDDK | {"backingFile": "[datastore1] web/web_1.vmdk"}),
        ("vddk", VDDK, VDDK | {"uuid": "4234ea54-9b4b-b8ba-3de0-000000000000"}),
        ("vddk", VDDK, VDDK | {"url": "https://other.example"}),
    ],
)
def test_other_data_is_another_source(kind: str, former: Raw, present: Raw) -> None:
    world = running({"bootDisk": BOOT | {"source": {kind: former}}})
    world.ask({"bootDisk": BOOT | {"source": {kind: present}}})
    assert world.settle() == "DiskSourceChanged"


def test_another_secret_makes_a_disk_anew_that_isnt_filled() -> None:
    world = World(wl())
    world.settle()
    world.tell("ImportInProgress")
    world.ask({"bootDisk": BOOT | {"source": {"http": HTTP["http"] | {"secretRef": "new"}}}})
    world.settle()
    assert world.deleted == ["DataVolume/web-boot"]


def test_a_source_is_corrected_while_the_disk_isnt_filled() -> None:
    world = World(wl())
    world.settle()
    failure = (
        "Unable to connect to http data source: expected status code 200, got 404. Status: 404 Not Found"
    )
    world.tell("ImportInProgress", restarts=3, message=failure)
    assert world.settle() == "DiskFailed"
    step = decide(world.case())
    assert step.stalled
    assert "correct source.url" in step.message
    world.ask({"bootDisk": BOOT | {"source": {"http": {"url": "https://images.example/right.vmdk"}}}})
    world.settle()
    assert world.deleted == ["DataVolume/web-boot"]
    volume = world.objects["DataVolume", "web-boot"]
    assert volume["spec"]["source"] == {"http": {"url": "https://images.example/right.vmdk"}}


def test_a_failed_disk_is_made_anew_in_another_size() -> None:
    """Its DataVolume never changes. One whose import goes on isn't given up for that."""
    world = World(wl())
    world.settle()
    world.tell("ImportInProgress", progress="41.7%")
    world.ask({"bootDisk": BOOT | {"size": "50Gi"}})
    world.settle()
    assert world.deleted == []
    world.tell("ImportInProgress", restarts=1, message="DataVolume too small to contain image")
    assert world.settle() == "DiskWaiting"
    assert world.deleted == ["DataVolume/web-boot"]
    volume = world.objects["DataVolume", "web-boot"]
    assert volume["spec"]["storage"] == {"resources": {"requests": {"storage": "50Gi"}}}


@pytest.mark.parametrize(
    "change", [{"storageClassName": "fast"}, {"accessModes": ["ReadWriteMany"]}, {"volumeMode": "Block"}]
)
def test_a_disk_that_isnt_filled_is_made_anew_by_another_claim(change: Raw) -> None:
    world = World(wl())
    world.settle()
    world.ask({"bootDisk": BOOT | change})
    storage_class = {"kind": "StorageClass", "metadata": {"name": "fast"}}
    world.objects["StorageClass", "fast"] = storage_class
    world.settle()
    assert world.deleted == ["DataVolume/web-boot"]
    assert change.items() <= world.objects["DataVolume", "web-boot"]["spec"]["storage"].items()


@pytest.mark.parametrize(
    ("metadata", "expected"),
    [
        ({"deletionTimestamp": at(899)}, "it is being deleted"),
        (
            {
                "ownerReferences": [
                    {
                        "apiVersion": "cdi.kubevirt.io/v1beta1",
                        "kind": "DataVolume",
                        "uid": "u",
                        "controller": True,
                    }
                ]
            },
            "or the DataVolume has lost the label",
        ),
    ],
    ids=["it is being deleted", "its DataVolume is gone"],
)
def test_a_disk_is_made_anew_once_its_former_claim_is_gone(metadata: Raw, expected: str) -> None:
    """What is on it may be half a disk."""
    name = "web-boot"
    claim = running().objects["PersistentVolumeClaim", name]
    going = claim | {"metadata": claim["metadata"] | metadata}
    world = World(wl(), {("PersistentVolumeClaim", name): going})
    assert world.settle() == "DiskWaiting"
    assert world.kinds == ["PersistentVolumeClaim"]
    assert expected in decide(world.case()).message
    del world.objects["PersistentVolumeClaim", name]
    world.settle()
    assert world.kinds == ["DataVolume"]


def test_a_claim_that_was_filled_in_part_is_not_booted() -> None:
    claim = running().objects["PersistentVolumeClaim", "web-boot"]
    claim["metadata"]["annotations"] = {POD_PHASE_ANNOTATION: "Running"}
    world = World(wl(), {("PersistentVolumeClaim", "web-boot"): claim})
    assert world.settle() == "DiskFailed"
    assert world.kinds == ["PersistentVolumeClaim"]
    assert "delete the claim" in decide(world.case()).message
    claim["metadata"]["annotations"] = {POD_PHASE_ANNOTATION: "Succeeded"}
    assert world.settle() == "Pending"


def test_a_disk_that_a_machine_has_is_never_taken_for_unfilled() -> None:
    world = World(wl())
    world.settle()
    world.tell("WaitForFirstConsumer")
    assert world.settle() == "Pending"
    world.boot()  # and what CDI says of the disk hasn't been seen yet
    source = {"http": {"url": "https://images.example/other.vmdk"}}
    world.ask({"memory": "8Gi", "bootDisk": BOOT | {"source": source}})
    world.settle()
    assert world.deleted == []


def test_how_a_disk_is_filled_and_how_large_it_is_restarts_nothing() -> None:
    known = case(wl(), KUBEVIRT, CDI).revision
    same = (
        {"bootDisk": BOOT | {"size": "80Gi"}},
        {"bootDisk": BOOT | {"reclaim": "Delete"}},
        {"bootDisk": BOOT | {"source": {"blank": {}}}},
        {"bootDisk": BOOT | {"name": "boot"}},
        {"guestImage": "guest:2"},
    )
    assert {case(wl(machine), KUBEVIRT, CDI).revision for machine in same} == {known}
    other = (
        {"memory": "8Gi"},
        {"disks": [DATA]},
        {"devices": "Virtio"},
        {"os": "Windows"},
        {"bootDisk": BOOT | {"name": "second"}},
        {"bootDisk": BOOT | {"bus": "virtio"}},
        {"bootDisk": {"source": {"claim": {"name": "a"}}}},
        {"bootDisk": {"source": {"claim": {"name": "b"}}}},
    )
    assert len({case(wl(machine), KUBEVIRT, CDI).revision for machine in other} | {known}) == 1 + len(other)


@pytest.mark.parametrize("status", [{}, {"phase": "Failed"}, {"phase": "ImportInProgress"}])
def test_a_disk_that_was_filled_once_is_never_deleted(status: Raw) -> None:
    """A backup restores no status, and CDI says Failed when a claim's volume comes back late."""
    former = running()
    kept = {key: obj for key, obj in former.objects.items() if key[1] == "web-boot"}
    kept["DataVolume", "web-boot"] = kept["DataVolume", "web-boot"] | {"status": status}
    changes: tuple[Raw, ...] = ({"size": "80Gi"}, {"storageClassName": "fast"}, {"source": {"blank": {}}})
    for change in changes:
        world = World(wl({"bootDisk": BOOT | change}), dict(kept))
        world.objects["StorageClass", "fast"] = {"kind": "StorageClass", "metadata": {"name": "fast"}}
        world.settle()
        assert world.deleted == []


def test_a_volume_whose_claim_is_there_and_of_which_cdi_says_nothing_is_not_deleted() -> None:
    former = running()
    kept = {key: obj for key, obj in former.objects.items() if key[1] == "web-boot"}
    volume = kept["DataVolume", "web-boot"]
    bare = {**volume["metadata"], "annotations": {}}
    kept["DataVolume", "web-boot"] = {**volume, "metadata": bare, "status": {}}
    world = World(wl({"bootDisk": BOOT | {"source": {"blank": {}}}}), kept)
    world.settle()
    assert world.deleted == []


def test_what_is_deleted_is_deleted_as_it_was_seen() -> None:
    world = World(wl())
    world.settle()
    world.tell("ImportInProgress", restarts=3, message="expected status code 200, got 404")
    world.ask({"bootDisk": BOOT | {"source": {"blank": {}}}})
    (deletion,) = [one for one in plan(world.case()).actions if isinstance(one, Delete)]
    assert deletion.version == "1"


def test_a_failed_import_is_corrected_though_the_machine_waits_for_it_already() -> None:
    world = World(wl())
    world.settle()
    world.tell("PendingPopulation")
    assert world.settle() == "Pending"
    world.tell("ImportInProgress", progress="10%")
    assert world.settle() == "DiskImporting"
    world.tell("ImportInProgress", restarts=3, message="expected status code 200, got 404")
    assert world.settle() == "DiskFailed"
    source = {"http": {"url": "https://images.example/right.qcow2"}}
    world.ask({"bootDisk": BOOT | {"source": source}})
    world.settle()
    assert world.deleted == ["DataVolume/web-boot"]
    assert world.objects["DataVolume", "web-boot"]["spec"]["source"] == source
