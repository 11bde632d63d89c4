"""Claims of a template that are disks of its machine: noted before it is made, and nobody else's since."""

from __future__ import annotations

from typing import Any

import pytest

from twinhull.api.base import Raw
from twinhull.core.actions import Action, Change, Create
from twinhull.core.companions import upkeep
from twinhull.core.decision import decide
from twinhull.hulls.attachments import DISK_OF_ANNOTATION
from twinhull.hulls.hull import DISK_LABEL, WORKLOAD_LABEL

from .objects import GVISOR, KUBEVIRT, case, hull, workload

POD = {
    "containers": [
        {"name": "db", "image": "postgres:18", "volumeMounts": [{"name": "data", "mountPath": "/data"}]}
    ],
    "volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": "pg"}}],
}
AS_DISK: Raw = {"claims": [{"volume": "data", "as": "Disk"}]}
OPEN = KUBEVIRT | {
    "spec": {"configuration": {"developerConfiguration": {"featureGates": ["EnableVirtioFsStorageVolumes"]}}}
}


def wl(isolation: str = "VirtualMachine", machine: Raw = AS_DISK, **spec: Any) -> Raw:
    return workload({"isolationPolicy": isolation, "virtualMachine": machine, **spec}, pod=POD)


def claim(disk_of: str = "", *modes: str) -> Raw:
    annotations = {"annotations": {DISK_OF_ANNOTATION: disk_of}} if disk_of else {}
    spec = {"accessModes": list(modes or ("ReadWriteOnce",))}
    return {"kind": "PersistentVolumeClaim", "metadata": {"name": "pg", **annotations}, "spec": spec}


def labelled(label: str, name: str) -> Raw:
    """A claim that a label says is a disk, or an ephemeral volume, of the Workload of that name."""
    found = claim()
    found["metadata"]["labels"] = {label: name}
    return found


def decided(raw: Raw, *objects: Raw) -> tuple[str, str, tuple[Action, ...]]:
    step = decide(case(raw, OPEN, GVISOR, *objects))
    return step.reason, step.message, step.actions


def noted(changes: Any) -> Raw | None:
    found = [one for one in changes if isinstance(one, Change) and one.kind == "PersistentVolumeClaim"]
    return found[0].patch["metadata"]["annotations"] if found else None


def test_a_claim_says_whose_disk_it_is_before_the_machine_is_made() -> None:
    reason, message, actions = decided(wl(), claim())
    assert (reason, message) == ("Creating", "noting that PersistentVolumeClaim pg is a disk")
    assert noted(actions) == {DISK_OF_ANNOTATION: "web"}
    assert not any(isinstance(action, Create) for action in actions)

    reason, _, actions = decided(wl(), claim("web"))
    assert reason == "Creating"
    assert noted(actions) is None
    assert any(isinstance(action, Create) for action in actions)


def test_a_claim_that_is_shared_is_not_noted() -> None:
    _, _, actions = decided(wl(machine={}), claim())
    assert noted(actions) is None


def test_the_note_is_put_back_while_the_machine_is_there() -> None:
    machine = hull("VirtualMachine", case(wl()).hull_name)
    assert noted(upkeep(case(wl(), KUBEVIRT, machine, claim()))) == {DISK_OF_ANNOTATION: "web"}
    for holder in ("web", "bank"):
        assert noted(upkeep(case(wl(), KUBEVIRT, machine, claim(holder)))) is None


@pytest.mark.parametrize(
    ("raw", "instead"),
    [
        (wl("Container"), "set spec.isolationPolicy to VirtualMachine, or copy the data"),
        (
            wl("Sandbox", sandbox={"runtimeClassName": "gvisor"}),
            "set spec.isolationPolicy to VirtualMachine, or copy the data",
        ),
        (wl(machine={}), "name the volume in spec.virtualMachine.claims (volume: data, as: Disk), or copy"),
    ],
    ids=["Container", "Sandbox", "a machine that shares it"],
)
def test_what_cannot_read_a_disk_is_refused_and_what_runs_is_left_alone(raw: Raw, instead: str) -> None:
    running = hull("VirtualMachine", case(wl()).hull_name)
    reason, message, actions = decided(raw, claim("web"), running)
    assert reason == "ClaimIsDisk"
    assert message.startswith(
        "spec.template.spec.volumes[data].persistentVolumeClaim: PersistentVolumeClaim pg has the disk of a "
        "machine (Workload web) on it, which no Pod can read: "
    )
    assert instead in message
    assert actions == ()
    assert decided(raw, claim(), running)[0] == "Replacing"


def test_a_disk_of_another_workload_is_refused() -> None:
    reason, message, actions = decided(wl(), claim("bank"))
    assert reason == "ClaimIsDisk"
    assert "is a disk of Workload bank" in message
    assert actions == ()


def test_an_ephemeral_volume_of_another_workload_is_no_disk() -> None:
    reason, message, actions = decided(wl(), labelled(WORKLOAD_LABEL, "bank"))
    assert reason == "ClaimIsDisk"
    assert message.endswith("is a disk of Workload bank: use another claim")
    assert actions == ()
    assert decided(wl("Container"), labelled(WORKLOAD_LABEL, "bank"))[0] == "Creating"


AS_DEVICE = {
    "containers": [
        {"name": "db", "image": "postgres:18", "volumeDevices": [{"name": "data", "devicePath": "/dev/data"}]}
    ],
    "volumes": POD["volumes"],
}
SANDBOX: Raw = {"sandbox": {"runtimeClassName": "gvisor"}}


