"""A Pod like a machine's launcher Pod, which the operator creates in a dry run before it makes the machine.

KubeVirt renders the real launcher Pod when the machine starts (kubevirt.io/kubevirt v1.9.0,
pkg/virt-controller/services, template.go and renderresources.go). This one asks for no more than the real one
does, and is no less confined, except for its name and, if `limited`, its limits. Refusals for these
exceptions are filtered by core/rehearsal.counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from math import prod

from twinhull.api.base import Raw
from twinhull.hulls import quantity
from twinhull.hulls.hull import REVISION_LABEL, WORKLOAD_LABEL

#: The user of launcher Pods (kubevirt.io/kubevirt, pkg/util, NonRootUID).
_USER = 107
_UNPRIVILEGED_USER = {"runAsUser": _USER, "runAsGroup": _USER, "runAsNonRoot": True}
#: The securityContext of the container, for launcher Pods that run as root and for others
#: (rendercontainer.go).
_ROOT_CONTEXT = {"capabilities": {"add": ["NET_BIND_SERVICE", "SYS_NICE"]}}
_UNPRIVILEGED_CONTEXT = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"add": ["NET_BIND_SERVICE"], "drop": ["ALL"]},
}
#: The fields of a machine's spec that KubeVirt copies to the launcher Pod unchanged.
_COPIED_FIELDS = (
    *("affinity", "dnsConfig", "dnsPolicy", "nodeSelector", "priorityClassName", "schedulerName"),
    *("hostname", "subdomain", "tolerations", "topologySpreadConstraints"),
)
#: The prefixes of annotations that KubeVirt doesn't copy to the launcher Pod (template.go,
#: filterVMIAnnotationsForPod).
_NOT_COPIED = (
    *("kubectl.kubernetes.io", "kubevirt.io/storage-observed-api-version"),
    "kubevirt.io/latest-observed-api-version",
)


@dataclass(frozen=True, slots=True)
class LauncherSettings:
    """The settings of launcher Pods in a cluster's KubeVirt object."""

    #: Their seccompProfile, None for none.
    seccomp: Raw | None = None
    #: Their SELinux type, empty for none.
    selinux_type: str = ""
    #: Their RuntimeClass, empty for none.
    runtime_class: str = ""
    #: Whether they run as root.
    root: bool = False
    #: A machine's memory in percent of the memory that its launcher Pod requests.
    memory_overcommit: int = 100
    #: How many CPUs of a machine share a CPU that the launcher Pod requests.
    cpu_ratio: int = 10

    @classmethod
    def read(cls, kubevirt: Raw) -> LauncherSettings:
        """The settings in a KubeVirt object (kubevirt.io/api/core/v1, type KubeVirtConfiguration)."""
        configuration = (kubevirt.get("spec") or {}).get("configuration") or {}
        developer = configuration.get("developerConfiguration") or {}
        profile = (configuration.get("seccompConfiguration") or {}).get("virtualMachineInstanceProfile") or {}
        return cls(
            _profile(profile.get("customProfile") or {}),
            str(configuration.get("selinuxLauncherType") or ""),
            str(configuration.get("defaultRuntimeClass") or ""),
            "Root" in (developer.get("featureGates") or ()),
            int(developer.get("memoryOvercommit") or 100),
            int(developer.get("cpuAllocationRatio") or 10),
        )


def limits_memory(vm: Raw) -> bool:
    """Whether a VirtualMachine sets the memory limit of its launcher Pod."""
    return bool(_part(vm, "spec", "template", "spec", "domain", "resources", "limits").get("memory"))


