"""Attacks on rules for images: a machine's aren't in any Pod, and an image may be meant without its name."""

from __future__ import annotations

from typing import Any

import pytest

from tests.controlplane import ControlPlane
from tests.e2e.hostile.people import Person
from tests.e2e.operator.policies import Policies
from tests.e2e.operator.subject import Manifest, Subject, condition, container
from tests.operator_process import OperatorProcess

DIGEST = "sha256:" + "0" * 64
OURS = f"registry.example/guests/ours@{DIGEST}"
EVIL = f"evil.example/guest@{DIGEST}"
PINNED = container(image=f"nginx@{DIGEST}")


def overriding(**overrides: Any) -> Manifest:
    return {"guestImage": OURS, "overrides": overrides}


def booting(**kernel: Any) -> Manifest:
    return overriding(domain={"firmware": {"kernelBoot": kernel}})


def disks(*volumes: Manifest) -> Manifest:
    return overriding(volumes=list(volumes))


def having(*others: Manifest) -> Manifest:
    """A machine with these disks and its manifest."""
    manifest = {"name": "manifest", "serial": "manifest", "disk": {"bus": "virtio"}}
    return overriding(domain={"devices": {"disks": [*others, manifest]}})


def from_disk(source: Manifest, **more: Any) -> Manifest:
    """A machine that boots a disk of its own."""
    sized = {} if source.keys() & {"containerDisk", "claim"} else {"size": "1Gi"}
    boot = {"source": source, **sized}
    return {"memory": "1Gi", "firmware": {"bootloader": "BIOS"}, "bootDisk": boot, **more}


OUR_DISK: Manifest = {"containerDisk": {"image": OURS}}
VDDK: Manifest = {
    "url": "https://vcenter.example",
    "uuid": "u",
    "backingFile": "[a] web.vmdk",
    "thumbprint": "20:6C",
    "secretRef": "vcenter",
}

#: A container, what a machine is built with, and what is said against it.
ATTACKS: dict[str, tuple[Manifest, Manifest, str]] = {
    "guest-image": (PINNED, {"guestImage": EVIL}, "none of the guestImages"),
    "guest-disk": (
        PINNED,
        disks({"name": "guest", "containerDisk": {"image": EVIL}}),
        "none of the guestImages",
    ),
    "other-disk": (
        PINNED,
        disks({"name": "data", "containerDisk": {"image": EVIL}}),
        "none of the guestImages",
    ),
    "kernel": (PINNED, booting(container={"image": EVIL}), "none of the guestImages"),
    "kernel-args": (PINNED, booting(kernelArgs="init=/bin/sh"), "it decides what the kernel starts"),
    "claim": (
        PINNED,
        disks({"name": "guest", "persistentVolumeClaim": {"claimName": "mine"}}),
        "boots something that no image contains",
    ),
    "manifest": (
        PINNED,
        disks({"name": "manifest", "configMap": {"name": "mine"}}),
        "it replaces the Workload's own Pod",
    ),
    "serial": (
        PINNED,
        having({"name": "mine", "serial": "manifest"}),
        "it replaces the disk manifest",
    ),
    "trust-volume": (
        PINNED,
        disks({"name": "trust", "configMap": {"name": "mine"}}),
        "it replaces the operator's check",
    ),
    "trust-serial": (
        PINNED,
        having({"name": "trust", "serial": "elsewhere"}, {"name": "configmap-0", "serial": "trust"}),
        "it replaces the disk trust",
    ),
    "without-trust": (PINNED, having({"name": "guest", "serial": "guest"}), "the guest runs any manifest"),
    "trust-by-sata": (
        PINNED,
        having({"name": "trust", "serial": "trust", "cdrom": {"bus": "sata"}}),
        "the guest runs any manifest",
    ),
    "guest-by-id": (PINNED, {"guestImage": DIGEST}, "none of the guestImages"),
    "guest-by-tag": (
        PINNED,
        {"guestImage": "registry.example/guests/ours:1"},
        "requires an image as name@digest",
    ),
    "disk-by-registry": (
        PINNED,
        from_disk({"registry": {"url": f"docker://{EVIL}"}}),
        "none of the guestImages",
    ),
    "disk-in-image": (PINNED, from_disk({"containerDisk": {"image": EVIL}}), "none of the guestImages"),
    "disk-by-http": (
        PINNED,
        from_disk({"http": {"url": "https://evil.example/disk"}}),
        "boots a disk that no image contains",
    ),
    "disk-by-claim": (PINNED, from_disk({"claim": {"name": "mine"}}), "boots a disk that no image contains"),
    "second-disk": (
        PINNED,
        from_disk(OUR_DISK, disks=[{"name": "b", "source": {"claim": {"name": "mine"}}, "bootOrder": 2}]),
        "disks[b].source.claim",
    ),
    "drivers": (
        PINNED,
        from_disk(OUR_DISK, os="Windows", virtioDrivers={"image": EVIL}),
        "none of the guestImages",
    ),
    "disk-overridden": (
        PINNED,
        from_disk(
            OUR_DISK,
            overrides={"volumes": [{"name": "boot", "persistentVolumeClaim": {"claimName": "mine"}}]},
        ),
        "may boot a disk that no image contains",
    ),
    "importer": (
        PINNED,
        from_disk(
            OUR_DISK,
            disks=[{"name": "b", "source": {"vddk": VDDK | {"initImageURL": EVIL}}, "size": "1Gi"}],
        ),
        "none of the guestImages",
    ),
    "disk-order": (
        PINNED,
        from_disk(
            OUR_DISK,
            disks=[{"name": "b", "source": {"claim": {"name": "mine"}}}],
            overrides={"domain": {"devices": {"disks": [{"name": "b", "bootOrder": 1}]}}},
        ),
        "the machine may boot another disk",
    ),
    "network-order": (
        PINNED,
        from_disk(
            OUR_DISK,
            overrides={"domain": {"devices": {"interfaces": [{"name": "default", "bootOrder": 1}]}}},
        ),
        "the machine may boot from the network",
    ),
    "container-by-tag": (container(), {"guestImage": OURS}, "requires an image as name@digest"),
    "container-by-id": (container(image=DIGEST), {"guestImage": OURS}, "requires an image as name@digest"),
}


