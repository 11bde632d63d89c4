"""The parity table's rows of the Pod: metadata, the spec without containers and volumes, and securityContext.

The launcher Pod has only the fields that KubeVirt's renderLaunchManifest sets (kubevirt.io/kubevirt v1.9.0,
pkg/virt-controller/services/template.go).
"""

from __future__ import annotations

from twinhull.api.isolation import Isolation
from twinhull.hulls.parity.row import ChangeEffect, ParityRow, all_same, but, changes, machine, refused, same

_NAMED = "it has no effect, as in a Deployment's template: the Pod has the Workload's name"
_LAUNCHER = "KubeVirt puts it on the launcher Pod"
_CLAIMS = (
    "a machine can't claim devices; add devices with spec.virtualMachine.overrides, or use isolation "
    "Container"
)
_GATE = (
    "KubeVirt makes the launcher Pod without the template's {which} gates; remove it, or use isolation "
    "Container"
)
_NODE = "a machine doesn't share its node's {what}; remove it, or use isolation Container"
_APPARMOR = "the guest has no AppArmor; remove it, or set type Unconfined"
_NODE_PROFILE = "the profile is a file of the node, which the machine can't see; use type RuntimeDefault"
_SELINUX = "the guest has no SELinux; remove it"
_WINDOWS = "the guest runs Linux; remove it"

_EVERYWHERE_BUT = (
    "they are set on the VirtualMachineInstance, its launcher Pod and the guest's Pod; a few keys are "
    "[refused](#keys)"
)


def _meaningless(path: str, why: str) -> ParityRow:
    return changes(same(path, why), ChangeEffect.NOTHING, ChangeEffect.NOTHING)


METADATA: tuple[ParityRow, ...] = (
    changes(machine("metadata.labels", _EVERYWHERE_BUT), ChangeEffect.IN_PLACE, ChangeEffect.REPLACED),
    changes(machine("metadata.annotations", _EVERYWHERE_BUT), ChangeEffect.IN_PLACE, ChangeEffect.REPLACED),
    _meaningless("metadata.creationTimestamp", "it has no effect, as in a Deployment's template"),
    refused(
        "metadata.finalizers",
        "KubeVirt makes and ends the launcher Pod; remove it, or use isolation Container",
    ),
    _meaningless("metadata.name", _NAMED),
    _meaningless("metadata.generateName", _NAMED),
    _meaningless("metadata.namespace", "it has no effect: the Pod runs in the Workload's namespace"),
)


def security_context(at: str) -> tuple[ParityRow, ...]:
    """The rows that the securityContexts of Pods and containers have in common."""
    return (
        *all_same(at, "runAsUser runAsGroup runAsNonRoot seccompProfile.type"),
        refused(f"{at}seccompProfile.localhostProfile", _NODE_PROFILE),
        but(same(f"{at}appArmorProfile.type"), _APPARMOR, "RuntimeDefault", "Localhost"),
        refused(f"{at}appArmorProfile.localhostProfile", _APPARMOR),
        refused(f"{at}seLinuxOptions", _SELINUX),
        refused(f"{at}windowsOptions", _WINDOWS),
    )


def resources(at: str) -> tuple[ParityRow, ...]:
    """The rows of a Pod's or container's resources. Amounts of a node's own resources are refused one by one
    (objections.py).
    """
    sized = (
        "the machine has room for the sum of all containers; the guest's kubelet enforces each container's "
        "own resources"
    )
    return (
        machine(f"{at}limits", sized),
        machine(f"{at}requests", sized),
        refused(f"{at}claims", _CLAIMS),
    )


