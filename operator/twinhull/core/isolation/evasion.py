"""What would reach past an isolation to the node, and so has no place where a policy requires that isolation.

Read from Kubernetes' Pod Security Standards (level Baseline) for sandboxes, and from kubevirt.io/api v1.9.0,
core/v1/schema.go, for machines.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from twinhull.api.base import Raw
from twinhull.api.workload import Isolation, WorkloadSpec
from twinhull.hulls.parity.walk import fields

_CONTAINERS = ("spec.containers[].", "spec.initContainers[].")
_HOST_PROCESS = "securityContext.windowsOptions.hostProcess"

#: Fields of a template, from spec.template on.
_IN_SANDBOX: Mapping[str, str] = {
    "spec.hostNetwork": "it is the node's network",
    "spec.hostPID": "it shows the node's processes",
    "spec.hostIPC": "it is the node's shared memory",
    "spec.volumes[].hostPath": "it is a directory of the node",
    **{f"{at}securityContext.privileged": "it gives the node's devices" for at in _CONTAINERS},
    **{f"{at}{_HOST_PROCESS}": "it is a process of the node" for at in ("spec.", *_CONTAINERS)},
}
_PROC_MOUNTS = {f"{at}securityContext.procMount" for at in _CONTAINERS}

#: Fields of a VirtualMachineInstance's spec, from spec.virtualMachine.overrides on.
_IN_MACHINE: Mapping[str, str] = {
    "volumes[].hostDisk": "it is a file of the node",
    "volumes[].containerPath": "it shows the files of the launcher Pod",
    "volumes[].downwardMetrics": "it shows the node's figures",
    "domain.devices.downwardMetrics": "it shows the node's figures",
    "domain.devices.hostDevices": "they are the node's devices",
    "domain.devices.gpus": "they are the node's devices",
    "domain.devices.interfaces[].sriov": "it is one of the node's devices",
    "networks[].resourceClaim": "it is one of the node's devices",
    "domain.devices.autoattachVSOCK": "it is a socket of the node",
    "domain.devices.disks[].lun.reservation": "it reaches the node's reservation daemon",
}

#: What the template's annotations may begin with, which go along to the Pod, or to the launcher Pod.
ANNOTATIONS: Mapping[str, str] = {
    "dev.gvisor.": "it configures the sandbox",
    "io.katacontainers.": "it configures the sandbox",
    "io.kubernetes.cri-o.": "it configures the container runtime",
    "hooks.kubevirt.io/": "it runs a program of its own beside the machine, and changes the machine",
    "kubevirt.io/func-test-": "it changes what KubeVirt runs",
}


@dataclass(frozen=True, slots=True)
class Evasion:
    """A field, from the Workload's root on, and why it doesn't go with the isolation."""

    path: str
    why: str


def evasions(spec: WorkloadSpec, isolation: Isolation) -> tuple[Evasion, ...]:
    """What of a spec reaches past an isolation. Containers keep nothing that could be reached past."""
    match isolation:
        case Isolation.SANDBOX:
            return (*_annotations(spec.template), *_of_template(spec.template))
        case Isolation.VIRTUAL_MACHINE:
            return (*_annotations(spec.template), *_of_machine(spec.virtual_machine.overrides or {}))
        case Isolation.CONTAINER:
            return ()


def of_reference(field: str, kind: str, found: Raw) -> Iterator[Evasion]:
    """What a namespace's own instancetype or preference, by its field of spec.virtualMachine and its kind,
    brings to reach past the machine; the cluster's are the administrator's.

    Source: kubevirt.io/api v1.9.0, instancetype/v1beta1/types.go; both have annotations for the instance.
    """
    path, what, spec = f"spec.virtualMachine.{field}", f"{kind} {found['metadata']['name']}", found["spec"]
    for devices in ("gpus", "hostDevices"):
        if spec.get(devices):
            yield Evasion(path, f"{what} has {devices}, which are the node's devices")
    for key, why in _reaching(spec):
        yield Evasion(path, f"{what} has the annotation {key}: {why}")


def _annotations(template: Raw) -> Iterator[Evasion]:
    for key, why in _reaching(template.get("metadata") or {}):
        yield Evasion(f"spec.template.metadata.annotations[{key}]", why)


def _reaching(annotated: Raw) -> Iterator[tuple[str, str]]:
    """The annotations that reach past an isolation, and why."""
    for key in annotated.get("annotations") or {}:
        for prefix, why in ANNOTATIONS.items():
            if key.startswith(prefix):
                yield key, why


def _of_template(template: Raw) -> Iterator[Evasion]:
    for path, where, value in fields(template):
        if path in _IN_SANDBOX and _asks(value):
            yield Evasion(f"spec.template.{where}", _IN_SANDBOX[path])
        elif path in _PROC_MOUNTS and value == "Unmasked":
            yield Evasion(f"spec.template.{where}", "it shows all of /proc")


def _of_machine(overrides: Raw) -> Iterator[Evasion]:
    for path, where, value in fields(overrides):
        if path in _IN_MACHINE and _asks(value):
            yield Evasion(f"spec.virtualMachine.overrides.{where}", _IN_MACHINE[path])


def _asks(value: object) -> bool:
    """Whether a value asks for anything. An empty object does: it may be all that its kind takes."""
    return value is not None and value is not False and value != []
