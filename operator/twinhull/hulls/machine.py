"""The machine: a KubeVirt VirtualMachine around the Pod that its guest runs."""

from __future__ import annotations

from datetime import datetime

from twinhull.api.base import Raw
from twinhull.api.workload import Exit, ObjectMeta, RestartPolicy, VirtualMachine
from twinhull.hulls import quantity
from twinhull.hulls.attachments import Attachment
from twinhull.hulls.hull import (
    HULL_LABEL,
    REVISION_LABEL,
    WORKLOAD_LABEL,
    Hull,
    Phase,
    condition,
    created_at,
    leaves_at,
    owner_of,
    owner_reference,
    removed,
    timestamp,
    unready_since,
)
from twinhull.hulls.manifest import MANIFEST_DEVICE
from twinhull.hulls.merge import merge_patch
from twinhull.hulls.pod import restart_policy
from twinhull.hulls.resources import machine_size

API_VERSION = "kubevirt.io/v1"

#: What the guest needs to stop its Pod, over the Pod's own grace period, in seconds.
GUEST_GRACE = 15

#: The Pod's restartPolicy as a runStrategy (kubevirt.io/api/core/v1, type VirtualMachineRunStrategy).
RUN_STRATEGIES = {
    RestartPolicy.ALWAYS: "Always",
    # RerunOnFailure deletes an instance that succeeded, and with it the only word that it did.
    RestartPolicy.ON_FAILURE: "Once",
    RestartPolicy.NEVER: "Once",
}

#: The Pod's fields that the machine's own spec takes as they are.
_SAME = (
    *("affinity", "dnsConfig", "dnsPolicy", "nodeSelector", "priorityClassName", "schedulerName"),
    *("subdomain", "tolerations", "topologySpreadConstraints"),
)


def render(
    workload: ObjectMeta,
    pod: Raw,
    attachments: tuple[Attachment, ...],
    machine: VirtualMachine,
    guest_image: str,
) -> Raw:
    """The VirtualMachine around `pod`, of the Pod's name, with its manifest and attachments as devices."""
    metadata, spec = pod["metadata"], pod["spec"]
    return {
        "apiVersion": API_VERSION,
        "kind": "VirtualMachine",
        "metadata": {
            "name": metadata["name"],
            "namespace": metadata["namespace"],
            "labels": {
                WORKLOAD_LABEL: workload.name,
                HULL_LABEL: "VirtualMachine",
                REVISION_LABEL: metadata["labels"][REVISION_LABEL],
            },
            "ownerReferences": [owner_reference(workload)],
        },
        "spec": {
            "runStrategy": RUN_STRATEGIES[restart_policy(spec)],
            **({"instancetype": machine.instancetype.raw()} if machine.instancetype else {}),
            **({"preference": machine.preference.raw()} if machine.preference else {}),
            "template": {
                "metadata": {
                    "labels": {key: value for key, value in metadata["labels"].items() if key != HULL_LABEL},
                    **({"annotations": metadata["annotations"]} if "annotations" in metadata else {}),
                },
                "spec": merge_patch(
                    _instance(spec, metadata["name"], attachments, machine, guest_image),
                    machine.overrides or {},
                ),
            },
        },
    }


def read(vm: Raw, vmi: Raw | None) -> Hull:
    """A VirtualMachine, and its VirtualMachineInstance if there is one, as a hull."""
    status = vm.get("status", {})
    instance = (vmi or {}).get("status", {})
    phase = _phase(instance.get("phase"), vm["spec"].get("runStrategy", "Always"))
    revision = vm["metadata"].get("labels", {}).get(REVISION_LABEL, "")
    end = _exit(instance, revision) if phase in {Phase.SUCCEEDED, Phase.FAILED} else None
    if vmi and end and removed(vmi, end):  # shut down because it was deleted
        phase, end = Phase.PENDING, None
    ready = condition(vm, "Ready").get("status") == "True" and phase is Phase.RUNNING
    reason, message = ("", "") if ready else _why_not_ready(vm)
    interfaces = instance.get("interfaces") or [{}]
    return Hull(
        kind="VirtualMachine",
        name=vm["metadata"]["name"],
        uid=vm["metadata"]["uid"],
        owner=owner_of(vm),
        revision=revision,
        phase=phase,
        ready=ready and bool(status.get("ready", True)),
        leaves_at=leaves_at(vm),
        created_at=created_at(vm),
        since=unready_since(vm),
        reason=reason,
        message=message,
        node=instance.get("nodeName"),
        address=interfaces[0].get("ipAddress"),
        started_at=_entered(instance, "Running"),
        exit=end,
    )


def read_stray(vmi: Raw) -> Hull:
    """A VirtualMachineInstance whose VirtualMachine is gone, as a hull that is still there."""
    return Hull(
        kind="VirtualMachine",
        name=vmi["metadata"]["name"],
        uid=vmi["metadata"]["uid"],
        owner=owner_of(vmi),
        revision=vmi["metadata"].get("labels", {}).get(REVISION_LABEL, ""),
        phase=Phase.RUNNING,
        ready=False,
        leaves_at=leaves_at(vmi),
        created_at=created_at(vmi),
        since=created_at(vmi),
        reason="Terminating",
        message="the VirtualMachineInstance outlives its VirtualMachine",
    )


