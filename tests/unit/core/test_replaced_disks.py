"""A machine whose VirtualMachine names another claim than its Workload: KubeVirt has restored a snapshot of
it, or somebody has moved a disk to other storage. What was written since is on that claim alone.
"""

from __future__ import annotations

import json
import shlex
from typing import Any

import pytest

from twinhull.api.base import Raw
from twinhull.core.actions import Change
from twinhull.core.decision import decide
from twinhull.hulls.hull import DISK_LABEL
from twinhull.hulls.machineclaims import CLAIMS_ANNOTATION

from .diskworld import BOOT, World, restarted, running
from .objects import NAME, at

RESTORED = "restore-5d307ca9-boot"
TAKEN_UP: Raw = {"source": {"claim": {"name": RESTORED}}}
UID_OF_MACHINE = f"uid-VirtualMachine/{NAME}"


def off(world: World, **spec: Any) -> None:
    """The Workload is stopped."""
    world.ask(state="Stopped", **spec)
    world.settle()
    world.end()
    assert world.settle() == "Stopped"


def restore(world: World, *, owned: bool = False, note: bool = True) -> None:
    """KubeVirt restores a snapshot: the claim keeps its labels, and the DataVolume becomes a claim."""
    owner = {"apiVersion": "kubevirt.io/v1", "kind": "VirtualMachine", "name": NAME, "uid": UID_OF_MACHINE}
    world.objects["PersistentVolumeClaim", RESTORED] = {
        "kind": "PersistentVolumeClaim",
        "metadata": {
            "name": RESTORED,
            "labels": {DISK_LABEL: NAME},
            "uid": "uid-restored",
            **({"ownerReferences": [owner | {"controller": True}]} if owned else {}),
        },
        "spec": {"resources": {"requests": {"storage": "42Gi"}}},
        "status": {"phase": "Bound", "capacity": {"storage": "42Gi"}},
    }
    if note:
        world.vm["metadata"].setdefault("annotations", {})["restore.kubevirt.io/lastRestoreUID"] = (
            "monday-5d307ca9"
        )
    has(world, RESTORED)


def has(world: World, claim: str) -> None:
    """Somebody writes a claim into the VirtualMachine."""
    spec = world.vm["spec"]["template"]["spec"]
    spec["volumes"] = [{"name": "boot", "persistentVolumeClaim": {"claimName": claim}}, *spec["volumes"][1:]]


def boots(world: World) -> str:
    volume: Raw = world.vm["spec"]["template"]["spec"]["volumes"][0]
    return str((volume.get("dataVolume") or {}).get("name") or volume["persistentVolumeClaim"]["claimName"])


def strategy(world: World) -> str:
    return str(world.vm["spec"]["runStrategy"])


@pytest.mark.parametrize("memory", ["4Gi", "8Gi"], ids=["as it was", "changed meanwhile"])
@pytest.mark.parametrize("has_run_before", [False, True], ids=["made once", "switched on before"])
def test_a_restored_snapshot_is_never_undone(memory: str, *, has_run_before: bool) -> None:
    world = running()
    if has_run_before:
        off(world)
        world.ask()
        world.settle()
        world.boot()
        assert world.settle() == "Ready"
    off(world)
    restore(world)
    assert world.settle() == "Stopped"
    advice = f"To use {RESTORED}, set source to claim: {{name: {RESTORED}}}"
    assert advice in decide(world.case()).message, "it is told while it is stopped, too"
    world.ask({"memory": memory})
    assert world.settle() == "DiskReplaced"
    step = decide(world.case())
    assert (step.ready, step.stalled) == ("False", True)
    assert step.message.startswith(
        f"spec.virtualMachine.bootDisk: VirtualMachine {NAME} has PersistentVolumeClaim {RESTORED} for the "
        "disk boot in place of web-boot: "
    )
    assert advice in step.message
    assert (boots(world), strategy(world)) == (RESTORED, "Halted")


