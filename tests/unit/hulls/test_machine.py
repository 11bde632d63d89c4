"""Rendering the VirtualMachine and the manifest of a machine with a guest."""

from __future__ import annotations

import json
from typing import Any

import pytest

from twinhull.api.base import Raw
from twinhull.api.virtualmachine import VirtualMachine
from twinhull.hulls import authority, machine, manifest, pod
from twinhull.hulls.attachments import attachments
from twinhull.hulls.machine_settings import MachineSettings
from twinhull.hulls.manifest import probe_token

from .test_pod import META


def render(
    built: Raw | None = None,
    *,
    panics: bool = False,
    pull_secret: str | None = None,
    secret: bytes | None = None,
    annotations: Raw | None = None,
    **spec: Any,
) -> Raw:
    metadata = {"metadata": {"annotations": annotations}} if annotations else {}
    template = {**metadata, "spec": {"containers": [{"name": "web", "image": "nginx"}], **spec}}
    made = pod.render(META, template, "1a2b3c4d5e", None)
    built_as = VirtualMachine.model_validate(built or {})
    settings = MachineSettings("guest:1", panics, pull_secret=pull_secret, secret=secret)
    attached = attachments(made)
    carried = manifest.render(META, made, attached, built_as, settings)
    return machine.render(META, made, attached, built_as, settings, manifest=carried)


def inside(vm: Raw) -> Raw:
    found: Raw = vm["spec"]["template"]["spec"]
    return found


@pytest.mark.parametrize(
    ("policy", "strategy"),
    [("Always", "Always"), ("OnFailure", "Once"), ("Never", "Once"), ("", "Always")],
)
def test_restart_policy_becomes_run_strategy(policy: str, strategy: str) -> None:
    assert render(restartPolicy=policy)["spec"]["runStrategy"] == strategy


def test_readiness_is_the_guests_word() -> None:
    probe = inside(render())["readinessProbe"]
    assert probe["httpGet"] == {
        "path": "/readyz",
        "port": 65254,
        "httpHeaders": [{"name": "Twinhull-Probe", "value": probe_token(META)}],
    }


def test_it_boots_the_guest_images_own_kernel() -> None:
    firmware = inside(render())["domain"]["firmware"]
    assert firmware["kernelBoot"]["container"] == {
        "image": "guest:1",
        "kernelPath": "/boot/vmlinuz",
        "initrdPath": "/boot/initrd.img",
    }
    assert "console=ttyS0" in firmware["kernelBoot"]["kernelArgs"]


def test_nodes_pull_its_disk_and_its_kernel_with_the_same_secret() -> None:
    spec = inside(render(pull_secret="registry"))  # noqa: S106  a Secret's name
    disk, kernel = spec["volumes"][0]["containerDisk"], spec["domain"]["firmware"]["kernelBoot"]["container"]
    assert disk == {"image": "guest:1", "imagePullSecret": "registry"}
    assert kernel["imagePullSecret"] == "registry"


@pytest.mark.parametrize(
    ("container", "secret"),
    [
        ({"image": "evil:1"}, None),
        ({"image": "evil:1", "imagePullSecret": "own"}, "own"),
        ({"image": "guest:1"}, "registry"),
        ({"kernelPath": "/vmlinuz"}, "registry"),
    ],
)
def test_the_secret_is_for_no_other_kernel_that_overrides_name(container: Raw, secret: str | None) -> None:
    overrides = {"domain": {"firmware": {"kernelBoot": {"container": container}}}}
    spec = inside(render({"overrides": overrides}, pull_secret="registry"))  # noqa: S106  a Secret's name
    assert spec["domain"]["firmware"]["kernelBoot"]["container"].get("imagePullSecret") == secret
    assert spec["volumes"][0]["containerDisk"]["imagePullSecret"] == "registry"


def test_without_a_secret_nothing_is_said_of_one() -> None:
    assert "imagePullSecret" not in json.dumps(render())


@pytest.mark.parametrize(("panics", "devices"), [(True, [{"model": "pvpanic"}]), (False, None)])
def test_it_tells_of_a_failure_where_kubevirt_lets_it(panics: bool, devices: list[Raw] | None) -> None:  # noqa: FBT001
    assert inside(render(panics=panics))["domain"]["devices"].get("panicDevices") == devices


def test_a_full_node_fails_a_write_to_the_guests_own_disk_and_pauses_nothing() -> None:
    volumes = [{"name": "d", "persistentVolumeClaim": {"claimName": "d"}}]
    block = [{"name": "web", "image": "nginx", "volumeDevices": [{"name": "d", "devicePath": "/dev/d"}]}]
    disks = inside(render(containers=block, volumes=volumes))["domain"]["devices"]["disks"]
    policies = {disk["name"]: disk.get("errorPolicy") for disk in disks}
    assert policies.pop("guest") == "report"
    assert set(policies.values()) == {None}, "of a claim KubeVirt's own stays: it pauses the machine"
    assert "claim-1" in policies


def test_it_moves_to_another_node_when_its_own_is_drained() -> None:
    assert inside(render())["evictionStrategy"] == "LiveMigrateIfPossible"
    assert inside(render({"overrides": {"evictionStrategy": "None"}}))["evictionStrategy"] == "None"


