"""What would reach past an isolation to the node, and so has no place where a policy requires that isolation.

Read from Kubernetes' Pod Security Standards (level Baseline) for sandboxes, and from kubevirt.io/api v1.9.0,
core/v1/schema.go, for machines.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain

from twinhull.api.base import Raw
from twinhull.api.reading import REACHING, UNREAD
from twinhull.api.workload import Isolation, WorkloadSpec
from twinhull.hulls.applied import Applied
from twinhull.hulls.hull import Hull
from twinhull.hulls.parity.walk import fields

_CONTAINERS = ("spec.containers[].", "spec.initContainers[].")
_HOST_PROCESS = "securityContext.windowsOptions.hostProcess"
#: What the kubelet calls, from its node's own network: in containers, and as a machine's own probes.
_PROBES = ("livenessProbe.", "readinessProbe.", "startupProbe.")
_CALLS = (*_PROBES, "lifecycle.postStart.", "lifecycle.preStop.")
_CALLED = "the node connects to it, from its own network"
_DEVICES = "they are devices of the node"
#: What an instancetype may bring of them.
_NODE_DEVICES = ("gpus", "hostDevices")
_UNCONFINED = "it removes a confinement by which the node protects itself from the sandbox"
_SELINUX_USER = "it chooses how the node's SELinux confines the sandbox"

#: Fields of a template, from spec.template on.
_IN_SANDBOX: Mapping[str, str] = {
    "spec.hostNetwork": "it is the node's network",
    "spec.hostPID": "it shows the node's processes",
    "spec.hostIPC": "it is the node's shared memory",
    "spec.volumes[].hostPath": "it is a directory of the node",
    "spec.resourceClaims": _DEVICES,
    **{f"{at}ports[].hostPort": "it is a port of the node" for at in _CONTAINERS},
    **{f"{at}securityContext.privileged": "it gives access to the node's devices" for at in _CONTAINERS},
    **{f"{at}{_HOST_PROCESS}": "it is a process of the node" for at in ("spec.", *_CONTAINERS)},
    **{
        f"{at}{call}{host}.host": _CALLED
        for at in _CONTAINERS
        for call in _CALLS
        for host in ("httpGet", "tcpSocket")
    },
    **{
        f"{at}securityContext.seLinuxOptions.{field}": _SELINUX_USER
        for at in ("spec.", *_CONTAINERS)
        for field in ("user", "role")
    },
}
#: Fields of a template of which some values reach the node, and which values don't.
_VALUES_IN_SANDBOX: Mapping[str, tuple[tuple[str, ...], str]] = {
    **{f"{at}securityContext.procMount": (("Default",), "it shows all of /proc") for at in _CONTAINERS},
    **{
        f"{at}securityContext.{field}.type": (("", "RuntimeDefault", "Localhost"), _UNCONFINED)
        for at in ("spec.", *_CONTAINERS)
        for field in ("appArmorProfile", "seccompProfile")
    },
    **{
        f"{at}securityContext.seLinuxOptions.type": (
            ("", "container_t", "container_init_t", "container_kvm_t", "container_engine_t"),
            _SELINUX_USER,
        )
        for at in ("spec.", *_CONTAINERS)
    },
}

#: Fields of a VirtualMachineInstance's spec, from spec.virtualMachine.overrides on.
_IN_MACHINE: Mapping[str, str] = {
    "volumes[].hostDisk": "it is a file of the node",
    "volumes[].containerPath": "it shows the files of the launcher Pod",
    "volumes[].downwardMetrics": "it shows the node's metrics",
    "domain.devices.downwardMetrics": "it shows the node's metrics",
    "domain.devices.hostDevices": _DEVICES,
    "domain.devices.gpus": _DEVICES,
    "domain.devices.interfaces[].sriov": "it is a device of the node",
    "networks[].resourceClaim": "it is a device of the node",
    "networks[].multus": "it is a network of the node, in addition to the cluster's",
    "resourceClaims": _DEVICES,
    "domain.devices.autoattachVSOCK": "it is a socket of the node",
    "domain.devices.disks[].lun.reservation": "it reaches the node's reservation daemon",
    **{f"{probe}{host}.host": _CALLED for probe in _PROBES for host in ("httpGet", "tcpSocket")},
}
#: Where amounts are said. The name of what a device plugin or DRA driver hands out is a domain's.
_AMOUNTS = ("resources.limits.", "resources.requests.")

_OF_RUNTIME = "it configures the container runtime"
_OF_NETWORK = "it attaches networks of the node, in addition to the cluster's"
_GIVES_DEVICES = "it gives access to the node's devices"
_KUBEVIRT = "kubevirt.io"
_APPARMOR = "container.apparmor.security.beta.kubernetes.io/"
#: The AppArmor profile that a container has anyway; annotations of older templates say it.
_DEFAULT_PROFILE = "runtime/default"

#: What the template's annotations may begin with, which go along to the Pod, or to the launcher Pod.
#:
#: Sources: crun, crun.1.md (`run.oci.`, `krun.`); runc and crun (`org.systemd.property.` sets properties of a
#: container's systemd unit, see CVE-2024-3154); containerd, which passes on `io.microsoft.` by default, and
#: hcsshim (`microsoft.com/hostprocess-`); ovn-kubernetes (`k8s.ovn.org/routing-`: Pods as gateways).
ANNOTATIONS: Mapping[str, str] = {
    "dev.gvisor.": "it configures the sandbox",
    "io.katacontainers.": "it configures the sandbox",
    "io.kubernetes.cri-o.": _OF_RUNTIME,
    "io.kubernetes.cri.": _OF_RUNTIME,
    "io.containers.": _OF_RUNTIME,
    "io.microsoft.": _OF_RUNTIME,
    "microsoft.com/hostprocess-": "it asks for a process of the node",
    "run.oci.": _OF_RUNTIME,
    "krun.": _OF_RUNTIME,
    "org.systemd.property.": _OF_RUNTIME,
    "k8s.ovn.org/routing-": "it routes traffic of other namespaces through the Pod",
    _APPARMOR: "it chooses the node's AppArmor profile",
    "hooks.kubevirt.io/": "it runs another program beside the machine, and changes the machine",
    "kubevirt.io/func-test-": "it changes what KubeVirt runs",
}
#: The same by domain: keys of it, and of all domains below it.
#:
#: Sources: containerd/nri, plugins (`noderesource.dev`, before it `nri.io`); NVIDIA's container toolkit
#: (`nvidia.cdi.k8s.io`, `cdi-devices.noderesource.dev`); intel/goresctrl, pkg/kubernetes (classes of RDT and
#: block I/O); GoogleCloudPlatform/container-engine-accelerators, nri_device_injector (`devices.gke.io`);
#: GKE's network API (`networking.gke.io/interfaces`); nokia/danm; AliyunContainerService/terway
#: (`k8s.aliyun.com/pod-networks`); Tencent's multus-cni (`tke.cloud.tencent.com/networks`).
DOMAINS: Mapping[str, str] = {
    "crio.io": _OF_RUNTIME,
    "cri-o.io": _OF_RUNTIME,
    "nri.io": _OF_RUNTIME,
    "noderesource.dev": _OF_RUNTIME,
    "resources.beta.kubernetes.io": _OF_RUNTIME,
    "cdi.k8s.io": _GIVES_DEVICES,
    "devices.gke.io": _GIVES_DEVICES,
    "cni.cncf.io": _OF_NETWORK,
    "multus-cni.io": _OF_NETWORK,
    "networking.gke.io": _OF_NETWORK,
    "danm.io": _OF_NETWORK,
    "danm.k8s.io": _OF_NETWORK,
    "k8s.aliyun.com": _OF_NETWORK,
    "tke.cloud.tencent.com": _OF_NETWORK,
    _KUBEVIRT: "it configures KubeVirt or its launcher",
}


@dataclass(frozen=True, slots=True)
class Evasion:
    """A field, from the Workload's root on, and why it doesn't go with the isolation."""

    path: str
    why: str


def evasions(spec: WorkloadSpec, isolation: Isolation) -> tuple[Evasion, ...]:
    """What of a spec reaches past an isolation. Containers keep nothing that could be reached past."""
    return _found(spec.template, spec.virtual_machine.overrides or {}, isolation)


def in_hull(hull: Hull, isolation: Isolation) -> tuple[Evasion, ...]:
    """What of a hull that is there reaches past an isolation, whatever the Workload says by now. Of its
    labels, annotations, containers and volumes, those of the template that it was made from: CNI plugins,
    webhooks and others add theirs. All of them, if it has no note of that template's.
    """
    if isolation is Isolation.CONTAINER:
        return ()
    if hull.kind == "VirtualMachine":
        return _in_machine(hull.obj, hull.instance, hull.applied)
    return _untold(hull.obj) if UNREAD in hull.obj else _in_pod(hull.obj, hull.applied)


def past_sandbox(pod: Raw) -> str:
    """The first of what of a Pod reaches past a sandbox, empty if nothing does."""
    return next((found.path for found in _in_pod(pod, Applied.read(pod))), "")


def past_machine(vm: Raw) -> str:
    """The same of a VirtualMachine."""
    return next((found.path for found in _in_machine(vm, None, Applied.read(vm))), "")


def _untold(obj: Raw) -> tuple[Evasion, ...]:
    """What is told of an object that isn't held as a whole. Of one that nobody could read, that is that it
    may be anything: its owner may have made it so.
    """
    told = obj.get(REACHING, "more fields than the operator reads")
    return (Evasion(told, "the operator doesn't keep the whole object"),) if told else ()


def _in_pod(pod: Raw, applied: Applied | None) -> tuple[Evasion, ...]:
    metadata, spec = pod["metadata"], pod["spec"]
    if applied is not None:
        metadata = _of_keys(metadata, applied.labels, applied.annotations)
        spec = _of_its_template(spec, applied)
    return _found({"metadata": metadata, "spec": spec}, {}, Isolation.SANDBOX)


def _in_machine(machine: Raw, instance: Raw | None, applied: Applied | None) -> tuple[Evasion, ...]:
    """What a machine that runs has by its VirtualMachineInstance: KubeVirt writes there what instancetype and
    preference bring, whose objects may say something else by now. What the cluster's bring is the
    administrator's. A machine without an instance is what its VirtualMachine says; one whose instance isn't
    held as a whole is that, with what is known of what its namespace's may have brought.
    """
    vm, template = machine["spec"], machine["spec"].get("template") or {}
    of_namespace = [part for part in ("instancetype", "preference") if _is_of_namespace(vm.get(part))]
    if UNREAD in machine or UNREAD in (instance or ()):
        brought = _brought(instance, of_namespace) if instance else ()
        told = _untold(machine) if UNREAD in machine else _in_machine(machine, None, applied)
        return (*told, *brought)
    made = instance or template
    metadata, spec = made.get("metadata") or {}, made.get("spec") or {}
    inside = template.get("metadata") or {}
    labels, annotations = inside.get("labels") or (), inside.get("annotations") or ()
    if applied is not None:
        labels, annotations = applied.labels, applied.annotations
    if of_namespace:
        annotations = {*annotations, *filter(_is_not_kubevirts, metadata.get("annotations") or ())}
    if "instancetype" not in of_namespace:
        spec = _with_devices(spec, template.get("spec") or {})
    found = {"metadata": _of_keys(metadata, labels, annotations)}
    return _found(found, spec, Isolation.VIRTUAL_MACHINE, "spec.")


def _brought(instance: Raw, of_namespace: Collection[str]) -> Iterator[Evasion]:
    """What an instance has of its namespace's instancetype and preference, and that its annotations aren't
    known, which these may have brought as well.
    """
    if "instancetype" in of_namespace:
        yield from _of_machine(_with_devices({}, instance["spec"]), "spec.")
    annotations = instance["metadata"].get("annotations")
    if of_namespace and annotations is None:
        yield from _untold({})
    for key, why in _reaching({"annotations": annotations}) if of_namespace else ():
        if brought(key):
            yield Evasion(f"metadata.annotations[{key}]", why)


def _of_keys(metadata: Raw, labels: Iterable[str], annotations: Iterable[str]) -> Raw:
    """Some of an object's labels and annotations."""
    parts = (("labels", frozenset(labels)), ("annotations", frozenset(annotations)))
    return {
        part: {key: value for key, value in (metadata.get(part) or {}).items() if key in keys}
        for part, keys in parts
    }


