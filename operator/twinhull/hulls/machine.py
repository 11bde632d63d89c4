"""The machine with a guest: rendering a KubeVirt VirtualMachine around the Pod that its guest runs."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from twinhull.api.base import Raw
from twinhull.api.virtualmachine import VirtualMachine
from twinhull.api.workload import DEFAULT_GRACE_SECONDS, ObjectMeta, RestartPolicy
from twinhull.hulls import manifest as manifests
from twinhull.hulls import quantity
from twinhull.hulls.applied import APPLIED_ANNOTATION, Applied
from twinhull.hulls.attachments import Attachment
from twinhull.hulls.firmware import bootloader, features, tpm
from twinhull.hulls.hull import (
    HULL_LABEL,
    HULL_NAME_LABEL,
    owner_reference,
)
from twinhull.hulls.machine_settings import MachineSettings
from twinhull.hulls.manifest import MANIFEST_DEVICE, PROBE_PORT, TRUST_DEVICE, probe_token
from twinhull.hulls.merge import merge_patch
from twinhull.hulls.pod import restart_policy
from twinhull.hulls.resources import Resource, machine_size

API_VERSION = "kubevirt.io/v1"

#: How long the guest needs to stop its Pod, in seconds, in addition to the Pod's own grace period.
GUEST_GRACE = 15

#: The serial number of the disk with the guest's root file system.
GUEST_DEVICE = "guest"
#: The arguments of the guest's kernel. Only errors are printed on the serial console before init starts.
#: After a panic the machine restarts; a panic device tells KubeVirt at once. On a busy node an emulated
#: machine's timer may seem broken while the kernel tests it, and the kernel would hang, so the test is off;
#: under KVM the kernel never makes it (linux/arch/x86/kernel/kvm.c).
KERNEL_ARGS = "console=ttyS0 quiet net.ifnames=0 panic=10 no_timer_check"

#: The Pod's restartPolicy as a runStrategy (kubevirt.io/api/core/v1, type VirtualMachineRunStrategy).
RUN_STRATEGIES = {
    RestartPolicy.ALWAYS: "Always",
    # RerunOnFailure deletes an instance that succeeded, and nothing else tells that it did.
    RestartPolicy.ON_FAILURE: "Once",
    RestartPolicy.NEVER: "Once",
}

#: The fields of the Pod's spec that are copied to the machine's spec unchanged.
_COPIED_FIELDS = (
    *("affinity", "dnsConfig", "dnsPolicy", "nodeSelector", "priorityClassName", "schedulerName"),
    *("subdomain", "tolerations", "topologySpreadConstraints"),
)


def render(  # noqa: PLR0913  one for each part
    workload: ObjectMeta,
    pod: Raw,
    attachments: tuple[Attachment, ...],
    machine: VirtualMachine,
    settings: MachineSettings,
    *,
    manifest: Raw,
    applied: Applied | None = None,
) -> Raw:
    """The VirtualMachine around `pod`, with the Pod's name, and with the manifest and the attachments as
    devices.

    `applied` and the digest of `manifest` (the ConfigMap) are noted on it.
    """
    metadata, spec = pod["metadata"], pod["spec"]
    return {
        "apiVersion": API_VERSION,
        "kind": "VirtualMachine",
        "metadata": {
            "name": metadata["name"],
            "namespace": metadata["namespace"],
            "labels": {
                **manifests.companion_labels(metadata["labels"]),
                HULL_LABEL: "VirtualMachine",
                HULL_NAME_LABEL: metadata["name"],
            },
            **({"annotations": {APPLIED_ANNOTATION: applied.as_annotation()}} if applied else {}),
            "ownerReferences": [owner_reference(workload)],
        },
        "spec": {
            "runStrategy": RUN_STRATEGIES[restart_policy(spec)],
            **({"instancetype": machine.instancetype.raw()} if machine.instancetype else {}),
            **({"preference": machine.preference.raw()} if machine.preference else {}),
            "template": {
                "metadata": {
                    "labels": {key: value for key, value in metadata["labels"].items() if key != HULL_LABEL},
                    "annotations": {
                        **metadata.get("annotations", {}),
                        **manifests.notes(workload, manifest, settings),
                    },
                },
                "spec": merge_patch(
                    {
                        **_placement(spec),
                        **({"evictionStrategy": settings.eviction} if settings.eviction else {}),
                        "readinessProbe": readiness_probe(workload),
                        "domain": _domain(spec, attachments, machine, settings),
                        "networks": [{"name": "default", "pod": {}}],
                        "volumes": _volumes(metadata["name"], attachments, settings),
                    },
                    machine.overrides or {},
                ),
            },
        },
    }


def _placement(pod_spec: Raw) -> Raw:
    """The fields that the machine's spec takes from the Pod's, its host name, and its grace period: the Pod's
    and the guest's.
    """
    grace = pod_spec.get("terminationGracePeriodSeconds", DEFAULT_GRACE_SECONDS)
    return {
        **{key: pod_spec[key] for key in _COPIED_FIELDS if key in pod_spec},
        "hostname": pod_spec["hostname"],
        "terminationGracePeriodSeconds": grace + GUEST_GRACE,
    }


def _domain(
    pod_spec: Raw,
    attachments: tuple[Attachment, ...],
    machine: VirtualMachine,
    settings: MachineSettings,
) -> Raw:
    """The domain of the machine.

    If the node is full, so that the guest's own disk can't be written, the write fails in the guest
    (errorPolicy report). By default KubeVirt would pause the machine until somebody repairs the disk; but
    this disk is thrown away at the end.
    """
    live = [attached for attached in attachments if attached.live]
    disks = [attached.device for attached in attachments if not attached.live]
    return {
        **({} if machine.instancetype else size(pod_spec)),
        **_firmware(machine, settings),
        "devices": {
            "autoattachGraphicsDevice": False,
            "rng": {},
            **tpm(machine.firmware),
            **({"panicDevices": [{"model": "pvpanic"}]} if settings.panics else {}),
            "interfaces": [{"name": "default", "masquerade": {}}],
            "disks": [
                {**disk_of(GUEST_DEVICE), "errorPolicy": "report"},
                *(disk_of(device) for device in (TRUST_DEVICE, MANIFEST_DEVICE, *disks)),
            ],
            "filesystems": [{"name": attached.device, "virtiofs": {}} for attached in live],
        },
    }


def _volumes(name: str, attachments: tuple[Attachment, ...], settings: MachineSettings) -> list[Raw]:
    return [
        {"name": GUEST_DEVICE, "containerDisk": _image(settings)},
        manifests.trust(settings),
        {"name": MANIFEST_DEVICE, "configMap": {"name": name}},
        *(attached.volume() for attached in attachments),
    ]


def _image(settings: MachineSettings) -> Raw:
    """The guest image, and the Secret with which nodes pull it. KubeVirt gives the Secret to the launcher Pod
    (kubevirt.io/api/core/v1, types ContainerDiskSource and KernelBootContainer).
    """
    return {
        "image": settings.image,
        **({"imagePullSecret": settings.pull_secret} if settings.pull_secret else {}),
    }


def disk_of(device: str) -> Raw:
    """The disk of a device. The guest recognizes it by its serial number."""
    return {"name": device, "serial": device, "disk": {"bus": "virtio"}}


def size(pod_spec: Raw) -> Raw:
    """CPU and memory. KubeVirt refuses both beside an instancetype, which sets them."""
    size = machine_size(pod_spec)
    resources = {"requests": _amounts(size.requests), "limits": _amounts(size.limits)}
    return {
        "cpu": {"cores": size.cores},
        "memory": {"guest": quantity.mebibytes(size.memory)},
        **({"resources": resources} if size.requests or size.limits else {}),
    }


def domain_of(vm: Raw) -> Raw:
    """The domain of an existing VirtualMachine; empty if it has none."""
    domain: Raw = ((vm["spec"].get("template") or {}).get("spec") or {}).get("domain") or {}
    return domain


def size_of(vm: Raw) -> Raw:
    """The fields of `size` in an existing VirtualMachine."""
    domain = domain_of(vm)
    parts = {"cpu": ("cores",), "memory": ("guest",), "resources": ("requests", "limits")}
    fields = {
        part: {key: domain[part][key] for key in keys if key in domain[part]}
        for part, keys in parts.items()
        if domain.get(part)
    }
    return {part: amounts for part, amounts in fields.items() if amounts}


def _amounts(amounts: dict[Resource, Decimal]) -> Raw:
    write = {"cpu": quantity.milli, "memory": quantity.mebibytes}
    return {resource: write[resource](amount) for resource, amount in amounts.items()}


def _firmware(machine: VirtualMachine, settings: MachineSettings) -> Raw:
    """The firmware: the machine starts the guest image's own kernel, and so needs no bootloader."""
    firmware = machine.firmware
    source = settings if _boots(machine, settings.image) else replace(settings, pull_secret=None)
    kernel = {
        "kernelBoot": {
            "kernelArgs": KERNEL_ARGS,
            "container": {
                **_image(source),
                "kernelPath": "/boot/vmlinuz",
                "initrdPath": "/boot/initrd.img",
            },
        }
    }
    if firmware is None:
        return {"firmware": kernel}
    needed = features(firmware) if firmware.bootloader == "UEFI" else {}
    return {
        "firmware": {**kernel, "bootloader": bootloader(firmware)},
        **({"features": needed} if needed else {}),
    }


def _boots(machine: VirtualMachine, image: str) -> bool:
    """Whether the overrides leave the kernel in the guest image. Otherwise the image's Secret isn't for the
    kernel's image.
    """
    value: object = machine.overrides or {}
    for key in ("domain", "firmware", "kernelBoot", "container"):
        value = value.get(key) if isinstance(value, dict) else None
    return not isinstance(value, dict) or value.get("image", image) == image


def readiness_probe(workload: ObjectMeta) -> Raw:
    """The machine's readiness probe: the guest answers it for its Pod, for all containers and all kinds of
    probes.

    It is sent often, since the guest's kubelet has already applied the thresholds of the probes.
    """
    return {
        "httpGet": {
            "path": "/readyz",
            "port": PROBE_PORT,
            "httpHeaders": [{"name": "Twinhull-Probe", "value": probe_token(workload)}],
        },
        "periodSeconds": 2,
        "timeoutSeconds": 2,
        "failureThreshold": 2,
    }
