"""A Workload whose machine boots a disk of its own: the disk is filled first, and outlives all that runs."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest

from twinhull.api.base import Raw
from twinhull.api.reasons import Reason
from twinhull.core.actions import Action, Change, Create, Delete, Rehearse, RestoreLabels
from twinhull.core.case import Case
from twinhull.core.decision import decide
from twinhull.core.observed import Refusal
from twinhull.core.plan import plan
from twinhull.core.rehearsal import rehearsals
from twinhull.hulls.disknotes import POD_PHASE_ANNOTATION
from twinhull.hulls.hull import DISK_LABEL, WORKLOAD_LABEL
from twinhull.hulls.merge import merge_patch
from twinhull.hulls.switching import OFF_ANNOTATION

from .objects import CREATED, KUBEVIRT, NAME, NOW, UID, at, case, conditions, workload
from .policies import namespace, policy

CDI: Raw = {"kind": "CDI", "metadata": {"name": "cdi"}, "status": {"phase": "Deployed"}}
HTTP: Raw = {"http": {"url": "https://images.example/web.vmdk"}}
BOOT: Raw = {"source": HTTP, "size": "40Gi"}
BUILT: Raw = {"memory": "4Gi", "firmware": {"bootloader": "UEFI"}, "bootDisk": BOOT}
DATA: Raw = {"name": "data", "source": {"blank": {}}, "size": "1Gi"}

#: The phases of a disk whose storage waits for the machine.
LATE_PHASES = ("PendingPopulation", "WaitForFirstConsumer")
LATER = NOW + timedelta(seconds=8)


def wl(machine: Raw | None = None, *, template: bool = False, **spec: Any) -> Raw:
    """A Workload with a boot disk, and with a template if asked for."""
    fields = {"isolationPolicy": "VirtualMachine", "virtualMachine": BUILT | (machine or {}), **spec}
    raw = workload(fields)
    if not template:
        del raw["spec"]["template"]
    return raw


@dataclass
class World:
    """The objects that are there, after each action that a plan asks for was carried out."""

    raw: Raw
    objects: dict[tuple[str, str], Raw] = field(default_factory=dict)
    events: list[str] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)

    def case(self) -> Case:
        return case(self.raw, KUBEVIRT, CDI, *self.objects.values())

    def settle(self) -> str:
        """Carries out what is asked for until nothing is; the reason that is then given."""
        for _ in range(20):
            planned = plan(self.case())
            if planned.status is not None:
                self.raw = self.raw | {"status": planned.status.raw()}
                self.events += [event.message for event in planned.events]
            # What isn't there has no labels to be put back (tests/unit/shell/test_disk_labels.py).
            actions = [action for action in planned.actions if not isinstance(action, RestoreLabels)]
            if not actions:
                return str(decide(self.case()).reason)
            for action in actions:
                self.do(action)
        raise AssertionError(f"it doesn't settle: {planned.actions}")

    def do(self, action: Action) -> None:
        self.events += [action.event.message] if action.event else []
        if isinstance(action, Create):
            metadata = {"uid": f"uid-{action.key}", "creationTimestamp": at(890), "resourceVersion": "1"}
            obj = action.obj | {"metadata": action.obj["metadata"] | metadata}
            if obj["kind"] == "VirtualMachine":  # KubeVirt's webhook (vm-mutator.go)
                places = {"annotations": {"kubevirt.io/pci-topology-version": "v3"}}
                obj = merge_patch(obj, {"spec": {"template": {"metadata": places}}})
            self.objects[obj["kind"], obj["metadata"]["name"]] = obj
        elif isinstance(action, Change):
            old = self.objects[action.kind, action.name]
            assert old["metadata"]["uid"] == action.uid
            self.objects[action.kind, action.name] = merge_patch(old, action.patch)
        elif isinstance(action, Delete):
            self.deleted.append(action.key)
            del self.objects[action.kind, action.name]

    def fill(self, disk: str = "boot", *, size: str = "42Gi") -> None:
        """CDI fills a disk, and asks for some more than its size."""
        name = f"{NAME}-{disk}"
        volume = self.objects["DataVolume", name]
        self.objects["DataVolume", name] = volume | {"status": {"phase": "Succeeded"}}
        self.objects["PersistentVolumeClaim", name] = {
            "kind": "PersistentVolumeClaim",
            "metadata": {"name": name, "labels": {DISK_LABEL: NAME}, "uid": f"uid-claim-{disk}"},
            "spec": {"resources": {"requests": {"storage": size}}},
            "status": {"phase": "Bound", "capacity": {"storage": size}},
        }

    def tell(
        self, phase: str, *, disk: str = "boot", progress: str = "N/A", restarts: int = 0, **running: str
    ) -> None:
        """CDI says how far a disk is."""
        name = f"{NAME}-{disk}"
        reported = [{"type": "Running", "status": "False", "reason": "Error", **running}] if running else []
        status = {"phase": phase, "progress": progress, "restartCount": restarts, "conditions": reported}
        self.objects["DataVolume", name] = self.objects["DataVolume", name] | {"status": status}

    def boot(self) -> None:
        """KubeVirt runs the machine."""
        vm = self.objects["VirtualMachine", NAME]
        running = {"ready": True, "created": True, "conditions": conditions("True")}
        self.objects["VirtualMachine", NAME] = vm | {"status": running}
        template = vm["spec"]["template"]
        given = template["metadata"]
        brought = {"kubevirt.io/vm-generation": "1", "kubevirt.io/latest-observed-api-version": "v1"}
        self.objects["VirtualMachineInstance", NAME] = {
            "kind": "VirtualMachineInstance",
            "metadata": {
                "name": NAME,
                "labels": {**given["labels"], "kubevirt.io/nodeName": "node-0"},
                "annotations": {**given.get("annotations", {}), **brought},
                "uid": "uid-instance",
                "ownerReferences": [
                    {
                        "apiVersion": "kubevirt.io/v1",
                        "kind": "VirtualMachine",
                        "name": NAME,
                        "uid": vm["metadata"]["uid"],
                        "controller": True,
                    }
                ],
            },
            "spec": deepcopy(template["spec"]),
            "status": {"phase": "Running"},
        }

    def end(self) -> None:
        """KubeVirt ends the run of a machine that is halted."""
        assert self.vm["spec"]["runStrategy"] == "Halted"
        self.objects.pop(("VirtualMachineInstance", NAME), None)
        self.say_without_instance()

    def say_without_instance(self) -> None:
        """KubeVirt says how a machine is that has no instance, and by which strategy."""
        strategy = self.vm["spec"]["runStrategy"]
        status = {"printableStatus": self.printed(), "created": False, "runStrategy": strategy}
        self.objects["VirtualMachine", NAME] = self.vm | {"status": status}

    def printed(self) -> str:
        """What KubeVirt calls a machine without an instance (kubevirt.io/kubevirt 1.9.0,
        pkg/storage/types/dv.go, HasDataVolumeErrors and HasDataVolumeProvisioning; they come first).
        """
        volumes = self.vm["spec"]["template"]["spec"]["volumes"]
        named = [volume["dataVolume"]["name"] for volume in volumes if "dataVolume" in volume]
        seen = [self.objects[key] for name in named if (key := ("DataVolume", name)) in self.objects]
        statuses = [volume.get("status", {}) for volume in seen]
        if any(_has_failed(status) for status in statuses):
            return "DataVolumeError"
        unfilled = {status.get("phase") for status in statuses}
        return "Provisioning" if unfilled - {"Succeeded", *LATE_PHASES} else "Stopped"

    def ask(self, machine: Raw | None = None, *, template: bool = False, **spec: Any) -> None:
        """Somebody changes the spec."""
        self.raw = self.raw | {"spec": wl(machine, template=template, **spec)["spec"]}

    @property
    def vm(self) -> Raw:
        return self.objects["VirtualMachine", NAME]

    @property
    def attached(self) -> list[bool]:
        """Of each disk whether the present hull has it, by the status."""
        return [disk["attached"] for disk in self.raw["status"]["disks"]]

    @property
    def kinds(self) -> list[str]:
        return sorted(kind for kind, _ in self.objects)


def _has_failed(status: Raw) -> bool:
    """Whether KubeVirt calls that an error of a DataVolume."""
    errors = [one for one in status.get("conditions", ()) if one["reason"] in {"Error", "ImagePullFailed"}]
    return status.get("phase") == "Failed" or bool(errors)


def running(machine: Raw | None = None, **spec: Any) -> World:
    """A Workload whose machine runs."""
    world = World(wl(machine, **spec))
    world.settle()
    for disk in world.case().blueprint.disks:
        world.fill(disk.disk_name)
    assert world.settle() == "Pending"
    world.boot()
    assert world.settle() == "Ready"
    return world


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


def test_what_needs_a_restart_switches_the_machine_off_changes_it_and_switches_it_on() -> None:
    world = running()
    identity = {"uuid": "5d307ca9-b3ef-428c-8861-06e72d69f223", "serial": "1"}
    domain = world.vm["spec"]["template"]["spec"]["domain"]
    domain["firmware"] |= identity
    domain["machine"] = {"type": "q35"}
    uid = world.vm["metadata"]["uid"]
    world.ask({"memory": "8Gi"})
    assert world.settle() == "Replacing"
    assert world.vm["spec"]["runStrategy"] == "Halted"
    assert world.vm["spec"]["template"]["spec"]["domain"]["memory"] == {"guest": "4Gi"}
    world.end()
    assert world.settle() == "Pending"
    assert world.vm["spec"]["runStrategy"] == "Always"
    domain = world.vm["spec"]["template"]["spec"]["domain"]
    assert domain["memory"] == {"guest": "8Gi"}
    assert domain["firmware"].items() >= identity.items(), "the system knows the machine again"
    assert domain["machine"] == {"type": "q35"}
    assert OFF_ANNOTATION not in world.vm["metadata"]["annotations"]
    assert (world.vm["metadata"]["uid"], world.deleted) == (uid, [])


def test_on_restart_the_machine_runs_on_and_is_another_from_its_next_start() -> None:
    world = running(replacement={"strategy": "OnRestart"})
    current = world.case().current
    assert current is not None
    world.ask({"memory": "8Gi"}, replacement={"strategy": "OnRestart"})
    assert world.settle() == "RestartRequired"
    step = decide(world.case())
    assert (step.ready, step.reconciling, step.stalled, step.actions) == ("True", False, False, ())
    assert world.vm["spec"]["runStrategy"] == "Always"
    assert world.vm["spec"]["template"]["spec"]["domain"]["memory"] == {"guest": "8Gi"}
    assert world.raw["status"]["hull"]["revision"] == current.revision, "it runs as it was"
    del world.objects["VirtualMachineInstance", NAME]  # it restarts
    world.boot()
    assert world.settle() == "Ready"
    assert world.raw["status"]["hull"]["revision"] != current.revision


def test_on_restart_a_change_is_taken_back_before_it_took_effect() -> None:
    world = running(replacement={"strategy": "OnRestart"})
    world.ask({"memory": "8Gi"}, replacement={"strategy": "OnRestart"})
    assert world.settle() == "RestartRequired"
    world.ask(replacement={"strategy": "OnRestart"})
    assert world.settle() == "Ready"
    assert world.vm["spec"]["template"]["spec"]["domain"]["memory"] == {"guest": "4Gi"}


@pytest.mark.parametrize("how", ["annotation", "strategy", "stop"])
def test_on_restart_it_is_restarted_when_that_is_asked_for(how: str) -> None:
    world = running(replacement={"strategy": "OnRestart"})
    world.ask({"memory": "8Gi"}, replacement={"strategy": "OnRestart"})
    assert world.settle() == "RestartRequired"
    if how == "annotation":
        world.raw["metadata"]["annotations"] = {"twinhull.dev/restart": "now"}
    elif how == "strategy":
        world.ask({"memory": "8Gi"})
    else:
        world.ask({"memory": "8Gi"}, replacement={"strategy": "OnRestart"}, state="Stopped")
    assert world.settle() in {"Replacing", "Stopping"}
    assert world.vm["spec"]["runStrategy"] == "Halted"
    world.end()
    if how == "stop":
        assert world.settle() == "Stopped"
        world.ask({"memory": "8Gi"}, replacement={"strategy": "OnRestart"})
    assert world.settle() == "Pending"
    world.boot()
    assert world.settle() == "Ready"


PLUGGED: Raw = {"name": "logs", "dataVolume": {"name": "logs", "hotpluggable": True}}


def plug(world: World, volume: Raw, **disk: Any) -> None:
    """What KubeVirt makes of virtctl addvolume --persist, or somebody's own hand of the VirtualMachine."""
    spec = world.vm["spec"]["template"]["spec"]
    spec["volumes"] = [*spec["volumes"], volume]
    devices = spec["domain"]["devices"]
    devices["disks"] = [*devices["disks"], {"name": volume["name"], "disk": {"bus": "scsi"}, **disk}]