def _is_of_namespace(reference: Raw | None) -> bool:
    """Whether a VirtualMachine refers to an instancetype or preference of its own namespace."""
    kind = str((reference or {}).get("kind") or "")
    return bool(kind) and not kind.lower().startswith("virtualmachinecluster")


def _is_not_kubevirts(annotation: str) -> bool:
    """Whether an annotation isn't one of those that KubeVirt itself writes on instances."""
    return not annotation.startswith(f"{_KUBEVIRT}/") or annotation.startswith(tuple(ANNOTATIONS))


def _with_devices(spec: Raw, source: Raw) -> Raw:
    """A machine's spec with the devices of the node that another one has."""
    domain, others = spec.get("domain") or {}, (source.get("domain") or {}).get("devices") or {}
    own = {key: value for key, value in (domain.get("devices") or {}).items() if key not in _NODE_DEVICES}
    given = {key: others[key] for key in _NODE_DEVICES if key in others}
    return {**spec, "domain": {**domain, "devices": {**own, **given}}}


def _of_its_template(spec: Raw, applied: Applied) -> Raw:
    """A Pod's spec, with those containers and volumes alone that its template had."""
    named = {
        "containers": applied.images,
        "initContainers": applied.init_containers,
        "volumes": applied.volumes,
    }
    known = {part: frozenset(names) for part, names in named.items() if names is not None}
    own = {
        part: [one for one in spec[part] if one["name"] in names]
        for part, names in known.items()
        if spec.get(part)
    }
    return {**spec, **own}