def test_the_claim_of_a_restored_snapshot_is_taken_up_as_source_claim() -> None:
    world = running()
    off(world)
    restore(world)
    world.ask({"bootDisk": TAKEN_UP})
    assert world.settle() == "Pending"
    assert (boots(world), strategy(world)) == (RESTORED, "Always")
    world.boot()
    assert world.settle() == "Ready"
    assert world.deleted == []
    assert [disk["attached"] for disk in world.raw["status"]["disks"]] == [True]
    world.objects["PersistentVolumeClaim", "other"] = {
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "other", "uid": "uid-other", "resourceVersion": "1"},
        "spec": {},
        "status": {"phase": "Bound"},
    }
    world.ask({"bootDisk": {"source": {"claim": {"name": "other"}}}})
    restarted(world)
    assert boots(world) == "other", "another claim that the Workload names is no restore"


def test_a_restored_claim_that_the_machine_owns_is_first_taken_from_it() -> None:
    """It would be deleted with the VirtualMachine, and a Workload promises to delete no claim of others."""
    world = running()
    off(world)
    restore(world, owned=True)
    world.ask({"bootDisk": TAKEN_UP})
    assert world.settle() == "DiskConflict"
    message = decide(world.case()).message
    assert f"owns PersistentVolumeClaim {RESTORED}, which would be deleted with it" in message
    command = shlex.split(message.partition("run ")[2])
    assert command[:4] == ["kubectl", "patch", "pvc", RESTORED]
    assert json.loads(command[5]) == {"metadata": {"ownerReferences": None}}
    assert strategy(world) == "Halted"
    del world.objects["PersistentVolumeClaim", RESTORED]["metadata"]["ownerReferences"]
    assert world.settle() == "Pending"
    assert (boots(world), strategy(world)) == (RESTORED, "Always")


def test_a_claim_that_another_virtual_machine_owns_isnt_taken() -> None:
    world = running()
    off(world)
    restore(world, owned=True)
    world.objects["PersistentVolumeClaim", RESTORED]["metadata"]["ownerReferences"][0]["uid"] = "uid-foreign"
    world.ask({"bootDisk": TAKEN_UP})
    assert world.settle() == "DiskConflict"
    assert f"another VirtualMachine owns PersistentVolumeClaim {RESTORED}" in decide(world.case()).message
    assert strategy(world) == "Halted"


def test_the_former_disk_boots_once_the_virtual_machine_names_it_again() -> None:
    world = running()
    off(world)
    restore(world)
    world.ask()
    assert world.settle() == "DiskReplaced"
    has(world, "web-boot")
    assert world.settle() == "Pending"
    assert (boots(world), strategy(world)) == ("web-boot", "Always")


@pytest.mark.parametrize("way", ["Recreate", "OnRestart"])
def test_a_disk_that_was_moved_while_the_machine_runs_stays_where_it_is(way: str) -> None:
    kept: dict[str, Any] = {"replacement": {"strategy": way}}
    world = running(**kept)
    restore(world, note=False)
    world.vm["spec"]["updateVolumesStrategy"] = "Migration"
    world.objects["VirtualMachineInstance", NAME]["spec"]["volumes"] = world.vm["spec"]["template"]["spec"][
        "volumes"
    ]
    assert world.settle() == "DiskReplaced"
    step = decide(world.case())
    assert (step.ready, step.stalled) == ("True", True)
    world.ask({"memory": "8Gi"}, **kept)
    assert world.settle() == "DiskReplaced"
    assert (boots(world), strategy(world)) == (RESTORED, "Always"), "it runs on"
    assert decide(world.case()).message.endswith("VirtualMachine web keeps running")
    world.ask({"memory": "8Gi", "bootDisk": TAKEN_UP}, **kept)
    assert world.settle() == ("RestartRequired" if way == "OnRestart" else "Replacing")
    if way == "Recreate":
        world.end()
        assert world.settle() == "Pending"
    assert boots(world) == RESTORED
    assert "updateVolumesStrategy" not in world.vm["spec"]


def test_a_change_that_is_taken_back_doesnt_undo_the_move_of_a_disk() -> None:
    kept: dict[str, Any] = {"replacement": {"strategy": "OnRestart"}}
    world = running(**kept)
    world.ask({"memory": "8Gi"}, **kept)
    assert world.settle() == "RestartRequired"
    restore(world, note=False)
    world.ask(**kept)
    assert world.settle() == "DiskReplaced"
    assert boots(world) == RESTORED


