"""The parity table's rows of the Pod as a whole: its metadata, and its spec without containers and volumes.

The launcher Pod has what KubeVirt's renderLaunchManifest puts into it, and nothing else (kubevirt.io/kubevirt
v1.8.0, pkg/virt-controller/services/template.go).
"""

from __future__ import annotations

from twinhull.api.isolation import Isolation
from twinhull.hulls.parity.row import ChangeEffect, Row, all_same, but, changes, machine, refused, same

_NAMED = "means nothing in a template, as in a Deployment's: the Workload's own name names its Pod"
_LAUNCHER = "KubeVirt puts it on the launcher Pod"
_CLAIMS = (
    "devices can't be claimed for a machine; give it some with spec.virtualMachine.overrides, "
    "or use isolation Container"
)
_GATE = "KubeVirt makes the launcher Pod and gives it no gates of ours; remove it, or use isolation Container"
_NODE = "a machine has no part in its node's {what}; remove it, or use isolation Container"
_APPARMOR = "the guest has no AppArmor; remove it, or set type Unconfined"
_NODE_PROFILE = "the profile is a file of the node, which the machine can't see; use type RuntimeDefault"
_SELINUX = "the guest has no SELinux; remove it"
_WINDOWS = "the guest runs Linux; remove it"

_EVERYWHERE_BUT = (
    "on the VirtualMachineInstance, its launcher Pod and the guest's Pod; a few keys are [refused](#keys)"
)


def _meaningless(path: str, why: str) -> Row:
    return changes(same(path, why), ChangeEffect.NOTHING, ChangeEffect.NOTHING)


METADATA: tuple[Row, ...] = (
    changes(machine("metadata.labels", _EVERYWHERE_BUT), ChangeEffect.IN_PLACE, ChangeEffect.REPLACED),
    changes(machine("metadata.annotations", _EVERYWHERE_BUT), ChangeEffect.IN_PLACE, ChangeEffect.REPLACED),
    _meaningless("metadata.creationTimestamp", "means nothing in a template, as in a Deployment's"),
    refused(
        "metadata.finalizers",
        "KubeVirt makes and ends the launcher Pod; remove it, or use isolation Container",
    ),
    _meaningless("metadata.name", _NAMED),
    _meaningless("metadata.generateName", _NAMED),
    _meaningless(
        "metadata.namespace", "means nothing in a template: the Pod runs in the Workload's own namespace"
    ),
)


def security_context(at: str) -> tuple[Row, ...]:
    """The part of a securityContext that Pods and containers have in common."""
    return (
        *all_same(at, "runAsUser runAsGroup runAsNonRoot seccompProfile.type"),
        refused(f"{at}seccompProfile.localhostProfile", _NODE_PROFILE),
        but(same(f"{at}appArmorProfile.type"), _APPARMOR, "RuntimeDefault", "Localhost"),
        refused(f"{at}appArmorProfile.localhostProfile", _APPARMOR),
        refused(f"{at}seLinuxOptions", _SELINUX),
        refused(f"{at}windowsOptions", _WINDOWS),
    )


def resources(at: str) -> tuple[Row, ...]:
    """What a Pod or container asks for. Amounts of a node's own resources are refused one by one."""
    sized = (
        "the machine is large enough for all containers together; the guest's kubelet holds each to its own"
    )
    return (
        machine(f"{at}limits", sized),
        machine(f"{at}requests", sized),
        refused(f"{at}claims", _CLAIMS),
    )