def test_every_volume_has_a_disk_or_a_file_system_of_its_name() -> None:
    spec = inside(
        render(
            volumes=[
                {"name": "c", "configMap": {"name": "c"}},
                {"name": "d", "persistentVolumeClaim": {"claimName": "d"}},
            ],
            imagePullSecrets=[{"name": "registry"}],
        )
    )
    devices = spec["domain"]["devices"]
    named = [device["name"] for device in (*devices["disks"], *devices["filesystems"])]
    assert sorted(named) == sorted(volume["name"] for volume in spec["volumes"])
    assert all(len(disk.get("serial", "")) <= 20 for disk in devices["disks"]), "virtio keeps 20 characters"


def test_guest_has_time_to_stop_its_pod() -> None:
    assert inside(render())["terminationGracePeriodSeconds"] == 45
    assert inside(render(terminationGracePeriodSeconds=0))["terminationGracePeriodSeconds"] == 15


def test_instancetype_leaves_no_size_beside_it() -> None:
    vm = render({"instancetype": {"name": "u1.small"}, "preference": {"name": "linux"}}, containers=[LIMITED])
    assert vm["spec"]["instancetype"] == {"name": "u1.small", "kind": "VirtualMachineClusterInstancetype"}
    assert vm["spec"]["preference"] == {"name": "linux", "kind": "VirtualMachineClusterPreference"}
    assert not inside(vm)["domain"].keys() & {"cpu", "memory", "resources"}


LIMITED = {
    "name": "web",
    "resources": {"requests": {"cpu": "250m"}, "limits": {"cpu": "1.5", "memory": "1Gi"}},
}


def test_size_follows_the_resources() -> None:
    domain = inside(render(containers=[LIMITED]))["domain"]
    assert domain["cpu"] == {"cores": 2}
    assert domain["memory"] == {"guest": "1280Mi"}
    assert domain["resources"] == {
        "requests": {"cpu": "250m", "memory": "1280Mi"},
        "limits": {"cpu": "1500m", "memory": "1280Mi"},
    }


@pytest.mark.parametrize(
    ("firmware", "domain"),
    [
        ({}, {"firmware": {"bootloader": {"bios": {}}}}),
        ({"bootloader": "UEFI"}, {"firmware": {"bootloader": {"efi": {"secureBoot": False}}}}),
        (
            {"bootloader": "UEFI", "secureBoot": True},
            {
                "firmware": {"bootloader": {"efi": {"secureBoot": True}}},
                "features": {"smm": {"enabled": True}},
            },
        ),
    ],
)
def test_firmware(firmware: Raw, domain: Raw) -> None:
    found = inside(render({"firmware": firmware}))["domain"]
    found["firmware"].pop("kernelBoot")
    assert {key: found[key] for key in ("firmware", "features") if key in found} == domain
    assert "tpm" not in found["devices"]
    assert inside(render({"firmware": {**firmware, "tpm": True}}))["domain"]["devices"]["tpm"] == {}


def test_overrides_have_the_last_word() -> None:
    spec = inside(
        render({"overrides": {"domain": {"cpu": {"model": "host-model"}, "memory": None}, "hostname": "h"}})
    )
    assert spec["domain"]["cpu"] == {"cores": 1, "model": "host-model"}
    assert "memory" not in spec["domain"]
    assert spec["hostname"] == "h"


def test_launcher_pod_carries_the_workload_label_and_not_the_hull_label() -> None:
    vm = render()
    assert vm["spec"]["template"]["metadata"]["labels"] == {
        "twinhull.dev/workload": "web",
        "twinhull.dev/hull-name": "web-1a2b3c4d5e",
        "twinhull.dev/revision": "1a2b3c4d5e",
    }
    assert vm["metadata"]["labels"]["twinhull.dev/hull"] == "VirtualMachine"


def trusted(vm: Raw) -> tuple[Raw, list[Raw]]:
    """The annotations of the launcher Pod, and those of them that are files on the guest's disk."""
    volume = next(volume for volume in inside(vm)["volumes"] if volume["name"] == "trust")
    return vm["spec"]["template"]["metadata"]["annotations"], volume["downwardAPI"]["fields"]


def test_it_says_which_manifest_it_runs_by_and_who_may_give_it_another() -> None:
    """Neither whoever may write ConfigMaps nor the author of the template can change these annotations."""
    theirs = dict.fromkeys(("twinhull.dev/manifest", "twinhull.dev/guest-authority", "own"), "theirs")
    annotations, fields = trusted(render(annotations=theirs, secret=b"s" * 32))
    assert annotations["own"] == "theirs"
    assert len(annotations["twinhull.dev/manifest"]) == 64
    assert annotations["twinhull.dev/guest-authority"] == authority.certificate(b"s" * 32, META.uid)
    assert {field["path"]: field["fieldRef"]["fieldPath"] for field in fields} == {
        "manifest": "metadata.annotations['twinhull.dev/manifest']",
        "client-ca.crt": "metadata.annotations['twinhull.dev/guest-authority']",
    }
    devices = inside(render())["domain"]["devices"]
    assert [disk["serial"] for disk in devices["disks"]][:3] == ["guest", "trust", "manifest"]


def test_without_a_key_nobody_may_give_it_another() -> None:
    annotations, fields = trusted(render())
    assert "twinhull.dev/guest-authority" not in annotations
    assert [field["path"] for field in fields] == ["manifest"]
