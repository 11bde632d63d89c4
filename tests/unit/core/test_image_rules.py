"""The rule image_rejected: policies with rules for images of machines."""

from __future__ import annotations

import pytest

from twinhull.api.base import Raw
from twinhull.core.decision import decide
from twinhull.core.plan import plan
from twinhull.hulls.disknotes import POD_PHASE_ANNOTATION
from twinhull.hulls.diskorigin import CREATED_FOR_ANNOTATION, OTHERWISE_FILLED
from twinhull.hulls.hull import DISK_LABEL

from .objects import KUBEVIRT, NAME, case, hull, running, workload
from .policies import namespace, policy
from .test_below_floor import OF_CLUSTER, OF_NAMESPACE, machines

LISTED = policy("images", machines={"guestImages": ["registry.example/guests/*"]})
PINNED = policy("pinned", machines={"imagesMustBePinned": True})
CDI: Raw = {"kind": "CDI", "metadata": {"name": "cdi"}, "status": {"phase": "Deployed"}}


def machine(isolation: str = "VirtualMachine", **built: object) -> Raw:
    return workload({"isolationPolicy": isolation, "virtualMachine": built})


def test_a_machine_of_another_image_is_not_made_and_what_runs_is_left_alone() -> None:
    raw = machine(guestImage="evil/guest:1")
    for objects in ((), (hull("Pod", "web-1before", status=running()),)):
        found = case(raw, namespace(), LISTED, KUBEVIRT, *objects)
        step = decide(found)
        assert (step.ready, step.stalled, step.reason) == ("False", True, "ImageRejected")
        assert step.message == (
            "spec.virtualMachine.guestImage: evil/guest:1 matches none of the guestImages of "
            "IsolationPolicy images: name an image that the policy's guestImages allow"
        )
        assert [action.key for action in plan(found).actions if not action.key.startswith("Service/")] == []


def test_a_machine_that_a_policy_asks_for_is_held_to_it_too() -> None:
    floor = policy("floor", minimum="VirtualMachine")
    raw = machine("Container", guestImage="evil/guest:1")
    assert decide(case(raw, namespace(), LISTED, floor, KUBEVIRT)).reason == "ImageRejected"
    assert decide(case(raw, namespace(), LISTED, KUBEVIRT)).reason == "Creating", "a Pod boots no guest image"


@pytest.mark.parametrize("own", [{}, {"guestImage": "registry.example/guests/own:1"}])
def test_images_that_administrators_name_are_allowed(own: Raw) -> None:
    named = policy("named", virtualMachine={"guestImage": "elsewhere/guest:1"})
    assert decide(case(machine(**own), namespace(), LISTED, named, KUBEVIRT)).reason == "Creating"
    assert decide(case(machine(**own), namespace(), LISTED, KUBEVIRT)).reason == "Creating"


@pytest.mark.parametrize("field", ["instancetype", "preference"])
def test_nothing_runs_beside_the_images_by_what_the_namespace_brings(field: str) -> None:
    kind = f"VirtualMachine{field.capitalize()}"
    own = {
        "kind": kind,
        "metadata": {"name": "own"},
        "spec": {"annotations": {"hooks.kubevirt.io/hookSidecars": '[{"image": "evil"}]'}},
    }
    named: Raw = {field: {"name": "own", "kind": kind}}
    raw = workload({"isolationPolicy": "VirtualMachine", "virtualMachine": named})
    step = decide(case(raw, namespace(), LISTED, KUBEVIRT, own))
    assert step.reason == "ImageRejected"
    assert step.message.startswith(f"spec.virtualMachine.{field}: {kind} own has the annotation hooks.")
    raw["spec"]["template"]["metadata"] = {"annotations": {"hooks.kubevirt.io/hookSidecars": "[]"}}
    assert "spec.template.metadata.annotations" in decide(case(raw, namespace(), LISTED, KUBEVIRT)).message