def _found(
    template: Raw, machine: Raw, isolation: Isolation, at: str = "spec.virtualMachine.overrides."
) -> tuple[Evasion, ...]:
    """What reaches past an isolation, of a template or of what is said, `at` a path, of its machine."""
    match isolation:
        case Isolation.SANDBOX:
            return (*_annotations(template), *_of_template(template))
        case Isolation.VIRTUAL_MACHINE:
            return (*_annotations(template), *_labels(template), *_of_machine(machine, at))
        case Isolation.CONTAINER:
            return ()


def brought(key: str) -> bool:
    """Whether an annotation of an instance reaches past its isolation, and isn't one that KubeVirt writes."""
    return reaching(key) is not None and _is_not_kubevirts(key)


def reaching(key: str) -> str | None:
    """Why an annotation may reach past an isolation, None if it doesn't."""
    of_prefix = (why for prefix, why in ANNOTATIONS.items() if key.startswith(prefix))
    of_domain = (why for domain, why in DOMAINS.items() if _is_of(key, domain))
    return next(chain(of_prefix, of_domain), None)


def configuring_kubevirt(annotated: Raw) -> Iterator[tuple[str, str]]:
    """The annotations that KubeVirt, or a program beside the machine, reads, and why that matters."""
    for key in annotated.get("annotations") or {}:
        if _is_of(key, _KUBEVIRT) and (why := reaching(key)):
            yield key, why


