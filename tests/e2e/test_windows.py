"""A Windows machine equals what KubeVirt's preferences for that Windows make, but for what is listed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.controlplane import Cluster, eventually
from twinhull.api.workload import ObjectMeta, WorkloadSpec
from twinhull.hulls import diskmachine
from twinhull.hulls.merge import merge_patch

pytestmark = pytest.mark.simulated

Manifest = dict[str, Any]

_FACTS = yaml.safe_load((Path(__file__).parent / "windows_preferences.yaml").read_text())
_SIZE: Manifest = {"cpu": {"guest": 2}, "memory": {"guest": "4Gi"}}
_IMAGE = "disks.example/windows:1"
#: What a Workload says of the firmware of each version.
_FIRMWARE: dict[str, Manifest] = {
    "2k19": {"bootloader": "UEFI", "secureBoot": True},
    "2k22": {"bootloader": "UEFI", "secureBoot": True, "persistent": True, "tpm": "Persistent"},
    "11": {"bootloader": "UEFI", "secureBoot": True, "persistent": True, "tpm": "Persistent"},
}
#: The fields that differ, and why.
_DIFFERENCES: dict[str, dict[str, str]] = {
    "every": {
        "domain.cpu.threads": "an instancetype says one thread a core, which is KubeVirt's default, too",
        "domain.devices.autoattachInputDevice": "the tablet is named, and needn't be attached by itself",
        "domain.devices.inputs.0.name": "KubeVirt names a tablet that it attaches default-0",
        "domain.firmware.serial": "each machine has its own",
        "domain.firmware.uuid": "each machine has its own",
    },
    "server": {
        "domain.cpu.cores": "a Workload doesn't say which Windows it is, and one for desktops uses two "
        "sockets at most: its CPUs are cores of one socket",
        "domain.cpu.maxSockets": "as above",
        "domain.cpu.sockets": "as above",
    },
}


def preference(version: str, devices: str) -> Manifest:
    """The spec of KubeVirt's preference for that Windows."""
    facts = merge_patch(_FACTS["every"], _FACTS["versions"][version])
    return merge_patch(facts, _FACTS["virtio"]) if devices == "Virtio" else facts


def theirs(namespace: str) -> Manifest:
    """A VirtualMachine that leaves all to its instancetype and preference."""
    spec = {
        "domain": {
            "devices": {
                "disks": [{"name": "boot", "disk": {}, "bootOrder": 1}],
                "interfaces": [{"name": "default", "masquerade": {}}],
            }
        },
        "networks": [{"name": "default", "pod": {}}],
        "volumes": [{"name": "boot", "containerDisk": {"image": _IMAGE}}],
    }
    return {
        "apiVersion": "kubevirt.io/v1",
        "kind": "VirtualMachine",
        "metadata": {"name": "theirs", "namespace": namespace},
        "spec": {
            "runStrategy": "Always",
            "instancetype": {"name": "windows", "kind": "VirtualMachineInstancetype"},
            "preference": {"name": "windows", "kind": "VirtualMachinePreference"},
            "template": {"spec": spec},
        },
    }


def ours(namespace: str, version: str, devices: str) -> Manifest:
    """The VirtualMachine of a Workload that names that Windows. Nobody owns it: there is no such Workload."""
    spec = {
        "isolationPolicy": "VirtualMachine",
        "virtualMachine": {
            "os": "Windows",
            "cpus": 2,
            "memory": "4Gi",
            "devices": devices,
            "firmware": _FIRMWARE[version],
            "bootDisk": {"source": {"containerDisk": {"image": _IMAGE}}},
        },
    }
    metadata = {
        "name": "ours",
        "namespace": namespace,
        "uid": "u1",
        "generation": 1,
        "creationTimestamp": "2026-01-01T00:00:00Z",
    }
    vm = diskmachine.render(
        ObjectMeta.model_validate(metadata),
        WorkloadSpec.model_validate(spec),
        revision="r",
        eviction="",
        video=True,
    )
    del vm["metadata"]["ownerReferences"]
    return vm


def instance(cluster: Cluster, vm: Manifest) -> Manifest:
    """The spec of the instance that KubeVirt makes of a VirtualMachine."""
    cluster.api.create(vm)
    name, namespace = vm["metadata"]["name"], vm["metadata"]["namespace"]
    eventually(
        lambda: cluster.api.get("VirtualMachineInstance", name, namespace), 30, f"{name} has an instance"
    )
    found = cluster.api.get("VirtualMachineInstance", name, namespace)
    assert found is not None
    spec: Manifest = found["spec"]
    return spec


def flat(value: object, path: str = "") -> dict[str, object]:
    """Each field by its path. An item of a list goes by its number."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    fields: dict[str, object] = {}
    for key, below in items:
        fields |= flat(below, f"{path}.{key}" if path else str(key))
    return fields or {path: value}


@pytest.mark.parametrize("devices", ["Compatible", "Virtio"])
@pytest.mark.parametrize("version", _FIRMWARE)
def test_its_instance_is_the_one_that_kubevirts_preference_makes(
    cluster: Cluster, namespace: str, version: str, devices: str
) -> None:
    for kind, spec in (
        ("VirtualMachineInstancetype", _SIZE),
        ("VirtualMachinePreference", preference(version, devices)),
    ):
        cluster.api.create(
            {
                "apiVersion": "instancetype.kubevirt.io/v1beta1",
                "kind": kind,
                "metadata": {"name": "windows", "namespace": namespace},
                "spec": spec,
            }
        )
    expected = flat(instance(cluster, theirs(namespace)))
    made = flat(instance(cluster, ours(namespace, version, devices)))
    differing = {
        path: (expected.get(path), made.get(path))
        for path in expected.keys() | made.keys()
        if expected.get(path, ...) != made.get(path, ...)
    }
    known = _DIFFERENCES["every"] | (_DIFFERENCES["server"] if version.startswith("2k") else {})
    assert differing.keys() == known.keys(), "\n".join(f"{k}: {v}" for k, v in sorted(differing.items()))
