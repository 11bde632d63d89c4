"""Whose a disk is, its labels say: what becomes of a disk whose label somebody removes or changes."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.core.objects import conditions, workload
from twinhull.api.base import Raw
from twinhull.api.reasons import Reason
from twinhull.hulls.disknotes import FILLED_ANNOTATION, HOLDER_ANNOTATION
from twinhull.hulls.hull import DISK_LABEL
from twinhull.shell.errors import ServerError
from twinhull.shell.kinds import WORKLOAD
from twinhull.shell.reconciler import NotCleared

from .simulation import Simulation
from .test_change_handler import World
from .test_passes import operate, written

KEY = ("shop", "web-boot")
BUILT: Raw = {
    "memory": "1Gi",
    "firmware": {"bootloader": "BIOS"},
    "bootDisk": {"source": {"blank": {}}, "size": "1Gi"},
}
CDI: Raw = {"kind": "CDI", "metadata": {"name": "cdi"}, "status": {"phase": "Deployed"}}


def claim(labels: Raw, name: str = "web-boot", **metadata: Any) -> Raw:
    return {
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": name, "namespace": "shop", "labels": labels, **metadata},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
        "status": {"phase": "Bound", "capacity": {"storage": "1Gi"}},
    }


def asking(*, filled: bool) -> Simulation:
    """A Workload that has asked for its disk; once it is `filled`, for its machine."""
    world = Simulation({"isolationPolicy": "VirtualMachine", "virtualMachine": BUILT, "template": None})
    world.server.create(CDI)
    operate(world)
    volume = world.server.get("DataVolume", KEY)
    if filled:
        owner = {"apiVersion": "cdi.kubevirt.io/v1beta1", "kind": "DataVolume", "name": "web-boot"}
        owners = [{**owner, "uid": volume["metadata"]["uid"], "controller": True}]
        world.server.create(claim({DISK_LABEL: "web"}, ownerReferences=owners))
        world.server.patch("DataVolume", KEY, {"status": {"phase": "Succeeded"}}, status=True)
        operate(world)
        assert "create VirtualMachine" in written(world)
    return world


def relabel(world: Simulation, label: str | None, annotations: Raw | None = None) -> None:
    """Somebody sets the label of the DataVolume to another value, or removes it."""
    metadata: Raw = {"labels": {DISK_LABEL: label}, "annotations": annotations or {}}
    world.server.patch("DataVolume", KEY, {"metadata": metadata})
    operate(world)


def label_of(world: Simulation, kind: str = "DataVolume") -> object:
    return (world.server.get(kind, KEY)["metadata"].get("labels") or {}).get(DISK_LABEL)


@pytest.mark.parametrize("filled", [True, False], ids=["filled", "without a claim"])
def test_a_data_volume_that_lost_its_label_is_given_it_again(*, filled: bool) -> None:
    world = asking(filled=filled)
    relabel(world, None)
    assert label_of(world) == "web"
    messages = [event.message for event in world.events.posted]
    if filled:
        sentence = "restored the label twinhull.dev/disk-of of DataVolume web-boot"
    else:
        sentence = "DataVolume web-boot for the disk boot was there already"
    assert sentence in messages
    count = len(world.cluster.writes)
    operate(world)
    assert len(world.cluster.writes) == count


def test_both_labels_of_a_disk_are_put_back() -> None:
    world = asking(filled=True)
    world.server.patch("PersistentVolumeClaim", KEY, {"metadata": {"labels": {DISK_LABEL: None}}})
    relabel(world, None)
    assert (label_of(world), label_of(world, "PersistentVolumeClaim")) == ("web", "web")


@pytest.mark.parametrize("filled", [True, False], ids=["filled", "without a claim"])
@pytest.mark.parametrize(
    ("label", "holder"),
    [(None, None), (None, "somebody's"), ("other", "somebody's"), ("other", "")],
    ids=["no note", "another's note", "another's label", "another's label, and our note"],
)
def test_a_data_volume_that_may_be_anothers_is_left_alone_and_told(
    label: str | None, holder: str | None, *, filled: bool
) -> None:
    world = asking(filled=filled)
    relabel(world, label, {} if holder == "" else {HOLDER_ANNOTATION: holder})
    assert label_of(world) == label
    stalled = world.condition("Stalled")
    assert (stalled["status"], stalled["reason"]) == ("True", Reason.NAME_CONFLICT), stalled
    assert "set the label to web" in stalled["message"]
    if label:
        assert "is a disk of Workload other" in stalled["message"]
    relabel(world, "web")
    assert world.condition("Stalled")["status"] == "False"


OF_MACHINE: Raw = {"apiVersion": "kubevirt.io/v1", "kind": "VirtualMachine", "name": "db", "uid": "u-db"}


@pytest.mark.parametrize("owner", [None, OF_MACHINE | {"controller": True}], ids=["nobody's", "a machine's"])
def test_a_data_volume_that_was_there_before_can_be_used_as_it_is_and_is_not_to_be_deleted(
    owner: Raw | None,
) -> None:
    world = Simulation({"isolationPolicy": "VirtualMachine", "virtualMachine": BUILT, "template": None})
    about = {"name": "web-boot", "namespace": "shop", **({"ownerReferences": [owner]} if owner else {})}
    world.server.create({"kind": "DataVolume", "metadata": about, "spec": {"source": {"blank": {}}}})
    world.server.create(CDI)
    operate(world)
    stalled = world.condition("Stalled")
    assert (stalled["status"], stalled["reason"]) == ("True", Reason.NAME_CONFLICT)
    first_advice = stalled["message"].partition(": ")[2]
    assert first_advice.startswith(
        "to use what is on it as it is, name its claim as source.claim (name: web-"
    )
    assert "delete it" not in stalled["message"]
    assert "delete the" not in stalled["message"]
    if owner:
        assert "belongs to VirtualMachine u-db, and is deleted with it" in stalled["message"]


def boot(world: Simulation) -> None:
    """KubeVirt runs the machine, and the operator sees that it is ready."""
    vm = world.server.get("VirtualMachine", ("shop", "web"))
    owner = {"apiVersion": "kubevirt.io/v1", "kind": "VirtualMachine", "name": "web", "controller": True}
    about = {
        "name": "web",
        "namespace": "shop",
        "labels": vm["spec"]["template"]["metadata"]["labels"],
        "ownerReferences": [{**owner, "uid": vm["metadata"]["uid"]}],
    }
    runs = {"phase": "Running"}
    instance = {"kind": "VirtualMachineInstance", "metadata": about, "spec": {}, "status": runs}
    world.server.create(instance)
    ready = {"ready": True, "created": True, "conditions": conditions("True")}
    world.server.patch("VirtualMachine", ("shop", "web"), {"status": ready}, status=True)
    operate(world)
    assert world.condition("Ready")["reason"] == "Ready"


def test_a_machine_that_runs_is_ready_while_its_disk_isnt_seen() -> None:
    world = asking(filled=True)
    boot(world)
    relabel(world, "other")
    assert world.condition("Ready")["status"] == "True"
    assert world.condition("Stalled")["reason"] == Reason.NAME_CONFLICT


def test_a_data_volume_that_is_gone_is_waited_for_with_its_claim() -> None:
    world = asking(filled=True)
    world.server.remove("DataVolume", KEY)
    count = len(world.cluster.writes)
    operate(world)
    kinds = {kind for _, kind, _ in world.cluster.writes[count:]}
    assert "DataVolume" not in kinds


IMPORTED: Raw = {"bootDisk": {"source": {"http": {"url": "https://images.example/web.qcow2"}}, "size": "1Gi"}}


def importing(
    phase: str, machine: Raw | None = None, *, bound: str = "Bound", **annotations: str
) -> Simulation:
    """A Workload whose disk is in that phase, with a claim that is `bound`."""
    built = BUILT | IMPORTED | (machine or {})
    world = Simulation({"isolationPolicy": "VirtualMachine", "virtualMachine": built, "template": None})
    world.server.create(CDI)
    operate(world)
    metadata = {"annotations": annotations}
    world.server.patch("DataVolume", KEY, {"metadata": metadata})
    if phase:
        world.server.patch("DataVolume", KEY, {"status": {"phase": phase}}, status=True)
    world.server.create(claim({DISK_LABEL: "web"}) | {"status": {"phase": bound}})
    return world


def end(world: Simulation, *kinds: str) -> None:
    """The Workload is deleted, and so is what it owns; the operator sees it."""
    for kind in ("Workload", *kinds):
        for key in [*world.server.objects[kind]]:
            world.server.remove(kind, key)
    operate(world)


def has_disk(world: Simulation) -> bool:
    return KEY in world.server.objects["DataVolume"]


@pytest.mark.parametrize("phase", ["Pending", "ImportScheduled", "ImportInProgress"])
def test_a_disk_that_was_never_filled_goes_with_its_workload(phase: str) -> None:
    world = importing(phase)
    operate(world)
    assert has_disk(world)
    end(world)
    assert not has_disk(world)


@pytest.mark.parametrize("phase", ["WaitForFirstConsumer", "PendingPopulation"])
def test_a_disk_that_waited_for_its_machine_goes_once_the_machine_is_gone(phase: str) -> None:
    world = importing(phase, {"bootDisk": BUILT["bootDisk"]}, bound="Pending")
    operate(world)
    end(world)
    assert has_disk(world), "a machine is there that may be given it"
    end(world, "VirtualMachine")
    assert not has_disk(world)


@pytest.mark.parametrize(
    ("phase", "machine", "annotations"),
    [
        ("Succeeded", None, {}),
        ("Failed", None, {}),
        ("", None, {}),
        ("ImportInProgress", None, {FILLED_ANNOTATION: "true"}),
        ("ImportInProgress", BUILT, {}),
        ("UploadReady", {"bootDisk": {"source": {"upload": {}}, "size": "1Gi"}}, {}),
        ("Pending", {"bootDisk": {"source": {"upload": {}}, "size": "1Gi"}}, {}),
    ],
    ids=["filled", "failed after all", "restored", "filled once", "empty", "uploaded", "to be uploaded"],
)
def test_a_disk_that_may_hold_anything_outlives_its_workload(
    phase: str, machine: Raw | None, annotations: dict[str, str]
) -> None:
    world = importing(phase, machine, **annotations)
    operate(world)
    end(world, "VirtualMachine")
    assert has_disk(world)
    world.restart()
    operate(world)
    assert has_disk(world)


@pytest.mark.parametrize("change", ["no note", "an owner"])
def test_a_data_volume_that_no_operator_made_outlives_the_workload_of_its_label(change: str) -> None:
    world = importing("ImportInProgress")
    operate(world)
    owner = {"apiVersion": "v1", "kind": "ConfigMap", "name": "a", "uid": "u"}
    metadata = (
        {"annotations": {HOLDER_ANNOTATION: None}} if change == "no note" else {"ownerReferences": [owner]}
    )
    world.server.remove("Workload", ("shop", "web"))
    world.server.patch("DataVolume", KEY, {"metadata": metadata})
    operate(world)
    assert has_disk(world)


def test_a_disk_that_was_filled_as_its_workload_went_stays() -> None:
    """The operator has seen it unfilled last."""
    world = importing("ImportInProgress")
    operate(world)
    world.server.remove("Workload", ("shop", "web"))
    world.server.patch("DataVolume", KEY, {"status": {"phase": "Succeeded"}}, status=True)
    world.server.events["DataVolume"].clear()
    world.deliver(0)
    while len(world.queue):
        world.reconcile()
    assert has_disk(world)


def test_a_disk_stays_if_its_workload_is_merely_not_seen() -> None:
    world = importing("ImportInProgress")
    operate(world)
    seen = world.server.get("Workload", ("shop", "web"))["metadata"]
    world.store.remove(WORKLOAD, ("shop", "web"), seen["uid"])
    world.queue.add(("shop", "web"))
    while len(world.queue):
        world.reconcile()
    assert has_disk(world)


def test_an_operator_that_starts_later_deletes_what_was_left() -> None:
    world = importing("ImportInProgress")
    operate(world)
    world.server.remove("Workload", ("shop", "web"))
    world.restart()
    operate(world)
    assert not has_disk(world)


@pytest.mark.parametrize("kind", ["PersistentVolumeClaim", "DataVolume"])
def test_a_disks_label_that_moves_asks_for_all_whom_it_concerns(kind: str) -> None:
    """The Workload that it was of, the one that it is of now, and those that name the claim."""
    world = World()
    volumes = [{"name": "data", "persistentVolumeClaim": {"claimName": "web-boot"}}]
    world.take(workload(pod={"volumes": volumes}, metadata={"name": "mounts", "uid": "u1"}))
    boot = {"bootDisk": {"source": {"claim": {"name": "web-boot"}}}}
    world.take(workload({"virtualMachine": boot}, metadata={"name": "boots", "uid": "u2"}))
    of_claims = ["boots", "mounts"] if kind == "PersistentVolumeClaim" else []

    def take(label: str | None, change: str, version: int) -> list[str]:
        labels = {DISK_LABEL: label} if label else {}
        world.take({**claim(labels), "kind": kind}, change, version=version)
        return world.queued()

    take("web", "ADDED", 1)
    assert take("other", "MODIFIED", 2) == sorted([*of_claims, "other", "web"])
    # Of a DataVolume, which is watched by the label, it is then said that it is gone.
    gone = "MODIFIED" if of_claims else "DELETED"
    assert take(None, gone, 3) == sorted([*of_claims, "other"])
    assert take("web", "MODIFIED", 4) == sorted([*of_claims, "web"])


def test_what_a_workload_has_left_is_deleted_though_the_api_server_failed_at_first() -> None:
    world = importing("ImportInProgress")
    operate(world)
    world.cluster.refused["delete", "DataVolume"] = ServerError("etcdserver: request timed out")
    with pytest.raises(NotCleared):
        end(world)
    assert has_disk(world)
    world.cluster.refused.clear()
    world.queue.add(("shop", "web"))
    operate(world)
    assert not has_disk(world)
