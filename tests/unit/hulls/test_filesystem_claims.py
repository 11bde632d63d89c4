"""Claims that a template mounts as file systems in a machine."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.hulls.objections import unsupported

OTHERWISE = (
    "name the volume in spec.virtualMachine.claims (as: Disk), use a claim of volumeMode Block with "
    "volumeDevices, or isolation Container"
)
CLAIM = {"name": "data", "persistentVolumeClaim": {"claimName": "data"}}


def listed(*, gate: bool = True, mount: Any = None, container: Any = None, **spec: Any) -> dict[str, str]:
    """The objections to the fields of a Pod with one container, which mounts a claim."""
    mounts = [{"name": "data", "mountPath": "/data", **(mount or {})}]
    containers = [{"name": "web", "image": "nginx", "volumeMounts": mounts, **(container or {})}]
    template = {"spec": {"containers": containers, "volumes": [CLAIM], **spec}}
    return {field.path: field.reason for field in unsupported(template, virtiofs_storage=gate)}


def identity(**context: Any) -> Any:
    return {"securityContext": context}


def test_is_listed_by_where_it_is_mounted_while_the_gate_is_closed() -> None:
    mounts = [{"name": "data", "mountPath": path} for path in ("/a", "/b")]
    found = listed(gate=False, container={"volumeMounts": mounts}, initContainers=[{"name": "init"}])
    assert found == {
        f"spec.containers[web].volumeMounts[{path}]": (
            "KubeVirt shares a filesystem claim with a machine only if its feature gate "
            "EnableVirtioFsStorageVolumes is enabled: add it to the KubeVirt object's "
            f"spec.configuration.developerConfiguration.featureGates, {OTHERWISE}"
        )
        for path in ("/a", "/b")
    }


@pytest.mark.parametrize(
    "spec",
    [
        {},
        identity(runAsUser=0, runAsGroup=0),
        identity(runAsUser=107, runAsGroup=107),
        identity(runAsGroup=107, fsGroup=107, supplementalGroups=[107]),
        identity(supplementalGroups=[2000]),
        {"mount": {"readOnly": True}, **identity(fsGroup=107)},
        {"container": identity(runAsUser=0), **identity(runAsUser=1000)},
        {"mount": {"readOnly": True}, **identity(runAsUser=1000, runAsGroup=1000)},
        {
            "volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": "data", "readOnly": True}}],
            **identity(runAsUser=1000),
        },
        {"volumes": [{"name": "data", "emptyDir": {}}], **identity(runAsUser=1000, fsGroup=2000)},
    ],
)
def test_is_honoured_behind_the_gate(spec: Any) -> None:
    assert listed(**spec) == {}


@pytest.mark.parametrize("mount", [{}, {"readOnly": True}])
def test_files_cannot_be_given_to_another_group(mount: Any) -> None:
    assert listed(mount=mount, **identity(fsGroup=2000)) == {
        "spec.securityContext.fsGroup": "KubeVirt shares a filesystem claim as user and group 107, and can't "
        f"give its files to another group: remove it, {OTHERWISE}"
    }


@pytest.mark.parametrize(
    ("spec", "path"),
    [
        (identity(runAsUser=1000), "spec.securityContext.runAsUser"),
        (identity(runAsGroup=1000), "spec.securityContext.runAsGroup"),
        ({"container": identity(runAsUser=1000)}, "spec.containers[web].securityContext.runAsUser"),
        (
            {"container": identity(runAsGroup=1000), **identity(runAsGroup=0)},
            "spec.containers[web].securityContext.runAsGroup",
        ),
    ],
)
def test_files_cannot_be_made_by_another_user(spec: Any, path: str) -> None:
    assert listed(**spec) == {
        path: "KubeVirt shares a filesystem claim as user and group 107, so only users and groups 0 and "
        f"107 can make files in it: use those, mount it with readOnly, {OTHERWISE}"
    }


@pytest.mark.parametrize("context", [{"fsGroup": 107}, {"supplementalGroups": [107], "runAsGroup": 0}])
def test_files_cannot_be_made_by_who_has_the_group_beside_another(context: Any) -> None:
    assert listed(**identity(**context)) == {
        f"spec.securityContext.{next(iter(context))}": "KubeVirt shares a filesystem claim as user and "
        "group 107, and a process with 107 as a "
        "supplementary group can't make files in it: set "
        "runAsGroup 107, remove it, mount the claim with "
        f"readOnly, {OTHERWISE}"
    }


def ephemeral(mode: str | None = None) -> Any:
    spec = {"volumeMode": mode} if mode else {}
    return [{"name": "data", "ephemeral": {"volumeClaimTemplate": {"spec": spec}}}]


DEVICES = [{"name": "data", "devicePath": "/dev/raw"}]


def test_an_ephemeral_claim_is_a_claim() -> None:
    assert listed(volumes=ephemeral()) == {}
    assert listed(volumes=ephemeral("Filesystem")) == {}
    assert list(listed(volumes=ephemeral(), gate=False)) == ["spec.containers[web].volumeMounts[/data]"]
    assert list(listed(volumes=ephemeral(), **identity(runAsUser=1000))) == ["spec.securityContext.runAsUser"]
    block = {"volumeMounts": [], "volumeDevices": DEVICES}
    assert listed(volumes=ephemeral("Block"), container=block, gate=False) == {}


@pytest.mark.parametrize("mode", [None, "Filesystem"])
def test_an_ephemeral_filesystem_claim_is_no_disk(mode: str | None) -> None:
    block = {"volumeMounts": [], "volumeDevices": DEVICES}
    assert listed(volumes=ephemeral(mode), container=block) == {
        "spec.containers[web].volumeDevices[/dev/raw]": "the volume's ephemeral claim is of volumeMode "
        "Filesystem: use volumeMounts, or volumeMode Block"
    }


def test_an_ephemeral_block_claim_is_no_file_system() -> None:
    assert listed(volumes=ephemeral("Block")) == {
        "spec.containers[web].volumeMounts[/data]": "the volume's ephemeral claim is of volumeMode Block: "
        "use volumeDevices, or volumeMode Filesystem"
    }
