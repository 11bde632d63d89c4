"""A machine that lasts is switched off, changed and switched on again, and isn't deleted meanwhile."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from twinhull.api.base import Raw
from twinhull.core.actions import Delete
from twinhull.core.decision import decide
from twinhull.core.plan import plan
from twinhull.hulls.hull import WORKLOAD_LABEL
from twinhull.hulls.switching import OFF_ANNOTATION

from .diskworld import BOOT, RUNS, World, at_time, conditions_of, names, plug, restarted, running, wl
from .objects import NAME, NOW, at
from .policies import namespace, policy


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


def test_a_machine_whose_label_is_lost_is_still_known() -> None:
    world = running()
    world.vm["metadata"]["labels"] = {WORKLOAD_LABEL: NAME}
    assert world.settle() == "Ready"
    assert world.vm["spec"]["runStrategy"] == "Always"


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


@pytest.mark.parametrize("note", ["switched-off", "switched-on"])
@pytest.mark.parametrize("time", ["9999-12-31T23:59:59+00:00", "never", "2026-01-01T00:00:00"])
def test_a_time_that_somebody_wrote_ends_no_pass(note: str, time: str) -> None:
    world = running()
    world.vm["metadata"]["annotations"] = {f"twinhull.dev/{note}": time}
    world.vm["spec"]["runStrategy"] = "Halted"
    world.settle()


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