@pytest.fixture(autouse=True)
def rules(operator: OperatorProcess, policies: Policies) -> None:  # noqa: ARG001  the operator is up
    machines = {"guestImages": ["registry.example/guests/*"], "imagesMustBePinned": True}
    policies.enforce("images", machines=machines)


def apply(
    tenant: Person,
    name: str,
    only: Manifest,
    isolation: str,
    machine: Manifest | None = None,
    **annotations: str,
) -> None:
    tenant.api.create(
        {
            "apiVersion": "twinhull.dev/v1alpha1",
            "kind": "Workload",
            "metadata": {"name": name, "namespace": tenant.namespace},
            "spec": {
                "isolationPolicy": isolation,
                "template": {"metadata": {"annotations": annotations}, "spec": {"containers": [only]}},
                **({"virtualMachine": machine} if machine else {}),
            },
        }
    )


def test_no_machine_boots_or_runs_other_images(
    tenant: Person, policies: Policies, simulation: ControlPlane, operator: OperatorProcess
) -> None:
    for name, (only, machine, _) in ATTACKS.items():
        apply(tenant, name, only, "VirtualMachine", machine)
    apply(tenant, "honest", PINNED, "VirtualMachine", {"guestImage": OURS})
    sidecar = {"hooks.kubevirt.io/hookSidecars": '[{"image": "evil.example/hook"}]'}
    apply(tenant, "hooked", PINNED, "VirtualMachine", {"guestImage": OURS}, **sidecar)

    apply(tenant, "honest-disk", PINNED, "VirtualMachine", from_disk(OUR_DISK))

    for name, (_, _, why) in ATTACKS.items():
        held = Subject(simulation, tenant.namespace, name, operator.check).becomes("ImageRejected")
        assert condition(held, "Stalled")[:2] == ("True", "ImageRejected")
        assert why in condition(held, "Stalled")[2]
    hooked = Subject(simulation, tenant.namespace, "hooked", operator.check).becomes("ImageRejected")
    assert "annotations[hooks.kubevirt.io/hookSidecars]" in condition(hooked, "Stalled")[2]
    for name in ("honest", "honest-disk"):
        honest = Subject(simulation, tenant.namespace, name, operator.check)
        honest.eventually(lambda: honest.belongings().get("VirtualMachine"), f"{name} is made")  # noqa: B023
    machines = simulation.api.list("VirtualMachine", tenant.namespace)
    assert {found["metadata"]["labels"]["twinhull.dev/workload"] for found in machines} == {
        "honest",
        "honest-disk",
    }

    policies.end()
    freed = Subject(simulation, tenant.namespace, "guest-image", operator.check)
    freed.eventually(lambda: freed.belongings().get("VirtualMachine"), "it was the policy that held it")


def test_an_image_without_a_name_is_a_suspect(
    tenant: Person, policies: Policies, simulation: ControlPlane, operator: OperatorProcess
) -> None:
    policies.enforce(
        "suspects", match={"images": ["evil.example/**"]}, minimum="VirtualMachine", onViolation="Reject"
    )
    named = {"name": "evil.example/app:1", "id": DIGEST, "short-id": "sha256:ab"}
    for name, image in named.items():
        apply(tenant, name, container(image=image), "Container")
    apply(tenant, "honest", container(), "Container")

    for name in named:
        Subject(simulation, tenant.namespace, name, operator.check).becomes("RejectedByPolicy")
    Subject(simulation, tenant.namespace, "honest", operator.check).becomes("Ready")
    assert {
        found["metadata"]["labels"]["twinhull.dev/workload"]
        for found in simulation.api.list("Pod", tenant.namespace)
    } == {"honest"}


def test_no_machine_boots_a_claim_of_the_tenants_in_place_of_its_disk(
    tenant: Person, policies: Policies, simulation: ControlPlane, operator: OperatorProcess
) -> None:
    tenant.api.create(
        {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": {
                "name": "planted-boot",
                "namespace": tenant.namespace,
                "labels": {"twinhull.dev/disk-of": "planted"},
            },
            "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
        }
    )
    allowed = from_disk({"registry": {"url": f"docker://{OURS}"}})
    apply(tenant, "planted", PINNED, "VirtualMachine", allowed)
    held = Subject(simulation, tenant.namespace, "planted", operator.check).becomes("ImageRejected")
    assert "nobody knows which image is in it" in condition(held, "Stalled")[2]
    assert not simulation.api.list("VirtualMachine", tenant.namespace)

    policies.enforce("floor", minimum="VirtualMachine")
    vddk = {"vddk": VDDK | {"initImageURL": OURS}}
    data = {"name": "b", "source": vddk, "size": "1Gi"}
    apply(tenant, "importing", PINNED, "VirtualMachine", from_disk(OUR_DISK, disks=[data]))
    held = Subject(simulation, tenant.namespace, "importing", operator.check).becomes("EvadesFloor")
    assert "disks[b].source.vddk.initImageURL" in condition(held, "Stalled")[2]
    assert not simulation.api.list("DataVolume", tenant.namespace)
