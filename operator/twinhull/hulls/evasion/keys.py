"""Labels and annotations that reach past an isolation, since programs outside the hull read them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain

from twinhull.api.base import Raw
from twinhull.api.injectors import adding, is_of_domain
from twinhull.api.virtualmachine import DESCRIBING_ANNOTATIONS

_CONFIGURES_RUNTIME = "it configures the container runtime"
_ATTACHES_NETWORKS = "it attaches networks of the node, in addition to the cluster's"
_GIVES_DEVICES = "it gives access to the node's devices"
KUBEVIRT = "kubevirt.io"
_APPARMOR = "container.apparmor.security.beta.kubernetes.io/"
#: The AppArmor profile that every container has by default. Annotations of older templates name it.
_DEFAULT_PROFILE = "runtime/default"
#: Prefixes of annotations that reach past an isolation. The template's annotations are copied to the Pod, or
#: to the launcher Pod.
#:
#: Sources: crun, crun.1.md (`run.oci.`, `krun.`); runc and crun (`org.systemd.property.` sets properties of a
#: container's systemd unit, see CVE-2024-3154); containerd, which passes on `io.microsoft.` by default, and
#: hcsshim (`microsoft.com/hostprocess-`); ovn-kubernetes (`k8s.ovn.org/routing-`: Pods as gateways).
ANNOTATIONS: Mapping[str, str] = {
    "dev.gvisor.": "it configures the sandbox",
    "io.katacontainers.": "it configures the sandbox",
    "io.kubernetes.cri-o.": _CONFIGURES_RUNTIME,
    "io.kubernetes.cri.": _CONFIGURES_RUNTIME,
    "io.containers.": _CONFIGURES_RUNTIME,
    "io.microsoft.": _CONFIGURES_RUNTIME,
    "microsoft.com/hostprocess-": "it asks for a process of the node",
    "run.oci.": _CONFIGURES_RUNTIME,
    "krun.": _CONFIGURES_RUNTIME,
    "org.systemd.property.": _CONFIGURES_RUNTIME,
    "k8s.ovn.org/routing-": "it routes traffic of other namespaces through the Pod",
    _APPARMOR: "it chooses the node's AppArmor profile",
    "hooks.kubevirt.io/": "it runs another program beside the machine, and changes the machine",
    "kubevirt.io/func-test-": "it changes what KubeVirt runs",
}
#: Domains of annotations that reach past an isolation, including their subdomains.
#:
#: Sources: containerd/nri, plugins (`noderesource.dev`, before it `nri.io`); NVIDIA's container toolkit
#: (`nvidia.cdi.k8s.io`, `cdi-devices.noderesource.dev`); intel/goresctrl, pkg/kubernetes (classes of RDT and
#: block I/O); GoogleCloudPlatform/container-engine-accelerators, nri_device_injector (`devices.gke.io`);
#: GKE's network API (`networking.gke.io/interfaces`); nokia/danm; AliyunContainerService/terway
#: (`k8s.aliyun.com/pod-networks`); Tencent's multus-cni (`tke.cloud.tencent.com/networks`).
DOMAINS: Mapping[str, str] = {
    "crio.io": _CONFIGURES_RUNTIME,
    "cri-o.io": _CONFIGURES_RUNTIME,
    "nri.io": _CONFIGURES_RUNTIME,
    "noderesource.dev": _CONFIGURES_RUNTIME,
    "resources.beta.kubernetes.io": _CONFIGURES_RUNTIME,
    "cdi.k8s.io": _GIVES_DEVICES,
    "devices.gke.io": _GIVES_DEVICES,
    "cni.cncf.io": _ATTACHES_NETWORKS,
    "multus-cni.io": _ATTACHES_NETWORKS,
    "networking.gke.io": _ATTACHES_NETWORKS,
    "danm.io": _ATTACHES_NETWORKS,
    "danm.k8s.io": _ATTACHES_NETWORKS,
    "k8s.aliyun.com": _ATTACHES_NETWORKS,
    "tke.cloud.tencent.com": _ATTACHES_NETWORKS,
    KUBEVIRT: "it configures KubeVirt or its launcher",
}
#: The labels that KubeVirt itself writes to instances (kubevirt.io/kubevirt 1.9.0, pkg/virt-controller/watch,
#: vmi/lifecycle.go and migration/migration.go).
LABELS_BY_KUBEVIRT = frozenset(
    f"{KUBEVIRT}/{name}"
    for name in (
        *("nodeName", "migrationTargetNodeName", "outdatedLauncherImage", "memory-hotplug-overhead-ratio"),
        *("vmi-pod-cpu-resource-limits", "vmi-pod-memory-resource-requests"),
    )
)


def reaching(key: str) -> str | None:
    """Why an annotation may reach past an isolation, None if it doesn't."""
    if key in DESCRIBING_ANNOTATIONS:
        return None
    of_prefix = (why for prefix, why in ANNOTATIONS.items() if key.startswith(prefix))
    of_domain = (why for domain, why in DOMAINS.items() if is_of_domain(key, domain))
    return next(chain(of_prefix, of_domain), None)


def reaching_in_instance(annotated: Raw) -> Iterator[str]:
    """The annotations of an instance that reach past its isolation, without those that KubeVirt writes."""
    return filter(is_not_kubevirts, dict(reaching_keys(annotated, in_machine=True)))


def running_beside(annotated: Raw) -> Iterator[tuple[str, str]]:
    """The annotations by which KubeVirt or a webhook runs a program beside the machine or changes the
    machine, each with the reason why it is an evasion.
    """
    annotations = annotated.get("annotations") or {}
    for key in annotations:
        if is_of_domain(key, KUBEVIRT) and (why := reaching(key)):
            yield key, why
    yield from adding(annotations, in_machine=True)


def is_not_kubevirts(annotation: str) -> bool:
    """Whether an annotation isn't one that KubeVirt itself writes to instances."""
    return not annotation.startswith(f"{KUBEVIRT}/") or annotation.startswith(tuple(ANNOTATIONS))


def reaching_keys(annotated: Raw, *, in_machine: bool) -> Iterator[tuple[str, str]]:
    """The annotations that reach past an isolation, each with the reason."""
    annotations = annotated.get("annotations") or {}
    for key, value in annotations.items():
        harmless = key.startswith(_APPARMOR) and value == _DEFAULT_PROFILE
        if not harmless and (why := reaching(key)):
            yield key, why
    yield from adding(annotations, in_machine=in_machine)