@pytest.mark.parametrize("of", [OF_NAMESPACE, OF_CLUSTER])
@pytest.mark.parametrize("key", ["hooks.kubevirt.io/hookSidecars", "sidecar.istio.io/proxyImage", "note"])
def test_a_machine_that_was_started_with_another_program_is_told(of: str, key: str) -> None:
    """The instancetype had the annotation between the check and the start, and doesn't have it any more."""
    raw, vm, vmi = machines(of, annotations={key: "x", "kubevirt.io/vm-generation": "1"})
    size = {"cpu": {"guest": 1}, "memory": {"guest": "1Gi"}}
    clean = {"kind": of, "metadata": {"name": "small"}, "spec": size}
    found = case(raw, namespace(), LISTED, KUBEVIRT, clean, vm, vmi)
    step = decide(found)
    told = of == OF_NAMESPACE and key != "note"
    assert (step.reason == "ImageRejected") == told
    if told:
        with_it = f"{vm['metadata']['name']} was started with metadata.annotations[{key}] ("
        assert step.message.startswith(f"VirtualMachine {with_it}")
        assert "run twinhull restart web" in step.message
        assert not [action.key for action in plan(found).actions if action.key.startswith("Virtual")]
        again = raw | {"metadata": raw["metadata"] | {"annotations": {"twinhull.dev/restart": "1"}}}
        assert decide(case(again, namespace(), LISTED, KUBEVIRT, clean, vm, vmi)).reason != "ImageRejected"
    assert decide(case(raw, namespace(), KUBEVIRT, clean, vm, vmi)).reason != "ImageRejected", "no rules"


def test_a_policy_for_others_has_no_say() -> None:
    elsewhere = {"namespaceSelector": {"matchLabels": {"a": "b"}}}
    others = policy("others", match=elsewhere, machines={"guestImages": []})
    assert decide(case(machine(guestImage="any"), namespace(), others, KUBEVIRT)).reason == "Creating"


def test_a_message_tells_of_some_of_many() -> None:
    many = [{"name": f"c{number}", "image": "nginx:1"} for number in range(120)]
    raw = workload({"isolationPolicy": "VirtualMachine"}, pod={"containers": many})
    step = decide(case(raw, namespace(), PINNED, KUBEVIRT))
    assert step.reason == "ImageRejected"
    assert step.message.endswith(": write the image as name@digest; and 112 more")
    assert step.message.count("write the image") == 1
    assert len(step.message) < 2048


def test_a_message_says_of_each_what_to_do() -> None:
    both = policy("both", machines={"guestImages": [], "imagesMustBePinned": True})
    raw = workload({"isolationPolicy": "VirtualMachine", "virtualMachine": {"guestImage": "guest:1"}})
    raw["spec"]["template"]["metadata"] = {"annotations": {"hooks.kubevirt.io/hookSidecars": "[]"}}
    pod = raw["spec"]["template"]["spec"]["containers"][0]
    message = decide(case(raw, namespace(), both, KUBEVIRT)).message
    assert message == (
        "spec.virtualMachine.guestImage: guest:1 matches none of the guestImages of IsolationPolicy both: "
        "name an image that the policy's guestImages allow; "
        f"spec.template.spec.containers[{pod['name']}].image: IsolationPolicy both requires an image as "
        f"name@digest, and this is {pod['image']}; "
        "spec.virtualMachine.guestImage: IsolationPolicy both requires an image as name@digest, and this is "
        "guest:1: write the image as name@digest; "
        "spec.template.metadata.annotations[hooks.kubevirt.io/hookSidecars]: it runs another program beside "
        "the machine, and changes the machine, and IsolationPolicy both has rules for images: remove it"
    )


def disk_claim(disk: str, *, filled: bool = True) -> Raw:
    """A claim with the label of a disk of the Workload, without a DataVolume."""
    phase = {} if filled else {"annotations": {POD_PHASE_ANNOTATION: "Running"}}
    return {
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": f"{NAME}-{disk}", "labels": {DISK_LABEL: NAME}, "uid": disk, **phase},
        "spec": {"resources": {"requests": {"storage": "1Gi"}}},
        "status": {"phase": "Bound", "capacity": {"storage": "1Gi"}},
    }


def with_disks(**second: object) -> Raw:
    """A machine with two disks of an allowed image. The second is booted only with a bootOrder."""
    source = {"registry": {"url": "docker://registry.example/guests/disk"}}
    return machine(
        memory="1Gi",
        firmware={"bootloader": "BIOS"},
        bootDisk={"source": source, "size": "1Gi"},
        disks=[{"name": "data", "source": source, "size": "1Gi", **second}],
    )


