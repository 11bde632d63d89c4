"""Claims of a template that are disks of its machine: how they are attached, and the objections to them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.hulls.objections import unsupported
from twinhull.hulls.attachments import attachments
from twinhull.hulls.machine import disk_of

DISKS = frozenset({"data"})
MOUNT = {"name": "data", "mountPath": "/data"}
DEVICE = {"name": "data", "devicePath": "/dev/raw"}


def claimed(name: str = "data", claim: str = "pg", **more: Any) -> Any:
    return {"name": name, "persistentVolumeClaim": {"claimName": claim, **more}}


def template(*volumes: Any, container: Any = None, **spec: Any) -> Any:
    containers = [{"name": "web", "image": "nginx", "volumeMounts": [MOUNT], **(container or {})}]
    pod = {"automountServiceAccountToken": False, "containers": containers, "volumes": list(volumes), **spec}
    return {"metadata": {"name": "web-1a2b3c4d5e"}, "spec": pod}


def listed(*volumes: Any, **also: Any) -> dict[str, str]:
    found = unsupported({"spec": template(*volumes, **also)["spec"]}, disks=DISKS)
    return {field.path: field.reason for field in found}


def test_the_machine_has_it_as_a_disk_and_the_guest_mounts_it() -> None:
    (made,) = attachments(template(claimed()), disks=DISKS)
    assert made.entry() == {
        "kind": "PersistentVolumeClaim",
        "name": "pg",
        "serial": "claim-0",
        "fileSystem": "ext4",
    }
    assert made.volume() == {"name": "claim-0", "persistentVolumeClaim": {"claimName": "pg"}}
    assert disk_of(made.device)["serial"] == "claim-0"


def test_another_claim_is_shared_as_ever() -> None:
    also = {"name": "files", "mountPath": "/files"}
    pod = template(claimed(), claimed("files", "files"), container={"volumeMounts": [MOUNT, also]})
    assert [one.entry() for one in attachments(pod, disks=DISKS)][1] == {
        "kind": "PersistentVolumeClaim",
        "name": "files",
        "tag": "claim-1",
    }


def test_a_disk_that_no_container_mounts_is_left_alone() -> None:
    assert attachments(template(claimed(), container={"volumeMounts": []}), disks=DISKS) == ()


@pytest.mark.parametrize(
    "spec",
    [
        {"securityContext": {"runAsUser": 999, "runAsGroup": 999, "fsGroup": 999}},
        {"container": {"securityContext": {"runAsUser": 70}}},
        {"container": {"volumeMounts": [{**MOUNT, "readOnly": True, "subPath": "a"}]}},
    ],
)
def test_any_user_can_have_files_on_a_disk_and_no_gate_is_needed(spec: Any) -> None:
    assert listed(claimed(), **spec) == {}


@pytest.mark.parametrize("mode", ["Block", "Filesystem"])
def test_an_ephemeral_claim_may_be_a_disk(mode: str) -> None:
    made = {"volumeClaimTemplate": {"spec": {"volumeMode": mode}}}
    assert listed({"name": "data", "ephemeral": made}) == {}


def test_a_disk_must_be_written_to() -> None:
    (path, reason), *others = listed(claimed(readOnly=True)).items()
    assert path == "spec.volumes[data].persistentVolumeClaim.readOnly"
    assert reason.endswith("remove it, and set readOnly in the volumeMounts")
    assert not others


def test_containers_cannot_have_the_disk_itself() -> None:
    (path, reason), *others = listed(claimed(), container={"volumeDevices": [DEVICE]}).items()
    assert path == "spec.containers[web].volumeDevices[/dev/raw]"
    assert reason.endswith("the guest has a file system on it: use volumeMounts, or remove that entry")
    assert not others


def test_one_claim_is_not_both_a_disk_and_shared() -> None:
    (path, reason), *others = listed(claimed(), claimed("again")).items()
    assert path == "spec.volumes[data].persistentVolumeClaim.claimName"
    assert "the volume again has the same claim and isn't a disk" in reason
    assert not others