_SCHEDULING: tuple[ParityRow, ...] = (
    machine("affinity", _LAUNCHER, below=True),
    machine("nodeSelector", f"{_LAUNCHER}; a few keys are [refused](#keys)"),
    machine("priorityClassName", _LAUNCHER),
    machine("schedulerName", _LAUNCHER),
    machine("tolerations", _LAUNCHER, below=True),
    machine("topologySpreadConstraints", _LAUNCHER, below=True),
    refused(
        "nodeName", "the scheduler chooses a machine's node; use nodeSelector with kubernetes.io/hostname"
    ),
    refused("overhead", "KubeVirt computes a machine's overhead; remove it"),
    refused(
        "preemptionPolicy", "a machine takes only a priorityClassName; use a PriorityClass with this value"
    ),
    refused("priority", "a machine takes only a priorityClassName; use that"),
    refused("readinessGates", _GATE.format(which="readiness")),
    refused("schedulingGates", _GATE.format(which="scheduling")),
    refused("schedulingGroup", "KubeVirt groups no launcher Pods; remove it, or use isolation Container"),
    refused(
        "runtimeClassName",
        "a machine doesn't run under a RuntimeClass, and a Sandbox takes its RuntimeClass from "
        "spec.sandbox.runtimeClassName, which may name the same one; remove it, or use that field",
        also=(Isolation.SANDBOX,),
    ),
    refused("resourceClaims", _CLAIMS),
    refused(
        "evictionResponders",
        "KubeVirt evicts machines in its own way; remove it, and set evictionStrategy in "
        "spec.virtualMachine.overrides",
    ),
)

_NAMES_AND_NETWORK: tuple[ParityRow, ...] = (
    machine(
        "hostname",
        "the host name of the machine and of the launcher Pod; by default it is the Workload's name",
    ),
    machine(
        "subdomain",
        "it is set on the launcher Pod, so that a headless Service gives the machine its DNS name",
    ),
    *all_same("hostAliases[].", "ip hostnames"),
    machine(
        "dnsPolicy",
        "it is set on the launcher Pod; the guest gets its name servers and search domains by DHCP",
    ),
    but(
        machine("dnsConfig.nameservers", "they are set on the launcher Pod; the guest gets them by DHCP"),
        "a guest supports IPv4 name servers only; use those, or isolation Container",
        "*:*",
    ),
    machine("dnsConfig.searches", "they are set on the launcher Pod; the guest gets them by DHCP"),
    *all_same("dnsConfig.options[].", "name value"),
    machine(
        "enableServiceLinks",
        "it has the effect of false: the guest doesn't see Services, and sets none of their variables; "
        "true isn't refused, since it is Kubernetes' default",
    ),
    refused("hostnameOverride", "hostname sets the machine's name; use that"),
    same("setHostnameAsFQDN", "the machine's host name then includes the domain"),
    refused("hostIPC", _NODE.format(what="IPC namespace")),
    refused("hostNetwork", _NODE.format(what="network")),
    refused("hostPID", _NODE.format(what="processes")),
    refused(
        "hostUsers",
        "a machine's users are never those of its node; remove it, or use isolation Container",
        "false",
    ),
)

_LIFE: tuple[ParityRow, ...] = (
    same("activeDeadlineSeconds", "the count begins anew when the machine starts again"),
    same("restartPolicy", "the machine's runStrategy follows it: Always for Always, else Once"),
    machine(
        "terminationGracePeriodSeconds",
        (
            "the guest's kubelet gives the containers this long to end, and KubeVirt gives the machine a "
            "little longer"
        ),
    ),
    same("shareProcessNamespace"),
    but(same("os.name"), _WINDOWS, "windows"),
    same(
        "imagePullSecrets[].name",
        "a machine reads these Secrets when it starts: after a change of one (a renewed ECR token), run "
        "twinhull restart before the next pull",
    ),
    machine(
        "serviceAccountName",
        "KubeVirt runs the launcher Pod with this ServiceAccount, and gives the guest its token",
    ),
    machine("serviceAccount", "it is the old name of serviceAccountName"),
    machine("automountServiceAccountToken", "KubeVirt gives the guest a token, unless it is false"),
    *resources("resources."),
)

_SECURITY: tuple[ParityRow, ...] = (
    *security_context("securityContext."),
    *all_same("securityContext.", "fsGroup fsGroupChangePolicy supplementalGroups supplementalGroupsPolicy"),
    same(
        "securityContext.sysctls[].name",
        "net.* sysctls are set for the whole machine, in which only this Pod runs",
    ),
    same("securityContext.sysctls[].value"),
    refused("securityContext.seLinuxChangePolicy", _SELINUX),
)

POD: tuple[ParityRow, ...] = tuple(
    row.at("spec.") for row in (*_SCHEDULING, *_NAMES_AND_NETWORK, *_LIFE, *_SECURITY)
)