_SCHEDULING: tuple[Row, ...] = (
    machine("affinity", _LAUNCHER, below=True),
    machine("nodeSelector", f"{_LAUNCHER}; a few keys are [refused](#keys)"),
    machine("priorityClassName", _LAUNCHER),
    machine("schedulerName", _LAUNCHER),
    machine("tolerations", _LAUNCHER, below=True),
    machine("topologySpreadConstraints", _LAUNCHER, below=True),
    refused("nodeName", "a machine is scheduled; use nodeSelector with kubernetes.io/hostname"),
    refused("overhead", "KubeVirt works out a machine's overhead; remove it"),
    refused("preemptionPolicy", "a machine has only a priorityClassName; use a class that says it"),
    refused("priority", "a machine has only a priorityClassName; use that"),
    refused("readinessGates", _GATE),
    refused("schedulingGates", _GATE),
    refused("schedulingGroup", "KubeVirt groups no launcher Pods; remove it, or use isolation Container"),
    refused(
        "runtimeClassName",
        "a machine isn't run by a RuntimeClass, and a Sandbox takes its own from "
        "spec.sandbox.runtimeClassName, which may say the same here; remove it, or use that",
        also=(Isolation.SANDBOX,),
    ),
    refused("resourceClaims", _CLAIMS),
    refused(
        "evictionResponders",
        "KubeVirt has a machine evicted in its own way; remove it, and set evictionStrategy in "
        "spec.virtualMachine.overrides",
    ),
)

_NAMES_AND_NETWORK: tuple[Row, ...] = (
    machine("hostname", "the machine's host name, and the launcher Pod's; the Workload's name by default"),
    machine("subdomain", "the launcher Pod's, so that a headless Service gives the machine its DNS name"),
    *all_same("hostAliases[].", "ip hostnames"),
    machine("dnsPolicy", "the launcher Pod's; the guest is told its name servers and search domains by DHCP"),
    but(
        machine("dnsConfig.nameservers", "the launcher Pod's; the guest is told them by DHCP"),
        "a guest takes IPv4 name servers only; use those, or isolation Container",
        "*:*",
    ),
    machine("dnsConfig.searches", "the launcher Pod's; the guest is told them by DHCP"),
    *all_same("dnsConfig.options[].", "name value"),
    machine(
        "enableServiceLinks",
        "as false: the guest sees no Services, so it sets none of their variables; true is Kubernetes' "
        "default, and says no more than an absent one",
    ),
    refused("hostnameOverride", "the machine's name is set by hostname; use that"),
    same("setHostnameAsFQDN", "the machine's name then has the domain too"),
    refused("hostIPC", _NODE.format(what="IPC namespace")),
    refused("hostNetwork", _NODE.format(what="network")),
    refused("hostPID", _NODE.format(what="processes")),
    refused(
        "hostUsers",
        "the machine's users aren't its node's in any case; remove it, or use isolation Container",
        "false",
    ),
)

_LIFE: tuple[Row, ...] = (
    same("activeDeadlineSeconds", "counted anew when the machine starts again"),
    same("restartPolicy", "the machine follows it: its runStrategy is Always, or else Once"),
    machine(
        "terminationGracePeriodSeconds",
        "the guest's kubelet gives the containers this long, and the machine is given a little longer",
    ),
    same("shareProcessNamespace"),
    but(same("os.name"), _WINDOWS, "windows"),
    same("imagePullSecrets[].name"),
    machine("serviceAccountName", "KubeVirt runs the launcher Pod as it, and gives the guest its token"),
    machine("serviceAccount", "the old name of serviceAccountName"),
    machine("automountServiceAccountToken", "KubeVirt gives the guest a token, unless it is false"),
    *resources("resources."),
)

_SECURITY: tuple[Row, ...] = (
    *security_context("securityContext."),
    *all_same("securityContext.", "fsGroup fsGroupChangePolicy supplementalGroups supplementalGroupsPolicy"),
    same("securityContext.sysctls[].name", "net.* are set for the whole machine, which is the Pod's alone"),
    same("securityContext.sysctls[].value"),
    refused("securityContext.seLinuxChangePolicy", _SELINUX),
)

POD: tuple[Row, ...] = tuple(
    row.at("spec.") for row in (*_SCHEDULING, *_NAMES_AND_NETWORK, *_LIFE, *_SECURITY)
)