def test_a_machine_that_a_restore_has_stopped_isnt_to_be_restarted_first() -> None:
    """targetReadinessPolicy: StopTarget."""
    world = running()
    world.vm["spec"]["runStrategy"] = "Halted"
    world.end()
    assert world.settle() == "Halted"
    restore(world)
    assert world.settle() == "DiskReplaced"
    assert "twinhull restart" not in decide(world.case()).message
    world.raw["metadata"]["annotations"] = {"twinhull.dev/restart": "now"}
    assert world.settle() == "DiskReplaced"
    assert "keeps running" not in decide(world.case()).message
    assert boots(world) == RESTORED


def test_the_hull_that_serves_isnt_ended_for_a_machine_with_another_disk() -> None:
    world = running(template=True)
    world.ask(template=True, isolationPolicy="Container")
    world.settle()
    world.end()
    world.settle()
    assert "Pod" in world.kinds
    restore(world)
    world.ask(template=True)
    assert world.settle() == "DiskReplaced"
    assert "Pod" in world.kinds
    assert not any("deletionTimestamp" in obj["metadata"] for obj in world.objects.values())


def without_note(world: World) -> None:
    """The VirtualMachine is as an earlier operator made it."""
    world.vm["metadata"]["annotations"].pop(CLAIMS_ANNOTATION)


@pytest.mark.parametrize("sign", ["none", "a restore", "a migration"])
@pytest.mark.parametrize("label", [{}, {DISK_LABEL: NAME}], ids=["no label", "labelled"])
def test_of_a_machine_without_a_note_something_has_to_say_that_its_disk_was_replaced(
    label: Raw, sign: str
) -> None:
    """The Workload names another claim now, and the machine has the one that it named before."""
    world = running()
    world.objects["PersistentVolumeClaim", "b"] = {
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "b", "uid": "uid-b", "resourceVersion": "1", "labels": label},
        "spec": {},
        "status": {"phase": "Bound"},
    }
    off(world)
    without_note(world)
    has(world, "former")
    if sign == "a restore":
        world.vm["metadata"]["annotations"]["restore.kubevirt.io/lastRestoreUID"] = "monday-1"
    elif sign == "a migration":
        world.vm["spec"]["updateVolumesStrategy"] = "Migration"
    world.ask({"bootDisk": {"source": {"claim": {"name": "b"}}}})
    assert world.settle() == ("Pending" if sign == "none" else "DiskReplaced")
    assert boots(world) == ("b" if sign == "none" else "former")


def test_a_claim_that_is_not_seen_is_never_put_out_of_its_place() -> None:
    """It may be one that KubeVirt has just restored."""
    world = running()
    off(world)
    has(world, "unseen")
    world.ask({"memory": "8Gi"})
    assert world.settle() == "DiskReplaced"
    assert boots(world) == "unseen"


def test_a_machine_is_changed_and_switched_on_as_it_was_seen() -> None:
    """KubeVirt may put a restored claim into it at that very moment."""
    world = running(replacement={"strategy": "OnRestart"})
    world.vm["metadata"]["resourceVersion"] = "17"
    world.ask({"memory": "8Gi"}, replacement={"strategy": "OnRestart"})
    (change,) = [action for action in decide(world.case()).actions if isinstance(action, Change)]
    assert (change.kind, change.version) == ("VirtualMachine", "17")
    off(world)
    world.vm["metadata"]["resourceVersion"] = "18"
    world.ask()
    (change,) = [action for action in decide(world.case()).actions if isinstance(action, Change)]
    assert (change.kind, change.version) == ("VirtualMachine", "18")


def test_a_restore_in_place_keeps_the_name_and_goes_on() -> None:
    world = running({"bootDisk": BOOT})
    off(world)
    world.vm["metadata"].setdefault("annotations", {})["restore.kubevirt.io/lastRestoreUID"] = "monday-1"
    world.objects["PersistentVolumeClaim", "web-boot"]["metadata"] |= {
        "uid": "uid-new",
        "creationTimestamp": at(890),
    }
    world.ask()
    assert world.settle() == "Pending"
    assert (boots(world), strategy(world)) == ("web-boot", "Always")