@pytest.mark.parametrize("filled", [True, False])
def test_a_claim_that_anybody_may_have_filled_is_not_booted(*, filled: bool) -> None:
    claim = disk_claim("boot", filled=filled)
    found = case(with_disks(), namespace(), LISTED, KUBEVIRT, CDI, claim)
    step = decide(found)
    assert (step.stalled, step.reason) == (True, "ImageRejected")
    assert step.message == (
        f"spec.virtualMachine.bootDisk: PersistentVolumeClaim {NAME}-boot is there without a DataVolume, so "
        "that nobody knows which image is in it, and IsolationPolicy images has rules for images: give the "
        "disk another name, so that CDI fills a new one"
    )
    assert not [action.key for action in plan(found).actions if not action.key.startswith("Service/")]
    floor = policy("floor", minimum="VirtualMachine")
    unruled = decide(case(with_disks(), namespace(), floor, KUBEVIRT, CDI, claim))
    assert unruled.reason != "ImageRejected", "without rules for images it is a restored disk"


def test_a_claim_that_anybody_may_have_filled_is_booted_by_no_order_either() -> None:
    claim = disk_claim("data")
    step = decide(case(with_disks(bootOrder=2), namespace(), LISTED, KUBEVIRT, CDI, claim))
    assert step.reason == "ImageRejected"
    assert step.message.startswith(f"spec.virtualMachine.disks[data]: PersistentVolumeClaim {NAME}-data is")
    assert decide(case(with_disks(), namespace(), LISTED, KUBEVIRT, CDI, claim)).reason != "ImageRejected"


def disk_volume(disk: str = "boot", *, phase: str = "Succeeded", **annotations: str) -> Raw:
    """The DataVolume that the operator makes for a disk of `with_disks`, with other annotations."""
    name = f"{NAME}-{disk}"
    about = {"name": name, "uid": f"{name}-volume", "labels": {DISK_LABEL: NAME}, "annotations": annotations}
    source = {"registry": {"url": "docker://registry.example/guests/disk"}}
    storage = {"resources": {"requests": {"storage": "1Gi"}}}
    return {
        "kind": "DataVolume",
        "metadata": about,
        "spec": {"source": source, "storage": storage},
        "status": {"phase": phase},
    }


def made_by_cdi(volume: Raw, **annotations: str) -> Raw:
    """The claim that CDI makes for a DataVolume."""
    claim = disk_claim("boot")
    metadata = volume["metadata"]
    owner = {"apiVersion": "cdi.kubevirt.io/v1beta1", "kind": "DataVolume", "uid": metadata["uid"]}
    own = {CREATED_FOR_ANNOTATION: metadata["uid"], **metadata["annotations"], **annotations}
    claim["metadata"] |= {
        "name": metadata["name"],
        "annotations": own,
        "ownerReferences": [{**owner, "controller": True}],
    }
    return claim


ADOPTING = {"cdi.kubevirt.io/allowClaimAdoption": "true"}
NOT_MADE = f"PersistentVolumeClaim {NAME}-boot wasn't made by CDI for its DataVolume"


@pytest.mark.parametrize("allowed", [ADOPTING, {}], ids=["by-annotation", "by-feature-gate"])
def test_a_claim_that_a_data_volume_has_adopted_is_not_booted(allowed: dict[str, str]) -> None:
    volume = disk_volume(**allowed)
    adopted = made_by_cdi(volume)
    del adopted["metadata"]["annotations"][CREATED_FOR_ANNOTATION]
    others = made_by_cdi(volume, **{CREATED_FOR_ANNOTATION: "a-former-volume"})
    for claim in (adopted, others):
        found = case(with_disks(), namespace(), LISTED, KUBEVIRT, CDI, volume, disk_volume("data"), claim)
        step = decide(found)
        assert (step.stalled, step.reason) == (True, "ImageRejected")
        assert step.message == (
            f"spec.virtualMachine.bootDisk: {NOT_MADE} (annotation {CREATED_FOR_ANNOTATION}), so that nobody "
            "knows which image is in it, and IsolationPolicy images has rules for images: give the disk "
            "another name, so that CDI fills a new one"
        )
        assert not [action.key for action in plan(found).actions if "VirtualMachine" in action.key]
        floor = policy("floor", minimum="VirtualMachine")
        unruled = case(with_disks(), namespace(), floor, KUBEVIRT, CDI, volume, disk_volume("data"), claim)
        assert decide(unruled).reason == "Creating", "without rules for images it may be booted"