def of_reference(field: str, kind: str, found: Raw) -> Iterator[Evasion]:
    """What a namespace's own instancetype or preference, by its field of spec.virtualMachine and its kind,
    brings to reach past the machine; the cluster's are the administrator's.

    Source: kubevirt.io/api v1.9.0, instancetype/v1beta1/types.go; both have annotations for the instance.
    """
    path, what, spec = f"spec.virtualMachine.{field}", f"{kind} {found['metadata']['name']}", found["spec"]
    for devices in _NODE_DEVICES:
        if spec.get(devices):
            yield Evasion(path, f"{what} has {devices}, which are the node's devices")
    for key, why in _reaching(spec):
        yield Evasion(path, f"{what} has the annotation {key}: {why}")


def _annotations(template: Raw) -> Iterator[Evasion]:
    for key, why in _reaching(template.get("metadata") or {}):
        yield Evasion(f"spec.template.metadata.annotations[{key}]", why)


def _labels(template: Raw) -> Iterator[Evasion]:
    """KubeVirt copies a machine's labels to its launcher Pod, and knows its own Pods by some."""
    for key in (template.get("metadata") or {}).get("labels") or {}:
        if _is_of(key, _KUBEVIRT):
            yield Evasion(f"spec.template.metadata.labels[{key}]", DOMAINS[_KUBEVIRT])


def _reaching(annotated: Raw) -> Iterator[tuple[str, str]]:
    """The annotations that reach past an isolation, and why."""
    for key, value in (annotated.get("annotations") or {}).items():
        harmless = key.startswith(_APPARMOR) and value == _DEFAULT_PROFILE
        if not harmless and (why := reaching(key)):
            yield key, why


def _is_of(key: str, domain: str) -> bool:
    """Whether a label or annotation is a domain's, or one's below it. CRI-O's have no slash."""
    own = key.partition("/")[0]
    return own == domain or own.endswith(f".{domain}")


def _of_template(template: Raw) -> Iterator[Evasion]:
    for path, where, value in fields(template):
        if path in _IN_SANDBOX and _asks(value):
            yield Evasion(f"spec.template.{where}", _IN_SANDBOX[path])
        elif path in _VALUES_IN_SANDBOX and value not in _VALUES_IN_SANDBOX[path][0]:
            yield Evasion(f"spec.template.{where}", _VALUES_IN_SANDBOX[path][1])
        elif _hands_out(path, value):
            yield Evasion(f"spec.template.{where}", _DEVICES)


def _of_machine(machine: Raw, at: str) -> Iterator[Evasion]:
    for path, where, value in fields(machine):
        if path in _IN_MACHINE and _asks(value):
            yield Evasion(f"{at}{where}", _IN_MACHINE[path])
        elif _hands_out(path, value):
            yield Evasion(f"{at}{where}", _DEVICES)


def _hands_out(path: str, amount: object) -> bool:
    """Whether a field is an amount, other than none, of what a device plugin hands out.

    No pattern is matched with the path: a tenant chooses names in it, and could make that slow.
    """
    if "/" not in path or amount in (None, 0, "0"):
        return False
    return any("/" in _resource(path, said) for said in _AMOUNTS)


def _resource(path: str, said: str) -> str:
    """The name of the resource that a field is an amount of, empty if it is none."""
    return path.removeprefix(said) if path.startswith(said) else path.partition(f".{said}")[2]


def _asks(value: object) -> bool:
    """Whether a value asks for anything. An empty object does: it may be all that its kind takes."""
    return value not in (None, False, [], "", 0)