@pytest.mark.parametrize("pod", [POD, AS_DEVICE], ids=["as files", "as a device"])
@pytest.mark.parametrize(
    ("isolation", "more"),
    [("Container", {}), ("Sandbox", SANDBOX), ("VirtualMachine", {})],
    ids=["Container", "Sandbox", "VirtualMachine"],
)
@pytest.mark.parametrize(
    ("disk_of", "whose"),
    [
        ("bank", "is a disk of Workload bank, and a second writer would destroy what is on it: "),
        ("web", "is a disk of this Workload's machine (spec.virtualMachine.bootDisk or disks), which "),
    ],
    ids=["another's", "its own"],
)
def test_a_disk_that_a_machine_boots_is_mounted_by_no_template(
    pod: Raw, isolation: str, more: Raw, disk_of: str, whose: str
) -> None:
    raw = workload({"isolationPolicy": isolation, **more}, pod=pod)
    reason, message, actions = decided(raw, labelled(DISK_LABEL, disk_of))
    assert reason == "ClaimIsDisk"
    assert message.startswith(
        f"spec.template.spec.volumes[data].persistentVolumeClaim: PersistentVolumeClaim pg {whose}"
    )
    assert "use another claim, or remove the claim's label twinhull.dev/disk-of once " in message
    assert actions == ()
    assert decided(raw, claim())[0] == "Creating", "nobody boots it"


def test_a_disk_that_another_workload_boots_is_no_disk_of_a_guest() -> None:
    reason, message, actions = decided(wl(), labelled(DISK_LABEL, "bank"))
    assert reason == "ClaimIsDisk"
    assert "is a disk of Workload bank, and a second writer" in message
    assert actions == ()
    assert decided(wl(), labelled(DISK_LABEL, "web"))[0] == "Creating", "a data disk may go on as one"


def test_what_runs_is_left_alone_when_a_change_mounts_another_workloads_disk() -> None:
    running = hull("Pod", "web-9former", status={"phase": "Running"})
    reason, _, actions = decided(wl("Container"), labelled(DISK_LABEL, "bank"), running)
    assert (reason, actions) == ("ClaimIsDisk", ())


def test_a_machine_that_boots_a_disk_mounts_nothing_of_the_template() -> None:
    disk = {"source": {"containerDisk": {"image": "registry.example/disk:1"}}}
    machine: Raw = {"memory": "1Gi", "firmware": {"bootloader": "BIOS"}, "bootDisk": disk}
    assert decided(wl(machine=machine), labelled(DISK_LABEL, "bank"))[0] == "Creating"


def test_a_disk_of_a_guest_is_booted_by_no_other_workload() -> None:
    disk = {"source": {"claim": {"name": "pg"}}}
    machine: Raw = {"memory": "1Gi", "firmware": {"bootloader": "BIOS"}, "bootDisk": disk}
    assert decided(wl(machine=machine), claim("bank"))[0] == "DiskConflict"
    assert decided(wl(machine=machine), claim())[0] != "DiskConflict"


VOLUMES = [{"name": "data", "persistentVolumeClaim": {"claimName": "pg"}}]


@pytest.mark.parametrize(
    "running",
    [
        hull("Pod", "web-9former", spec={"volumes": VOLUMES}, status={"phase": "Running"}),
        hull("VirtualMachine", "web-9former", spec={"template": {"spec": {"volumes": VOLUMES}}}),
    ],
    ids=["a Pod", "a machine that shares it"],
)
def test_the_files_of_what_runs_are_not_left_behind_unsaid(running: Raw) -> None:
    reason, message, actions = decided(wl(), claim(), running)
    assert reason == "ClaimHasFiles"
    assert message.startswith(
        f"spec.virtualMachine.claims[data]: {running['kind']} web-9former has PersistentVolumeClaim pg, and "
        "what it wrote there wouldn't be on the machine's disk: "
    )
    runs = f"{running['kind']} web-9former keeps running"
    assert message.endswith(f"set the claim's annotation twinhull.dev/guest-disk-of to web; {runs}")
    assert actions == ()
    assert decided(wl(), claim("web"), running)[0] == "Replacing", "its owner has said so"


def test_a_claim_that_what_runs_does_not_have_may_become_a_disk() -> None:
    running = hull("Pod", "web-9former", spec={"volumes": [{"name": "tmp", "emptyDir": {}}]})
    assert decided(wl(), claim(), running)[0] == "Replacing"


def test_a_claim_that_nobody_may_write_to_is_no_disk() -> None:
    reason, message, _ = decided(wl(), claim("", "ReadOnlyMany"))
    assert (reason, message.partition(":")[0]) == ("ClaimReadOnly", "spec.virtualMachine.claims[data]")
    assert decided(wl(), claim("", "ReadOnlyMany", "ReadWriteMany"))[0] == "Creating"
    assert decided(wl("Container"), claim("", "ReadOnlyMany"))[0] == "Creating"


def test_two_machines_never_have_one_disk() -> None:
    first: Raw = {"replacement": {"strategy": "StartFirst"}}
    reason, message, _ = decided(wl(**first), claim("web", "ReadWriteMany"))
    assert reason == "CannotStartFirst"
    assert "claim pg is a disk, which only one machine can mount at a time" in message
    assert decided(wl(machine={}, **first), claim("", "ReadWriteMany"))[0] == "Creating"


def test_a_change_of_how_a_claim_is_attached_makes_another_revision() -> None:
    assert case(wl()).revision != case(wl(machine={})).revision
    assert case(wl("Container")).revision == case(wl("Container", machine={})).revision