@pytest.mark.parametrize("phase", ["Succeeded", "WaitForFirstConsumer", "PendingPopulation"])
def test_a_claim_that_cdi_has_made_for_its_data_volume_is_booted(phase: str) -> None:
    """Adoption may be allowed: CDI doesn't adopt a claim that CDI has made itself."""
    for noted in (ADOPTING, {}, {"cdi.kubevirt.io/storage.usePopulator": "true"}):
        volume = disk_volume(phase=phase, **noted)
        found = case(
            with_disks(),
            namespace(),
            LISTED,
            KUBEVIRT,
            CDI,
            *(volume, made_by_cdi(volume), disk_volume("data")),
        )
        assert decide(found).reason == "Creating"


@pytest.mark.parametrize("key", OTHERWISE_FILLED)
def test_a_claim_that_cdi_was_told_to_fill_otherwise_is_not_booted(key: str) -> None:
    """CDI copies a DataVolume's annotations to the claim, and they may be removed from one of the two."""
    name, data = f"{NAME}-boot", disk_volume("data")
    for volume, claim, kind in (
        (disk_volume(**{key: ""}), made_by_cdi(disk_volume()), "DataVolume"),
        (disk_volume(), made_by_cdi(disk_volume(), **{key: name}), "PersistentVolumeClaim"),
    ):
        found = case(with_disks(), namespace(), LISTED, KUBEVIRT, CDI, volume, claim, data)
        step = decide(found)
        assert (step.stalled, step.reason) == (True, "ImageRejected")
        assert f"{kind} {name} has the annotation {key}, so that nobody knows" in step.message


def test_a_filled_data_volume_without_a_claim_is_not_booted_and_an_unfilled_one_is_waited_for() -> None:
    for phase, reason in (
        ("Succeeded", "ImageRejected"),
        ("WaitForFirstConsumer", "ImageRejected"),
        ("Pending", "DiskWaiting"),
        ("ImportInProgress", "DiskImporting"),
    ):
        volumes = disk_volume(phase=phase), disk_volume("data", phase=phase)
        step = decide(case(with_disks(), namespace(), LISTED, KUBEVIRT, CDI, *volumes))
        assert step.reason == reason, phase


def test_a_disk_that_is_not_booted_may_hold_anything() -> None:
    volumes = disk_volume(), disk_volume("data", **ADOPTING)
    claims = made_by_cdi(volumes[0]), disk_claim("data")
    found = case(with_disks(), namespace(), LISTED, KUBEVIRT, CDI, *volumes, *claims)
    assert decide(found).reason == "Creating"
    ordered = case(with_disks(bootOrder=2), namespace(), LISTED, KUBEVIRT, CDI, *volumes, *claims)
    assert decide(ordered).reason == "ImageRejected"
    assert decide(ordered).message.startswith("spec.virtualMachine.disks[data]: PersistentVolumeClaim")


def test_an_image_that_cdi_runs_has_no_place_under_a_floor() -> None:
    vddk = {
        "url": "https://vcenter.example",
        "uuid": "u",
        "backingFile": "[a] web.vmdk",
        "thumbprint": "20:6C",
        "secretRef": "vcenter",
        "initImageURL": "evil/vddk",
    }
    raw = machine(
        memory="1Gi", firmware={"bootloader": "BIOS"}, bootDisk={"source": {"vddk": vddk}, "size": "1Gi"}
    )
    found = case(raw, namespace(), policy("floor", minimum="Sandbox"), KUBEVIRT, CDI)
    assert decide(found).reason == "EvadesFloor"
    assert "bootDisk.source.vddk.initImageURL (CDI runs that image in a Pod" in decide(found).message
    assert not [action.key for action in plan(found).actions if action.key.startswith("DataVolume/")]
    unbound = case(raw, namespace(), KUBEVIRT, CDI)
    assert [action.key for action in plan(unbound).actions if action.key.startswith("DataVolume/")]
