"""A Pod like a machine's launcher Pod, to be tried out before the machine is made.

KubeVirt renders the real one when the machine starts (kubevirt.io/kubevirt v1.9.0,
pkg/virt-controller/services, template.go and renderresources.go). This one asks for no more than that does,
and is no less confined: what refuses it refuses the real one as well.
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
_UNPRIVILEGED = {"runAsUser": _USER, "runAsGroup": _USER, "runAsNonRoot": True}
#: The container's securityContext, of root and of others (rendercontainer.go).
_CAPABLE = {"capabilities": {"add": ["NET_BIND_SERVICE", "SYS_NICE"]}}
_CONFINED = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"add": ["NET_BIND_SERVICE"], "drop": ["ALL"]},
}
#: What of a machine's spec KubeVirt puts on the launcher Pod as it is.
_PASSED_ON = (
    *("affinity", "dnsConfig", "dnsPolicy", "nodeSelector", "priorityClassName", "schedulerName"),
    *("hostname", "subdomain", "tolerations", "topologySpreadConstraints"),
)
#: Annotations that KubeVirt keeps from the launcher Pod begin with these (template.go,
#: filterVMIAnnotationsForPod).
_KEPT_BACK = (
    *("kubectl.kubernetes.io", "kubevirt.io/storage-observed-api-version"),
    "kubevirt.io/latest-observed-api-version",
)


@dataclass(frozen=True, slots=True)
class LauncherSettings:
    """The settings of launcher Pods in a cluster's KubeVirt object."""

    #: Their seccompProfile.
    seccomp: Raw | None = None
    #: Their SELinux type.
    selinux_type: str = ""
    #: Their RuntimeClass.
    runtime_class: str = ""
    #: Whether they run as root.
    root: bool = False
    #: A machine's memory in percent of the memory that its launcher Pod requests.
    memory_overcommit: int = 100
    #: How many CPUs of a machine share a CPU that the launcher Pod requests.
    cpu_ratio: int = 10

    @classmethod
    def read(cls, kubevirt: Raw) -> LauncherSettings:
        """Those of a KubeVirt object (kubevirt.io/api/core/v1, type KubeVirtConfiguration)."""
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
    """Whether a VirtualMachine says the limit of its launcher Pod's memory."""
    return bool(_part(vm, "spec", "template", "spec", "domain", "resources", "limits").get("memory"))


def render(vm: Raw, settings: LauncherSettings, *, limited: bool = True) -> Raw:
    """A Pod like the launcher Pod of a VirtualMachine, of the machine's own owner, and named as a hull is.

    Unless it is `limited`, it has no limits but the machine's own.
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
            "annotations": {key: value for key, value in annotations if not key.startswith(_KEPT_BACK)},
            "ownerReferences": metadata["ownerReferences"],
        },
        "spec": {
            **{key: spec[key] for key in _PASSED_ON if key in spec},
            "restartPolicy": "Never",
            "enableServiceLinks": False,
            "automountServiceAccountToken": bool(token),
            **_present("serviceAccountName", _account(spec) or token),
            **_present("runtimeClassName", settings.runtime_class),
            "securityContext": {
                **({"runAsUser": 0} if settings.root else _UNPRIVILEGED),
                "fsGroup": _USER,
                **_present("seccompProfile", settings.seccomp),
                **_present("seLinuxOptions", _present("type", settings.selinux_type)),
            },
            "containers": [
                {
                    "name": "compute",
                    "image": "virt-launcher",
                    "securityContext": _CAPABLE if settings.root else _CONFINED,
                    "resources": _resources(_part(spec, "domain"), settings, limited=limited),
                }
            ],
        },
    }


def _name(metadata: Raw) -> str:
    """The machine's own name; of one that is named as its Workload, that with its revision: the operator may
    give a Pod no other name.
    """
    name, known = str(metadata["name"]), metadata.get("labels") or {}
    return f"{name}-{known[REVISION_LABEL]}" if known.get(WORKLOAD_LABEL) == name else name


def _account(spec: Raw) -> str | None:
    """The ServiceAccount that KubeVirt 1.9 and later runs the launcher as, whatever token the machine has."""
    name = spec.get("serviceAccountName")
    return name if isinstance(name, str) else None


def _token(spec: Raw) -> str | None:
    """The ServiceAccount whose token the machine has."""
    volumes = spec.get("volumes")
    mounted = volumes if isinstance(volumes, list) else ()
    names = (_part(volume, "serviceAccount").get("serviceAccountName") for volume in mounted)
    return next((name for name in names if isinstance(name, str)), None)


def _profile(custom: Raw) -> Raw | None:
    if name := custom.get("localhostProfile"):
        return {"type": "Localhost", "localhostProfile": name}
    return {"type": "RuntimeDefault"} if custom.get("runtimeDefaultProfile") else None


def _resources(domain: Raw, settings: LauncherSettings, *, limited: bool) -> Raw:
    """What the launcher asks for at least. KubeVirt adds its own overhead to memory.

    KubeVirt gives it limits only where the machine has some, or a quota of the namespace asks for them (twice
    the request, at least the request). One that is to be `limited` has the request's.
    """
    requests, limits = (_part(domain, "resources", kind) for kind in ("requests", "limits"))
    cpu = requests.get("cpu") or limits.get("cpu") or _shared(domain, settings)
    least = _present("cpu", cpu)
    if "hugepages" in _part(domain, "memory"):  # the machine's memory is none of the launcher's then
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
    except (ValueError, ArithmeticError):  # an override may say anything
        return None


def _shared(domain: Raw, settings: LauncherSettings) -> str | None:
    cpu = _part(domain, "cpu")
    counts = [cpu.get(key, 1) for key in ("cores", "sockets", "threads")]
    if not cpu or settings.cpu_ratio <= 0 or not all(isinstance(part, int) for part in counts):
        return None
    return quantity.milli(Decimal(prod(counts)) / settings.cpu_ratio)


def _part(value: object, *keys: str) -> Raw:
    """A map that lies in others, empty if there is none: an override may put anything in its place."""
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}


def _present(key: str, value: object) -> Raw:
    return {key: value} if value else {}