def _instance(
    pod_spec: Raw, name: str, attachments: tuple[Attachment, ...], machine: VirtualMachine, guest_image: str
) -> Raw:
    grace = pod_spec.get("terminationGracePeriodSeconds", 30)
    probe = readiness_probe(pod_spec)
    return {
        **{key: pod_spec[key] for key in _SAME if key in pod_spec},
        "hostname": pod_spec["hostname"],
        "terminationGracePeriodSeconds": grace + GUEST_GRACE,
        **({"readinessProbe": probe} if probe else {}),
        "domain": {
            **({} if machine.instancetype else _size(pod_spec)),
            **_firmware(machine),
            "devices": {
                "autoattachGraphicsDevice": False,
                "rng": {},
                **({"tpm": {}} if machine.firmware and machine.firmware.tpm else {}),
                "interfaces": [{"name": "default", "masquerade": {}}],
                "disks": [
                    {"name": "guest", "disk": {"bus": "virtio"}},
                    _disk(MANIFEST_DEVICE),
                    *(_disk(attached.device) for attached in attachments if not attached.live),
                ],
                "filesystems": [
                    {"name": attached.device, "virtiofs": {}} for attached in attachments if attached.live
                ],
            },
        },
        "networks": [{"name": "default", "pod": {}}],
        "volumes": [
            {"name": "guest", "containerDisk": {"image": guest_image}},
            {"name": MANIFEST_DEVICE, "configMap": {"name": name}},
            *(attached.volume() for attached in attachments),
        ],
    }


def _disk(device: str) -> Raw:
    return {"name": device, "serial": device, "disk": {"bus": "virtio"}}


def _size(pod_spec: Raw) -> Raw:
    """CPU and memory. KubeVirt refuses them beside an instancetype, which then says both."""
    size = machine_size(pod_spec)
    requests = {"cpu": quantity.milli(size.cpu_request)} if size.cpu_request else {}
    limits = {"cpu": quantity.milli(size.cpu_limit)} if size.cpu_limit else {}
    return {
        "cpu": {"cores": size.cores},
        "memory": {"guest": quantity.mebibytes(size.memory)},
        **({"resources": {"requests": requests, "limits": limits}} if requests or limits else {}),
    }


def _firmware(machine: VirtualMachine) -> Raw:
    """Bootloader; secure boot needs system management mode (KubeVirt refuses it without)."""
    firmware = machine.firmware
    if firmware is None:
        return {}
    if firmware.bootloader == "BIOS":
        return {"firmware": {"bootloader": {"bios": {}}}}
    return {
        "firmware": {"bootloader": {"efi": {"secureBoot": firmware.secure_boot}}},
        **({"features": {"smm": {"enabled": True}}} if firmware.secure_boot else {}),
    }


def readiness_probe(pod_spec: Raw) -> Raw | None:
    """The machine's readiness: the first container's probe over the network, or else its first TCP port.

    KubeVirt asks by exactly one of httpGet, tcpSocket or its own agent, and knows no named ports. Without
    any, a machine would be ready before its guest has booted.
    """
    for container in pod_spec["containers"]:
        probe = container.get("readinessProbe") or {}
        for kind in ("httpGet", "tcpSocket"):
            if handler := probe.get(kind):
                port = _port_number(container, handler["port"])
                timing = {
                    key: value for key, value in probe.items() if key.endswith(("Seconds", "Threshold"))
                }
                timing.pop("terminationGracePeriodSeconds", None)
                return {**timing, kind: {**handler, "port": port}}
    for container in pod_spec["containers"]:
        for port in container.get("ports") or ():
            if port.get("protocol", "TCP") == "TCP":
                return {"tcpSocket": {"port": port["containerPort"]}}
    return None


def _port_number(container: Raw, port: int | str) -> int | str:
    declared = {found.get("name"): found["containerPort"] for found in container.get("ports") or ()}
    number: int | str = declared.get(port, port)
    return number


def _phase(phase: str | None, run_strategy: str) -> Phase:
    """The Pod's phase that a VirtualMachineInstance's stands for.

    Unless it runs Once, virt-controller makes an instance again that ended, so such an end isn't one
    (kubevirt.io/kubevirt, pkg/virt-controller/watch/vm/vm.go, syncRunStrategy).
    """
    if run_strategy == "Once" and phase in {"Succeeded", "Failed"}:
        return Phase(phase)
    return Phase.RUNNING if phase == "Running" else Phase.PENDING


def _why_not_ready(vm: Raw) -> tuple[str, str]:
    failure = condition(vm, "Failure")
    if failure.get("status") == "True":
        return failure.get("reason", "Failure"), failure.get("message", "")
    unready = condition(vm, "Ready")
    if vm["spec"].get("runStrategy") == "Halted":
        name = vm["metadata"]["name"]
        return "Halted", (
            f"somebody stopped the machine: start it again (virtctl start {name}), "
            "or set the Workload's spec.state to Stopped"
        )
    reason = vm.get("status", {}).get("printableStatus") or "Pending"
    if reason == "Running":  # KubeVirt's word for a machine that is on, ready or not
        reason = unready.get("reason", "NotReady")
    return reason, unready.get("message", "") or "the machine is not ready yet"


def _exit(instance: Raw, revision: str) -> Exit:
    """How a machine ended. The exit code stays inside: KubeVirt knows only whether the guest failed."""
    succeeded = instance["phase"] == "Succeeded"
    return Exit(
        reason="Completed" if succeeded else "Error",
        message="the guest was shut down" if succeeded else "the guest ended with a failure",
        finished_at=_entered(instance, instance["phase"]),
        revision=revision,
    )


def _entered(instance: Raw, phase: str) -> datetime | None:
    """When an instance entered a phase, None if it has not."""
    entered = instance.get("phaseTransitionTimestamps") or ()
    return next((timestamp(at["phaseTransitionTimestamp"]) for at in entered if at["phase"] == phase), None)
