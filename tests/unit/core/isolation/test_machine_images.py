"""Images of machines: which images policies allow, and every field by which a Workload names another one."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.unit.core.policies import policy, rules
from twinhull.api.base import Raw
from twinhull.api.workload import WorkloadSpec
from twinhull.core.isolation import disk_images
from twinhull.core.isolation.machine_images import rejected_images

DIGEST = "sha256:" + "0" * 64
PINNED = f"registry.example/guests/ours@{DIGEST}"
OURS = {"guestImages": ["registry.example/guests/*"]}
NONE_OF = "matches none of the guestImages of IsolationPolicy images"
RULES = "and IsolationPolicy images has rules for images"
TRUST = {"name": "trust", "serial": "trust", "disk": {"bus": "virtio"}}
MANIFEST = {"name": "manifest", "serial": "manifest", "disk": {"bus": "virtio"}}
WITHOUT_TRUST = (
    "domain.devices.disks",
    f"without the disk {json.dumps(TRUST)} the guest runs any manifest, {RULES}",
)
BOOTS_ELSE = f"without it the machine boots something that no image contains, {RULES}"


def spec(pod: Raw | None = None, **machine: Any) -> WorkloadSpec:
    containers = [{"name": "web", "image": f"nginx@{DIGEST}"}]
    return WorkloadSpec.model_validate(
        {"template": {"spec": {"containers": containers, **(pod or {})}}, "virtualMachine": machine}
    )


def overriding(**overrides: Any) -> WorkloadSpec:
    return spec(overrides=overrides)


def kernel(**kernel_boot: Any) -> WorkloadSpec:
    return overriding(domain={"firmware": {"kernelBoot": kernel_boot}})


def disk(name: str, image: Any) -> WorkloadSpec:
    return overriding(volumes=[{"name": name, "containerDisk": {"image": image}}])


def rejections(workload: WorkloadSpec, **machines: Any) -> list[tuple[str, str]]:
    images = rejected_images(workload, rules(policy("images", machines=machines)))
    return [(rejected.path, rejected.why) for rejected in images]


def having(*disks: Raw) -> WorkloadSpec:
    return overriding(domain={"devices": {"disks": list(disks)}})


#: Each way to have a machine boot another image than the administrator's, with the field's path.
OTHERS = {
    "guestImage": lambda image: spec(guestImage=image),
    "overrides.volumes[guest].containerDisk.image": lambda image: disk("guest", image),
    "overrides.volumes[data].containerDisk.image": lambda image: disk("data", image),
    "overrides.domain.firmware.kernelBoot.container.image": lambda image: kernel(container={"image": image}),
}


@pytest.mark.parametrize("field", OTHERS)
@pytest.mark.parametrize(
    "image",
    [
        "evil/guest:1",
        "registry.example/guests/deep/er",
        "registry.example.evil/guests/a",
        DIGEST,
        "sha256:ab",
    ],
)
def test_what_is_not_listed_is_not_booted(field: str, image: str) -> None:
    workload = OTHERS[field](image)
    assert rejections(workload, **OURS) == [(f"spec.virtualMachine.{field}", f"{image} {NONE_OF}")]
    assert rejections(workload, guestImages=[]) == [(f"spec.virtualMachine.{field}", f"{image} {NONE_OF}")]


@pytest.mark.parametrize("field", OTHERS)
@pytest.mark.parametrize(
    "image", ["registry.example/guests/ours:2", "REGISTRY.example:443/guests/ours", PINNED]
)
def test_what_is_listed_is_booted(field: str, image: str) -> None:
    assert rejections(OTHERS[field](image), **OURS) == []


@pytest.mark.parametrize("field", OTHERS)
def test_what_is_booted_is_pinned(field: str) -> None:
    path = f"spec.virtualMachine.{field}"
    asks = "IsolationPolicy images requires an image as name@digest, and this is"
    for image in ("registry.example/guests/ours:2", DIGEST, f"registry.example/guests/ours@{DIGEST}0"):
        assert rejections(OTHERS[field](image), imagesMustBePinned=True) == [(path, f"{asks} {image}")]
    assert rejections(OTHERS[field](PINNED), imagesMustBePinned=True, **OURS) == []


def test_what_the_guest_pulls_is_pinned() -> None:
    pod = {
        "containers": [{"name": "web", "image": "nginx:1.29"}, {"name": "side", "image": f"a@{DIGEST}"}],
        "initContainers": [{"name": "first", "image": "busybox"}],
        "volumes": [
            {"name": "tmp", "emptyDir": {}},
            {"name": "model", "image": {"reference": "models/big:1"}},
        ],
    }
    asks = "IsolationPolicy images requires an image as name@digest, and this is"
    assert rejections(spec(pod), imagesMustBePinned=True) == [
        ("spec.template.spec.initContainers[first].image", f"{asks} busybox"),
        ("spec.template.spec.containers[web].image", f"{asks} nginx:1.29"),
        ("spec.template.spec.volumes[model].image.reference", f"{asks} models/big:1"),
    ]
    assert rejections(spec(pod), **OURS) == [], "of the guest's images alone"


#: Ways to boot or run something else although the image is allowed.
BESIDE: dict[str, tuple[WorkloadSpec, str]] = {
    "domain": (overriding(domain=None), BOOTS_ELSE),
    "domain.firmware": (overriding(domain={"firmware": None}), BOOTS_ELSE),
    "domain.firmware.kernelBoot": (overriding(domain={"firmware": {"kernelBoot": None}}), BOOTS_ELSE),
    "domain.firmware.kernelBoot.container": (kernel(container=None), BOOTS_ELSE),
    "domain.firmware.kernelBoot.container.image": (kernel(container={"image": None}), BOOTS_ELSE),
    "domain.firmware.kernelBoot.kernelArgs": (
        kernel(kernelArgs="init=/bin/sh"),
        f"it decides what the kernel starts, {RULES}",
    ),
    "volumes[guest]": (
        overriding(volumes=[{"name": "guest", "persistentVolumeClaim": {"claimName": "mine"}}]),
        BOOTS_ELSE,
    ),
    "volumes[manifest]": (
        overriding(volumes=[{"name": "manifest", "configMap": {"name": "mine"}}]),
        f"it replaces the Workload's own Pod, {RULES}",
    ),
    "domain.devices.disks[mine].serial": (
        overriding(domain={"devices": {"disks": [{"name": "mine", "serial": " guest"}]}}),
        f"it replaces the disk guest, {RULES}",
    ),
    "volumes[trust]": (
        overriding(volumes=[{"name": "trust", "configMap": {"name": "mine"}}]),
        f"it replaces the operator's check of the Workload's own Pod, {RULES}",
    ),
    "domain.devices.disks[configmap-0].serial": (
        having(TRUST, MANIFEST, {"name": "configmap-0", "serial": "trust"}),
        f"it replaces the disk trust, {RULES}",
    ),
    "domain.devices.disks[1].serial": (
        having(TRUST, {"serial": "manifest"}),
        f"it replaces the disk manifest, {RULES}",
    ),
}


@pytest.mark.parametrize("path", BESIDE)
@pytest.mark.parametrize("machines", [OURS, {"imagesMustBePinned": True}], ids=["listed", "pinned"])
def test_nothing_else_is_booted_beside_images(path: str, machines: Raw) -> None:
    workload, why = BESIDE[path]
    assert rejections(workload, **machines) == [(f"spec.virtualMachine.overrides.{path}", why)]
    assert rejected_images(workload, rules(policy("floor", minimum="VirtualMachine"))) == ()


@pytest.mark.parametrize(
    "trust",
    [
        [],
        [{**TRUST, "serial": "elsewhere"}],
        [{"name": "trust", "disk": {"bus": "virtio"}}],
        [{"name": "trust", "serial": "trust"}],
        [{"name": "trust", "serial": "trust", "disk": {"bus": "sata"}}],
        [{"name": "trust", "serial": "trust", "cdrom": {"bus": "sata"}}],
        [{"name": "trust", "serial": "trust", "lun": {"bus": "virtio"}}],
    ],
)
def test_a_machine_keeps_the_disk_by_which_its_guest_knows_the_manifest(trust: list[Raw]) -> None:
    """Without a virtio disk `trust`, the guest takes its machine for one of an earlier operator."""
    workload = having(
        {"name": "guest", "serial": "guest"}, *trust, {"name": "manifest", "serial": "manifest"}
    )
    path, why = WITHOUT_TRUST
    assert rejections(workload, **OURS) == [(f"spec.virtualMachine.overrides.{path}", why)]


@pytest.mark.parametrize(
    "key",
    [
        *("hooks.kubevirt.io/hookSidecars", "kubevirt.io/ignitiondata", "smbios.vm.kubevirt.io/x"),
        *("kubevirt.io", "sidecar.istio.io/proxyImage", "vault.hashicorp.com/agent-image"),
    ],
)
def test_nothing_runs_beside_images_for_an_annotation(key: str) -> None:
    annotated = WorkloadSpec.model_validate(
        {"template": {**spec().template, "metadata": {"annotations": {key: "x", "note": "x"}}}}
    )
    ((path, why),) = rejections(annotated, **OURS)
    assert path == f"spec.template.metadata.annotations[{key}]"
    assert why.endswith(RULES)
    for kind in ("VirtualMachineInstancetype", "VirtualMachinePreference"):
        own = {"metadata": {"name": "own"}, "spec": {"annotations": {key: "x", "note": "x"}}}
        images = rules(policy("images", machines=OURS))
        (rejected,) = rejected_images(spec(), images, [("preference", kind, own)])
        assert rejected.path == "spec.virtualMachine.preference"
        assert f"{kind} own has the annotation {key}: " in rejected.why


@pytest.mark.parametrize(
    "key",
    ["k8s.v1.cni.cncf.io/networks", "notkubevirt.io/a", "example.com/kubevirt.io", "sidecar.istio.io/inject"],
)
def test_other_annotations_are_a_floors_affair(key: str) -> None:
    annotated = WorkloadSpec.model_validate(
        {"template": {**spec().template, "metadata": {"annotations": {key: "x"}}}}
    )
    assert rejections(annotated, imagesMustBePinned=True, **OURS) == []


@pytest.mark.parametrize(
    "overrides",
    [
        {"evictionStrategy": None, "domain": {"cpu": {"model": "host-model"}}},
        {"domain": {"firmware": {"bootloader": {"efi": {}}, "kernelBoot": {}}}},
        {
            "domain": {
                "devices": {"disks": [{"name": "guest", "serial": "guest"}, {"name": "data", "serial": "d"}]}
            }
        },
        {"domain": {"devices": {"disks": [{"name": "guest", "serial": "guest"}, TRUST, MANIFEST]}}},
        {"volumes": "none", "domain": "none"},
        {"volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}, "none"]},
    ],
)
def test_other_overrides_are_none_of_its_business(overrides: Raw) -> None:
    assert rejections(overriding(**overrides), imagesMustBePinned=True, **OURS) == []


def test_every_policy_has_its_say() -> None:
    policies = rules(
        policy("a", machines={"guestImages": ["evil/**"]}), policy("b", machines={"guestImages": []})
    )
    assert [rejected.why for rejected in rejected_images(spec(guestImage="evil/guest"), policies)] == [
        "evil/guest matches none of the guestImages of IsolationPolicy b"
    ]


@pytest.mark.parametrize("disks", [None, 1, "x", [], {}])
def test_an_image_that_can_not_be_read_is_not_allowed(disks: Any) -> None:
    workload = overriding(volumes=[{"name": "data", "containerDisk": disks}])
    assert bool(rejections(workload, guestImages=[])) is (disks is not None)


#: The sources of disks that name an image, with the path of the image's field below the disk.
DISK_SOURCES: dict[str, Callable[[str], Raw]] = {
    "source.containerDisk.image": lambda image: {"containerDisk": {"image": image}},
    "source.registry.url": lambda image: {"registry": {"url": f"docker://{image}"}},
}
#: The source of a disk that CDI imports from VMware.
VDDK: Raw = {
    "url": "https://vcenter.example",
    "uuid": "u",
    "backingFile": "[a] web.vmdk",
    "thumbprint": "20:6C",
    "secretRef": "vcenter",
}
BOOTED: Raw = {"containerDisk": {"image": PINNED}}


def booting(source: Raw, **machine: Any) -> WorkloadSpec:
    """A Workload whose machine boots a disk from that source."""
    sized = {} if "containerDisk" in source else {"size": "1Gi"}
    firmware = {"bootloader": "BIOS"}
    return spec(memory="1Gi", firmware=firmware, bootDisk={"source": source, **sized}, **machine)


@pytest.mark.parametrize("field", DISK_SOURCES)
def test_disks_are_of_listed_images_or_not_booted(field: str) -> None:
    source = DISK_SOURCES[field]
    assert rejections(booting(source(PINNED)), **OURS, imagesMustBePinned=True) == []
    at = f"spec.virtualMachine.bootDisk.{field}"
    assert rejections(booting(source("evil/disk:1")), **OURS) == [(at, f"evil/disk:1 {NONE_OF}")]
    other = {"name": "data", "source": source("evil/disk:1"), "size": "1Gi"}
    at = f"spec.virtualMachine.disks[data].{field}"
    assert rejections(booting(BOOTED, disks=[other]), **OURS) == [(at, f"evil/disk:1 {NONE_OF}")]


def test_only_what_runs_must_have_a_digest() -> None:
    unpinned = {"containers": [{"name": "web", "image": "nginx:1"}]}
    machine = booting(BOOTED, guestImage="guest:1").virtual_machine
    by_disk = spec(unpinned).model_copy(update={"virtual_machine": machine})
    assert rejections(by_disk, imagesMustBePinned=True) == []
    (rejection,) = rejections(booting(BOOTED, virtioDrivers={"image": "virtio:1"}), imagesMustBePinned=True)
    assert rejection[0] == "spec.virtualMachine.virtioDrivers.image"


def test_a_disk_from_elsewhere_isnt_booted() -> None:
    http = {"http": {"url": "https://disks.example/web.vmdk"}}
    (rejection,) = rejections(booting(http), **OURS)
    assert rejection == (
        "spec.virtualMachine.bootDisk.source.http",
        f"the machine boots a disk that no image contains, {RULES}",
    )
    data = {"name": "data", "source": http, "size": "1Gi"}
    assert rejections(booting(BOOTED, disks=[data]), **OURS) == []
    ((path, _),) = rejections(booting(BOOTED, disks=[data | {"bootOrder": 2}]), **OURS)
    assert path == "spec.virtualMachine.disks[data].source.http"
    blank = {"name": "data", "source": {"blank": {}}, "size": "1Gi", "bootOrder": 2}
    assert rejections(booting(BOOTED, disks=[blank]), **OURS) == []
    volumes = [{"name": "boot", "persistentVolumeClaim": {"claimName": "mine"}}]
    ((path, _),) = rejections(booting(BOOTED, overrides={"volumes": volumes}), **OURS)
    assert path == "spec.virtualMachine.overrides.volumes[boot]"


@pytest.mark.parametrize("image", ["evil/vddk:1", DIGEST])
def test_what_cdi_runs_to_import_a_disk_is_an_image_of_the_machine(image: str) -> None:
    def importing(image: str) -> WorkloadSpec:
        source = {"vddk": VDDK | {"initImageURL": image}}
        return booting(BOOTED, disks=[{"name": "data", "source": source, "size": "1Gi"}])

    at = "spec.virtualMachine.disks[data].source.vddk.initImageURL"
    assert rejections(importing(image), **OURS) == [(at, f"{image} {NONE_OF}")]
    asks = "IsolationPolicy images requires an image as name@digest, and this is"
    assert rejections(importing(image), imagesMustBePinned=True) == [(at, f"{asks} {image}")]
    assert rejections(importing(PINNED), imagesMustBePinned=True, **OURS) == []
    boots = booting({"vddk": VDDK | {"initImageURL": image}})
    assert disk_images.images(boots.virtual_machine.raw()) == (image,)
    assert ("spec.virtualMachine.bootDisk.source.vddk.initImageURL", f"{image} {NONE_OF}") in rejections(
        boots, **OURS
    )
    assert disk_images.images(booting({"vddk": VDDK}).virtual_machine.raw()) == ()


#: Overrides of `domain` by which a machine may boot something else before its boot disk.
BEFORE_BOOT_DISK: dict[str, tuple[Raw, str]] = {
    "domain.devices.disks": ({"devices": {"disks": []}}, "the machine may boot another disk"),
    "domain.devices": ({"devices": None}, "without them the machine may boot another disk"),
    "domain.devices.interfaces[default].bootOrder": (
        {"devices": {"interfaces": [{"name": "default", "masquerade": {}, "bootOrder": 1}]}},
        "the machine may boot from the network",
    ),
    "domain.devices.interfaces[0].dhcpOptions": (
        {"devices": {"interfaces": [{"dhcpOptions": {"bootFileName": "evil"}}]}},
        "the machine may boot from the network",
    ),
}


@pytest.mark.parametrize("path", BEFORE_BOOT_DISK)
@pytest.mark.parametrize("machines", [OURS, {"imagesMustBePinned": True}], ids=["listed", "pinned"])
def test_nothing_is_booted_before_the_boot_disk(path: str, machines: Raw) -> None:
    domain, why = BEFORE_BOOT_DISK[path]
    workload = booting(BOOTED, overrides={"domain": domain})
    assert rejections(workload, **machines) == [(f"spec.virtualMachine.overrides.{path}", f"{why}, {RULES}")]
    assert rejections(overriding(domain=domain), **OURS) == [], "a guest's machine goes by its serials"


@pytest.mark.parametrize("disks", [None, "x", [{"name": "data", "bootOrder": 1}], [TRUST, MANIFEST]])
def test_no_list_of_disks_takes_the_place_of_the_boot_disk(disks: Any) -> None:
    workload = booting(BOOTED, overrides={"domain": {"devices": {"disks": disks}}})
    assert [path for path, _ in rejections(workload, **OURS)] == [
        "spec.virtualMachine.overrides.domain.devices.disks"
    ]


@pytest.mark.parametrize(
    "devices",
    [
        {},
        {"interfaces": [{"name": "default", "masquerade": {}, "bootOrder": None}]},
        {"interfaces": "none"},
        {"rng": {}, "interfaces": None},
    ],
)
def test_other_devices_of_a_machine_with_a_disk_are_none_of_its_business(devices: Raw) -> None:
    assert rejections(booting(BOOTED, overrides={"domain": {"devices": devices}}), **OURS) == []


def test_a_volume_of_overrides_may_have_anything_for_a_name() -> None:
    workload = WorkloadSpec.model_validate(
        {
            "template": {"spec": {"containers": [{"name": "web", "image": "nginx:1"}]}},
            "virtualMachine": {"overrides": {"volumes": [{"name": []}, {"name": {}}]}},
        }
    )
    assert rejected_images(workload, rules(policy("images", machines={"guestImages": []}))) == ()