def render(vm: Raw, settings: LauncherSettings, *, limited: bool = True) -> Raw:
    """A Pod like the launcher Pod of a VirtualMachine, with the machine's owner and the name of a hull.

    With `limited` it has limits equal to its requests where the machine sets none; otherwise only the
    machine's own.
    """
    metadata, template = vm["metadata"], vm["spec"]["template"]
    spec, inside = template["spec"], template.get("metadata") or {}
    token = _token(spec)
    annotations = (inside.get("annotations") or {}).items()
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": _name(metadata),
            "namespace": metadata["namespace"],
            "labels": {
                **(inside.get("labels") or {}),
                "kubevirt.io": "virt-launcher",
            },
            "annotations": {key: value for key, value in annotations if not key.startswith(_NOT_COPIED)},
            "ownerReferences": metadata["ownerReferences"],
        },
        "spec": {
            **{key: spec[key] for key in _COPIED_FIELDS if key in spec},
            "restartPolicy": "Never",
            "enableServiceLinks": False,
            "automountServiceAccountToken": bool(token),
            **_present("serviceAccountName", _account(spec) or token),
            **_present("runtimeClassName", settings.runtime_class),
            "securityContext": {
                **({"runAsUser": 0} if settings.root else _UNPRIVILEGED_USER),
                "fsGroup": _USER,
                **_present("seccompProfile", settings.seccomp),
                **_present("seLinuxOptions", _present("type", settings.selinux_type)),
            },
            "containers": [
                {
                    "name": "compute",
                    "image": "virt-launcher",
                    "securityContext": _ROOT_CONTEXT if settings.root else _UNPRIVILEGED_CONTEXT,
                    "resources": _resources(_part(spec, "domain"), settings, limited=limited),
                }
            ],
        },
    }


def _name(metadata: Raw) -> str:
    """The machine's name. A machine that is named after its Workload gets its revision appended, since the
    operator may create Pods only with such names.
    """
    name, known = str(metadata["name"]), metadata.get("labels") or {}
    return f"{name}-{known[REVISION_LABEL]}" if known.get(WORKLOAD_LABEL) == name else name


def _account(spec: Raw) -> str | None:
    """The ServiceAccount of the launcher Pod from KubeVirt 1.9 on, whatever token the machine has."""
    name = spec.get("serviceAccountName")
    return name if isinstance(name, str) else None


def _token(spec: Raw) -> str | None:
    """The name of the ServiceAccount whose token the machine has, None if it has none."""
    volumes = spec.get("volumes")
    mounted = volumes if isinstance(volumes, list) else ()
    names = (_part(volume, "serviceAccount").get("serviceAccountName") for volume in mounted)
    return next((name for name in names if isinstance(name, str)), None)


def _profile(custom: Raw) -> Raw | None:
    if name := custom.get("localhostProfile"):
        return {"type": "Localhost", "localhostProfile": name}
    return {"type": "RuntimeDefault"} if custom.get("runtimeDefaultProfile") else None


def _resources(domain: Raw, settings: LauncherSettings, *, limited: bool) -> Raw:
    """The least that the launcher's container requests. KubeVirt adds its own overhead to memory.

    KubeVirt sets limits only if the machine has some, or if a quota of the namespace requires them: then
    twice the request, at least the request. With `limited` the requests are the limits.
    """
    requests, limits = (_part(domain, "resources", kind) for kind in ("requests", "limits"))
    cpu = requests.get("cpu") or limits.get("cpu") or _shared(domain, settings)
    least = _present("cpu", cpu)
    if "hugepages" in _part(domain, "memory"):  # the launcher requests huge pages, not memory
        requests, limits = (
            {key: value for key, value in values.items() if key != "memory"} for values in (requests, limits)
        )
    else:
        memory = requests.get("memory") or limits.get("memory") or _overcommitted(domain, settings)
        least |= _present("memory", memory)
    return {"requests": {**requests, **least}, "limits": {**least, **limits} if limited else limits}


def _overcommitted(domain: Raw, settings: LauncherSettings) -> str | None:
    guest = _part(domain, "memory").get("guest")
    try:
        return str(int(quantity.parse(str(guest)) * 100 / settings.memory_overcommit))
    except (ValueError, ArithmeticError):  # an override may have any value
        return None


def _shared(domain: Raw, settings: LauncherSettings) -> str | None:
    cpu = _part(domain, "cpu")
    counts = [cpu.get(key, 1) for key in ("cores", "sockets", "threads")]
    if not cpu or settings.cpu_ratio <= 0 or not all(isinstance(part, int) for part in counts):
        return None
    return quantity.milli(Decimal(prod(counts)) / settings.cpu_ratio)


def _part(value: object, *keys: str) -> Raw:
    """The map at a path of nested maps; empty if there is none: an override may put anything in its place."""
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}


def _present(key: str, value: object) -> Raw:
    return {key: value} if value else {}
