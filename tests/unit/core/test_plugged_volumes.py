"""Volumes that somebody plugs into a machine that lasts."""

from __future__ import annotations

import pytest

from twinhull.api.base import Raw
from twinhull.core.decision import decide
from twinhull.hulls import edits

from .diskworld import names, plug, restarted, running
from .objects import NAME

PLUGGED: Raw = {"name": "logs", "dataVolume": {"name": "logs", "hotpluggable": True}}


def test_a_volume_that_was_plugged_in_for_good_stays_whatever_becomes_of_the_machine() -> None:
    world = running()
    plug(world, PLUGGED, serial="1")
    assert world.settle() == "Ready", "nothing of it is lost"
    world.vm["spec"]["template"]["spec"]["domain"]["devices"]["disks"][1]["bootOrder"] = 1
    assert world.settle() == "MachineEdited"
    assert "disks[logs].bootOrder. The operator sets that back" in decide(world.case()).message
    world.ask({"memory": "8Gi"})
    restarted(world)
    assert world.settle() == "Ready"
    assert names(world) == (["boot", "logs"], ["boot", "logs"])
    kept = world.vm["spec"]["template"]["spec"]["domain"]["devices"]["disks"][1]
    assert kept == {"name": "logs", "disk": {"bus": "scsi"}, "serial": "1"}, "the firmware tries ours alone"
    world.ask(state="Stopped")
    world.settle()
    world.end()
    assert world.settle() == "Stopped"
    world.ask()
    assert world.settle() == "Pending"
    assert names(world)[0] == ["boot", "logs"]


def test_on_restart_a_plugged_volume_isnt_taken_from_the_machine_that_runs() -> None:
    world = running(replacement={"strategy": "OnRestart"})
    plug(world, PLUGGED)
    dump = {"name": "dump", "memoryDump": {"claimName": "dump", "hotpluggable": True}}
    world.vm["spec"]["template"]["spec"]["volumes"].append(dump)
    world.ask({"memory": "8Gi"}, replacement={"strategy": "OnRestart"})
    assert world.settle() == "RestartRequired"
    assert names(world) == (["boot", "logs", "dump"], ["boot", "logs"])


def test_a_plugged_volume_that_the_workload_names_itself_is_the_workloads() -> None:
    world = running()
    plug(world, PLUGGED)
    about = {"name": "logs", "uid": "u", "resourceVersion": "7"}
    claim = {"kind": "PersistentVolumeClaim", "metadata": about, "spec": {}}
    world.objects["PersistentVolumeClaim", "logs"] = claim
    world.ask({"disks": [{"name": "mine", "source": {"claim": {"name": "logs"}}}]})
    restarted(world)
    assert names(world) == (["boot", "mine"], ["boot", "mine"]), "one claim is never there twice"


def test_a_volume_that_somebody_plugged_in_is_no_disk_of_the_workload() -> None:
    world = running()
    plug(world, PLUGGED)
    instance = world.objects["VirtualMachineInstance", NAME]
    instance["spec"] = {"volumes": world.vm["spec"]["template"]["spec"]["volumes"]}
    world.settle()
    assert [disk["name"] for disk in world.raw["status"]["disks"]] == ["boot"]


ODD: tuple[Raw, ...] = (
    {"volumes": [{"name": []}, "x"], "domain": "x"},
    {
        "volumes": [{"name": {}}],
        "domain": {"devices": {"disks": [{"name": []}], "interfaces": [{"name": []}]}},
    },
    {"volumes": [{"name": 5, "dataVolume": "x"}], "domain": {"devices": "x"}},
    {"volumes": [{"dataVolume": {"name": []}}, {"persistentVolumeClaim": {"claimName": {}}}]},
)


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize("other", ODD)
def test_overrides_may_be_anything(odd: Raw, other: Raw) -> None:
    plugged = {"volumes": [{"name": "p", "persistentVolumeClaim": {"claimName": "p", "hotpluggable": True}}]}
    edits.of({"template": {"spec": odd}}, {"template": {"spec": other}})
    assert plugged["volumes"][0] in edits.with_plugged(plugged, odd)["volumes"]