def names(world: World) -> tuple[list[str], list[str]]:
    spec = world.vm["spec"]["template"]["spec"]
    disks = spec["domain"]["devices"]["disks"]
    return [one["name"] for one in spec["volumes"]], [one["name"] for one in disks]


def restarted(world: World) -> None:
    assert world.settle() == "Replacing"
    world.end()
    assert world.settle() == "Pending"
    world.boot()


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


@pytest.mark.parametrize(
    ("machine", "seconds"),
    [
        ({}, 180),
        ({"os": "Windows"}, 3600),
        ({"preference": {"name": "fedora"}}, None),
        ({"overrides": {"terminationGracePeriodSeconds": 600}}, 600),
    ],
)
def test_a_system_has_time_to_shut_down(machine: Raw, seconds: int | None) -> None:
    (made,) = World(wl(machine)).case().desired.hull_objects
    assert made["spec"]["template"]["spec"].get("terminationGracePeriodSeconds") == seconds


def test_a_machine_of_an_earlier_operator_runs_on_and_is_given_what_is_new_at_its_next_start() -> None:
    """A revision says nothing of what the operator itself chooses."""
    world = running()
    assert world.vm["metadata"]["labels"]["twinhull.dev/revision"] == "24471b5d84"
    inside = world.vm["spec"]["template"]["spec"]
    for field_name in ("terminationGracePeriodSeconds", "evictionStrategy"):
        del inside[field_name]
    assert plan(world.case()).actions == ()
    assert world.settle() == "Ready", "nobody has edited it"
    inside["terminationGracePeriodSeconds"] = 5
    assert world.settle() == "MachineEdited"
    del inside["terminationGracePeriodSeconds"]
    world.raw["metadata"]["annotations"] = {"twinhull.dev/restart": "now"}
    restarted(world)
    assert world.vm["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] == 180


@pytest.mark.parametrize(
    ("machine", "version", "card"),
    [
        ({"devices": "Virtio"}, "v1.9.0", {"type": "virtio"}),
        ({"devices": "Virtio"}, "v1.8.4", None),
        ({"devices": "Compatible"}, "v1.9.0", None),
        ({"devices": "Virtio", "preference": {"name": "windows.11"}}, "v1.9.0", None),
        ({"devices": "Virtio", "os": "Linux"}, "v1.9.0", None),
    ],
)
def test_a_windows_has_the_graphics_card_that_kubevirt_lets_it_name(
    machine: Raw, version: str, card: Raw | None
) -> None:
    (made,) = with_version(World(wl({"os": "Windows"} | machine)), version).desired.hull_objects
    assert made["spec"]["template"]["spec"]["domain"]["devices"].get("video") == card


@pytest.mark.parametrize(
    ("overridden", "clock"),
    [
        (None, {"utc": {}}),
        ({"timezone": "Europe/Berlin"}, {"timezone": "Europe/Berlin"}),
        ({"timezone": None}, {"utc": {}}),
        ({"utc": {"offsetSeconds": 3600}}, {"utc": {"offsetSeconds": 3600}}),
        ({"timer": {"kvm": {}}}, {"utc": {}}),
    ],
)
def test_a_windows_has_the_time_zone_that_is_asked_for(overridden: Raw | None, clock: Raw) -> None:
    """KubeVirt ignores a time zone beside utc."""
    overrides = {"overrides": {"domain": {"clock": overridden}}} if overridden else {}
    (made,) = World(wl({"os": "Windows"} | overrides)).case().desired.hull_objects
    found = made["spec"]["template"]["spec"]["domain"]["clock"]
    assert {key: found[key] for key in found if key != "timer"} == clock


def test_a_windows_without_a_screen_names_no_graphics_card() -> None:
    overrides = {"domain": {"devices": {"autoattachGraphicsDevice": False}}}
    world = World(wl({"os": "Windows", "devices": "Virtio", "overrides": overrides}))
    (made,) = with_version(world, "v1.9.0").desired.hull_objects
    assert "video" not in made["spec"]["template"]["spec"]["domain"]["devices"]


def with_version(world: World, version: str) -> Case:
    """The case as it is with a KubeVirt of that version."""
    kubevirt = KUBEVIRT | {"status": {"phase": "Deployed", "observedKubeVirtVersion": version}}
    return case(world.raw, kubevirt, CDI, *world.objects.values())


@pytest.mark.parametrize("versions", [("v1.8.4", "v1.9.0"), ("v1.9.0", "")])
def test_another_kubevirt_restarts_no_machine_for_its_graphics_card(versions: tuple[str, str]) -> None:
    former, present = versions
    windows = {"os": "Windows", "devices": "Virtio"}
    world = running(windows)
    devices = world.vm["spec"]["template"]["spec"]["domain"]["devices"]
    (made,) = with_version(world, former).desired.hull_objects
    devices.update(made["spec"]["template"]["spec"]["domain"]["devices"])
    found = with_version(world, present)
    assert (plan(found).actions, decide(found).reason) == ((), "Ready")
    devices["video"] = {"type": "vga"}
    assert decide(with_version(world, present)).reason == "MachineEdited"


def test_a_machine_is_late_once_its_own_time_to_shut_down_is_over_too() -> None:
    """KubeVirt's objects don't have it in their deletionTimestamp, as Pods do."""
    world = running({"os": "Windows"})
    instance = world.objects["VirtualMachineInstance", NAME]
    instance["spec"]["terminationGracePeriodSeconds"] = 3600
    world.ask({"os": "Windows"}, state="Stopped")
    assert world.settle() == "Stopping"
    instance["metadata"]["deletionTimestamp"] = at(900)
    for seconds, reason in (
        (900 + 3600 + 599, "Stopping"),
        (900 + 3600 + 600, "TerminationDeadlineExceeded"),
    ):
        assert decide(at_time(world, seconds)).reason == reason
    world.ask({"os": "Windows"})
    world.vm["spec"]["runStrategy"] = "Always"
    world.vm["metadata"] |= {"deletionTimestamp": at(900), "finalizers": ["kubevirt.io/machine"]}
    assert decide(at_time(world, 900 + 3600 + 599)).reason == "Restarting"


def test_the_machine_of_a_former_workload_of_the_name_has_its_time_as_well() -> None:
    world = running({"os": "Windows"})
    world.objects["VirtualMachineInstance", NAME]["spec"]["terminationGracePeriodSeconds"] = 3600
    world.vm["metadata"] |= {"deletionTimestamp": at(900), "finalizers": ["kubevirt.io/machine"]}
    world.raw["metadata"] = world.raw["metadata"] | {"uid": "another", "creationTimestamp": at(901)}
    for seconds, reason in ((900 + 3600 + 599, "Waiting"), (900 + 3600 + 600, "TerminationDeadlineExceeded")):
        assert decide(at_time(world, seconds)).reason == reason


@pytest.mark.parametrize("state", ["while it runs", "while it is off"])
def test_what_goes_that_somebody_has_changed_is_told_by_name(state: str) -> None:
    world = running()
    if state == "while it is off":
        world.ask(state="Stopped")
        world.settle()
        world.end()
        assert world.settle() == "Stopped"
    spec = world.vm["spec"]["template"]["spec"]
    spec["domain"]["memory"] = {"guest": "6Gi"}
    spec["nodeSelector"] = {"disk": "fast"}
    plug(world, {"name": "logs", "persistentVolumeClaim": {"claimName": "logs"}})
    inside = "spec.template.spec"
    lost = (
        f"{inside}.domain.memory.guest",
        f"{inside}.domain.devices.disks[logs]",
        f"{inside}.volumes[logs]",
        f"{inside}.nodeSelector",
    )
    if state == "while it runs":
        assert world.settle() == "MachineEdited"
        assert all(field in decide(world.case()).message for field in lost)
        assert decide(world.case()).ready == "True"
        assert any(event.startswith("VirtualMachine web is ready, but") for event in world.events)
        world.raw["metadata"]["annotations"] = {"twinhull.dev/restart": "now"}
        restarted(world)
        assert world.settle() == "Ready"
    else:
        world.ask()
        assert world.settle() == "Pending"
    (message,) = [event for event in world.events if event.startswith("switched VirtualMachine web on")]
    assert message == f"switched VirtualMachine web on: set {lost[0]}; removed {', '.join(lost[1:])}"
    assert names(world) == (["boot"], ["boot"])
    assert "nodeSelector" not in world.vm["spec"]["template"]["spec"]


def test_what_kubevirt_gives_and_writes_in_its_own_way_is_nobodys_edit() -> None:
    """The uuid, the places of devices, the address of the card; quantities; what is empty."""
    world = running({"memory": "4096Mi", "firmware": {"bootloader": "UEFI", "secureBoot": False}})
    template = world.vm["spec"]["template"]
    places = {"kubevirt.io/pci-topology-version": "v3"}
    template["metadata"] |= {"creationTimestamp": None, "annotations": dict(places)}
    spec = template["spec"]
    spec |= {"architecture": "amd64"}
    domain = spec["domain"]
    domain |= {"memory": {"guest": "4Gi"}, "machine": {"type": "q35"}, "resources": {}}
    domain["firmware"] = {"bootloader": {"efi": {"secureBoot": False}}, "uuid": "u", "serial": "s"}
    domain["devices"]["interfaces"][0]["macAddress"] = "02:00:00:00:00:01"
    assert world.settle() == "Ready"
    world.ask({"memory": "8Gi"})
    restarted(world)
    assert world.vm["spec"]["template"]["metadata"]["annotations"] == places
    assert "switched VirtualMachine web on: set spec.template.spec.domain.memory.guest" in world.events


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


def at_time(world: World, seconds: float) -> Case:
    """What is seen so many seconds after everything was created."""
    return replace(world.case(), now=CREATED + timedelta(seconds=seconds))


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


def test_a_stopped_machine_stays_with_its_disk() -> None:
    world = running()
    world.ask(state="Stopped")
    assert world.settle() == "Stopping"
    world.end()
    assert world.settle() == "Stopped"
    assert world.kinds == ["DataVolume", "PersistentVolumeClaim", "VirtualMachine"]
    world.ask()
    assert world.settle() == "Pending"
    assert world.vm["spec"]["runStrategy"] == "Always"
    assert world.deleted == []


def test_a_machine_that_somebody_else_stopped_is_told_apart() -> None:
    world = running()
    world.vm["spec"]["runStrategy"] = "Halted"
    world.end()
    world.objects["VirtualMachine", NAME] = world.vm | {"status": {"printableStatus": "Stopped"}}
    assert world.settle() == "Halted"
    assert world.vm["spec"]["runStrategy"] == "Halted"
    for seconds in (0, 601, 90_000):
        step = decide(replace(world.case(), now=NOW + timedelta(seconds=seconds)))
        assert (step.reason, step.stalled, step.reconciling) == ("Halted", True, False), seconds
        assert step.message.startswith(
            "VirtualMachine web: somebody stopped the VirtualMachine itself: to start"
        )


@pytest.mark.parametrize("strategy", ["Recreate", "OnRestart"])
def test_a_restart_starts_a_machine_that_somebody_else_stopped(strategy: str) -> None:
    """What Halted's message tells people to do."""
    world = running(replacement={"strategy": strategy})
    world.vm["spec"]["runStrategy"] = "Halted"
    world.end()
    step = decide(world.case())
    assert step.reason == "Halted"
    assert f"run twinhull restart {NAME} -n shop;" in step.message
    metadata = world.raw["metadata"]
    world.raw = world.raw | {"metadata": metadata | {"annotations": {"twinhull.dev/restart": "now"}}}
    world.settle()
    assert world.vm["spec"]["runStrategy"] == "Always"
    assert world.deleted == []


def test_from_disk_to_container_and_back() -> None:
    world = running(template=True)
    assert world.attached == [True]
    world.ask(template=True, isolationPolicy="Container")
    assert world.settle() == "Replacing"
    assert "Pod" not in world.kinds, "two never run"
    world.end()
    assert world.settle() == "Pending"
    assert world.kinds == ["DataVolume", "PersistentVolumeClaim", "Pod", "VirtualMachine"]
    assert world.attached == [False]
    assert world.raw["status"]["disks"][0]["claim"] == "web-boot"
    world.ask(template=True)
    assert world.settle() == "Pending"
    assert world.kinds == ["DataVolume", "PersistentVolumeClaim", "VirtualMachine"]
    assert world.vm["spec"]["runStrategy"] == "Always"
    assert [key for key in world.deleted if not key.startswith("Pod/")] == []


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


def conditions_of(world: World) -> tuple[str, str, str]:
    """What the status says of Ready, Reconciling and Stalled."""
    found = {one["type"]: one["status"] for one in world.raw["status"]["conditions"]}
    return found["Ready"], found["Reconciling"], found["Stalled"]


RUNS = "; VirtualMachine web keeps running"


def test_what_keeps_the_next_hull_from_being_made_says_that_the_former_machine_keeps_running() -> None:
    """Ready is about the hull that the spec asks for (docs/adr/0004)."""
    world = running()
    world.ask(isolationPolicy="Container")
    assert world.settle() == "TemplateMissing"
    assert (conditions_of(world), decide(world.case()).message[-len(RUNS) :]) == (
        ("False", "False", "True"),
        RUNS,
    )
    assert world.attached == [True]
    world.ask({"bootDisk": BOOT | {"name": "second"}})
    assert world.settle() == "DiskWaiting"
    assert (conditions_of(world), decide(world.case()).message[-len(RUNS) :]) == (
        ("False", "True", "False"),
        RUNS,
    )
    assert [(disk["name"], disk["attached"]) for disk in world.raw["status"]["disks"]] == [
        ("second", False),
        ("boot", True),
    ]
    former = world.raw["status"]["disks"][1]
    assert (former["claim"], former["phase"], former["size"]) == ("web-boot", "Succeeded", "42Gi")


def test_a_flip_that_is_refused_for_a_disk_says_that_the_machine_keeps_running() -> None:
    world = running(template=True)
    volumes = [{"name": "data", "persistentVolumeClaim": {"claimName": "web-boot"}}]
    flipped = wl(template=True, isolationPolicy="Container")["spec"]
    flipped["template"]["spec"]["volumes"] = volumes
    world.raw = world.raw | {"spec": flipped}
    assert world.settle() == "ClaimIsDisk"
    assert conditions_of(world) == ("False", "False", "True")
    assert decide(world.case()).message.endswith(RUNS)


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


def test_a_volume_that_somebody_plugged_in_is_no_disk_of_the_workload() -> None:
    world = running()
    plug(world, PLUGGED)
    instance = world.objects["VirtualMachineInstance", NAME]
    instance["spec"] = {"volumes": world.vm["spec"]["template"]["spec"]["volumes"]}
    world.settle()
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


def test_what_cdi_says_of_the_usual_course_alarms_nobody() -> None:
    world = World(wl())
    world.settle()
    world.tell("ImportInProgress", restarts=1, message="scratch space required and none found")
    assert world.settle() == "DiskImporting"
    assert "disk boot: the importer starts again with scratch space" in decide(world.case()).message
    world.tell("ImportInProgress", restarts=1, message="Import Complete")
    assert world.settle() == "DiskImporting"
    assert decide(world.case()).message == "disk boot: ImportInProgress"


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


def test_without_a_template_no_container_runs() -> None:
    found = case(wl(isolationPolicy="Container"), KUBEVIRT, CDI)
    assert (decide(found).reason, plan(found).actions) == ("TemplateMissing", ())
    assert "spec.virtualMachine.bootDisk" in decide(found).message


def test_two_machines_never_have_one_disk() -> None:
    found = case(wl(replacement={"strategy": "StartFirst"}), KUBEVIRT, CDI)
    assert (decide(found).reason, plan(found).actions) == ("CannotStartFirst", ())


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


def test_its_service_has_the_ports_that_are_given() -> None:
    port: Raw = {"port": 80, "targetPort": 8080}
    service = case(wl(service={"ports": [port]}), KUBEVIRT, CDI).desired.service
    assert service is not None
    assert service["spec"]["ports"] == [{"name": "tcp-80", "port": 80, "targetPort": 8080, "protocol": "TCP"}]
    assert service["spec"]["selector"] == {WORKLOAD_LABEL: NAME}


def test_a_machine_whose_label_is_lost_is_still_known() -> None:
    world = running()
    world.vm["metadata"]["labels"] = {WORKLOAD_LABEL: NAME}
    assert world.settle() == "Ready"
    assert world.vm["spec"]["runStrategy"] == "Always"


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


def test_a_machine_is_off_when_kubevirt_says_so_and_not_when_its_instance_isnt_seen() -> None:
    world = running(template=True)
    world.ask(template=True, isolationPolicy="Container")
    assert world.settle() == "Replacing"
    del world.objects["VirtualMachineInstance", NAME]  # its label was taken off, or it wasn't seen yet
    assert world.settle() == "Replacing"
    assert "Pod" not in world.kinds, "two never run"
    vm = world.vm | {"status": {"printableStatus": "Stopped", "created": True}}
    world.objects["VirtualMachine", NAME] = vm
    assert world.settle() == "Replacing"
    world.objects["VirtualMachine", NAME] = vm | {"status": {"printableStatus": "Stopped"}}
    assert world.settle() == "Pending"
    assert "Pod" in world.kinds


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


NOT_FOUND = "expected status code 200, got 404"


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


@pytest.mark.parametrize("printed", ["Stopped", "Provisioning", "DataVolumeError"])
def test_a_machine_is_off_once_kubevirt_has_seen_that_it_was_halted(printed: str) -> None:
    """What KubeVirt says of the disks it said before, too, while it was making an instance."""
    world = running()
    world.ask(state="Stopped")
    world.settle()
    del world.objects["VirtualMachineInstance", NAME]
    for known in ({"created": True, "runStrategy": "Halted"}, {"created": False, "runStrategy": "Always"}):
        world.objects["VirtualMachine", NAME] = world.vm | {"status": {"printableStatus": printed, **known}}
        assert world.settle() == "Stopping"
    halted = {"printableStatus": printed, "runStrategy": "Halted"}
    world.objects["VirtualMachine", NAME] = world.vm | {"status": halted}
    assert world.settle() == "Stopped"


@pytest.mark.parametrize("printed", ["Starting", "Running", "Stopping", "Migrating", "Paused", "Unknown", ""])
def test_a_machine_isnt_off_while_kubevirt_says_anything_else(printed: str) -> None:
    world = running()
    world.ask(state="Stopped")
    world.settle()
    del world.objects["VirtualMachineInstance", NAME]
    status = {"printableStatus": printed, "runStrategy": "Halted"}
    world.objects["VirtualMachine", NAME] = world.vm | {"status": status}
    assert world.settle() == "Stopping"


@pytest.mark.parametrize(
    ("firmware", "lost"),
    [
        ({"bootloader": "UEFI"}, ""),
        ({"bootloader": "UEFI", "tpm": "Persistent"}, ", without the state of its TPM and firmware"),
        ({"bootloader": "UEFI", "persistent": True}, ", without the state of its TPM and firmware"),
    ],
)
def test_of_a_machine_that_somebody_deletes_it_is_told_that_it_is_made_anew(firmware: Raw, lost: str) -> None:
    world = running({"firmware": firmware})
    world.vm["metadata"] |= {"deletionTimestamp": at(899), "finalizers": ["kubevirt.io/machine"]}
    assert world.settle() == "Restarting"
    assert decide(world.case()).message == (
        "VirtualMachine web is being deleted by somebody else; the operator makes it again once it is gone"
        f"{lost}"
    )


def test_a_machine_that_is_being_switched_off_is_switched_on_again() -> None:
    world = running()
    world.ask(state="Stopped")
    assert world.settle() == "Stopping"
    world.ask()
    assert world.settle() == "Restarting"
    assert decide(world.case()).message == (
        "VirtualMachine web is being switched off; the operator switches it on again once it is off"
    )


def test_nobody_is_advised_to_delete_a_machine_that_isnt_off_in_time() -> None:
    world = running()
    world.ask(state="Stopped")
    assert world.settle() == "Stopping"
    late = decide(at_time(world, 86_400))
    assert (late.reason, late.stalled) == ("TerminationDeadlineExceeded", True)
    assert late.message == (
        "VirtualMachine web has not ended in time: see VirtualMachineInstance web, its launcher Pod and its "
        "node; if the node is gone for good, delete the launcher Pod with kubectl delete --force pod -l "
        "kubevirt.io/created-by=uid-instance -n shop, and keep VirtualMachine web, which has the state of "
        "the machine's TPM and firmware"
    )
    del world.objects["VirtualMachineInstance", NAME]
    assert decide(at_time(world, 86_400)).message == (
        "VirtualMachine web has not ended in time: KubeVirt doesn't report that VirtualMachine web is off: "
        "see whether virt-controller runs (kubectl get pods -n kubevirt)"
    )
    world.vm["metadata"] |= {"deletionTimestamp": at(899), "finalizers": ["a.example/b"]}
    assert decide(at_time(world, 86_400)).message == (
        "VirtualMachine web has not ended in time: see its finalizers (a.example/b) and its node; if the "
        "node is gone for good, delete it with kubectl delete --force virtualmachine/web -n shop"
    )


def test_the_mark_of_a_disks_claim_is_put_back_and_anothers_is_told() -> None:
    world = running()
    claim = world.objects["PersistentVolumeClaim", "web-boot"]
    claim["metadata"]["labels"] = {}
    assert world.settle() == "Ready"
    assert world.objects["PersistentVolumeClaim", "web-boot"]["metadata"]["labels"] == {DISK_LABEL: NAME}
    world.objects["PersistentVolumeClaim", "web-boot"]["metadata"]["labels"] = {DISK_LABEL: "other"}
    assert world.settle() == "DiskConflict"
    assert decide(world.case()).ready == "True"


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


def test_a_pod_like_its_launcher_is_tried_out_under_a_name_that_hulls_have() -> None:
    (tried,) = [
        action.obj
        for action in rehearsals(replace_with_memory())
        if isinstance(action, Rehearse) and action.stands_for == "launcher"
    ]
    revision = tried["metadata"]["labels"]["twinhull.dev/revision"]
    assert tried["metadata"]["name"] == f"{NAME}-{revision}"


def replace_with_memory() -> Case:
    """A machine that runs is to have more memory, and nothing of that was tried out yet."""
    world = running()
    world.ask({"memory": "8Gi"})
    found = world.case()
    return replace(found, observed=replace(found.observed, rehearsed=frozenset()))


def test_a_disk_is_attached_while_a_machine_has_it() -> None:
    world = running(template=True, replacement={"strategy": "OnRestart"})
    world.ask({"memory": "8Gi"}, template=True, replacement={"strategy": "OnRestart"})
    assert world.settle() == "RestartRequired"
    assert world.attached == [True]
    world.ask(template=True, isolationPolicy="Container")
    assert world.settle() == "Replacing"
    assert world.attached == [True]


@pytest.mark.parametrize("note", ["switched-off", "switched-on"])
@pytest.mark.parametrize("time", ["9999-12-31T23:59:59+00:00", "never", "2026-01-01T00:00:00"])
def test_a_time_that_somebody_wrote_ends_no_pass(note: str, time: str) -> None:
    world = running()
    world.vm["metadata"]["annotations"] = {f"twinhull.dev/{note}": time}
    world.vm["spec"]["runStrategy"] = "Halted"
    world.settle()


def test_a_card_keeps_the_address_that_it_was_given() -> None:
    world = running()
    (card,) = world.vm["spec"]["template"]["spec"]["domain"]["devices"]["interfaces"]
    card["macAddress"] = "02:00:00:00:00:01"
    world.ask({"memory": "8Gi"})
    world.settle()
    world.end()
    assert world.settle() == "Pending"
    (card,) = world.vm["spec"]["template"]["spec"]["domain"]["devices"]["interfaces"]
    assert card["macAddress"] == "02:00:00:00:00:01"
    assert world.vm["spec"]["template"]["spec"]["domain"]["memory"] == {"guest": "8Gi"}


EVICTION = {"deadlineSeconds": 600, "gracePeriodSeconds": 30}
REACHING = {"overrides": {"domain": {"devices": {"hostDevices": [{"name": "a", "deviceName": "vendor/b"}]}}}}


def below_floor(since: str | None = None, **spec: Any) -> World:
    """A Workload whose machine runs with a device of its node, and a policy that evicts what does."""
    world = running(REACHING, **spec)
    instance = world.objects["VirtualMachineInstance", NAME]
    inside = world.vm["spec"]["template"]["spec"]
    instance["spec"] = {"domain": inside["domain"], "volumes": inside["volumes"]}
    floor = policy("machines", minimum="VirtualMachine", onViolation="Evict", eviction=EVICTION)
    world.objects["IsolationPolicy", "machines"] = floor
    world.objects["Namespace", "shop"] = namespace()
    if since:
        world.raw["status"]["isolation"]["pendingSince"] = since
    return world


def test_what_a_policy_evicts_is_switched_off_and_keeps_what_its_firmware_has() -> None:
    world = below_floor(at(0))
    world.settle()
    assert (world.deleted, world.vm["spec"]["runStrategy"]) == ([], "Halted")
    found = world.case()
    assert plan(found).actions == ()
    later = plan(replace(found, now=NOW + timedelta(minutes=10))).actions
    assert [action.key for action in later if isinstance(action, Delete)] == ["VirtualMachine/web"]


def test_a_machines_own_grace_period_delays_no_eviction() -> None:
    world = below_floor(at(0))
    world.objects["VirtualMachineInstance", NAME]["spec"]["terminationGracePeriodSeconds"] = 10**9
    world.settle()
    for is_deleted in (False, True):
        if is_deleted:
            world.objects["VirtualMachineInstance", NAME]["metadata"]["deletionTimestamp"] = at(900)
        late = plan(replace(world.case(), now=NOW + timedelta(minutes=10))).actions
        assert [action.key for action in late if isinstance(action, Delete)] == ["VirtualMachine/web"]


def test_what_runs_below_a_floor_is_counted_whatever_it_is_to_be_at_its_next_start() -> None:
    strategy = {"strategy": "OnRestart"}
    world = below_floor(replacement=strategy)
    assert world.case().compliance.shortfalls
    template = world.vm["spec"]["template"]
    bare = template["spec"]["domain"]["devices"].copy()
    del bare["hostDevices"]
    domain = template["spec"]["domain"] | {"devices": bare}
    labels = template["metadata"]["labels"] | {"twinhull.dev/revision": "another"}
    world.vm["spec"]["template"] = {
        "metadata": {"labels": labels},
        "spec": template["spec"] | {"domain": domain},
    }
    assert world.case().compliance.shortfalls, "it runs as it was"
    world.ask(replacement=strategy)
    assert world.settle() == "Replacing", "a policy doesn't wait for a restart"
