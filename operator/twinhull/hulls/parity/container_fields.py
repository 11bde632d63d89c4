"""The parity table's rows of a container of any kind, with paths from the container on."""

from __future__ import annotations

from collections.abc import Iterator

from twinhull.hulls.parity.pod_fields import resources, security_context
from twinhull.hulls.parity.row import ParityRow, all_same, but, machine, refused, same

#: The objection to fields whose feature gate is off by default in Kubernetes 1.37, and so in the guest.
ALPHA = "it is alpha in Kubernetes 1.37, and off in the guest; remove it, or use isolation Container"
PULLS = "a machine starts without any images, so IfNotPresent always pulls, and Never finds no image"
_HOST_PORT = "the machine has no port on its node; use the Workload's Service"
_OWN_PORT = "the guest itself listens on this port; use another port"
_PROCFS = "it needs hostUsers: false, which a machine can't have; remove it, or use isolation Container"
_RESIZED = "[what a change of resources does](flips.md#what-needs-no-other-hull)"
_SCTP = (
    "SCTP: an association has only the machine's one address, and the node must be able to track SCTP "
    "connections"
)
_NODE_ADDRESS_UNKNOWN = (
    "only an operator with --guest-key-file tells a machine its node's address; set that option, remove "
    "the field, or use isolation Container"
)
_ADDRESSES = (
    "status.podIP is the address by which the cluster knows the machine, and the only one in status.podIPs; "
    "status.hostIP and spec.nodeName are those of the node on which the machine started"
)
#: The fields that hold the node's address.
NODE_ADDRESSES = ("status.hostIP", "status.hostIPs")


def field_reference(at: str, no_node_address: str, addresses: str = "") -> Iterator[ParityRow]:
    """The rows of a fieldRef and a resourceFieldRef: the values that a container gets of its own Pod.
    `no_node_address` is the objection to its node's addresses, `addresses` the explanation of the addresses
    that it gets.
    """
    yield same(f"{at}fieldRef.apiVersion")
    yield but(same(f"{at}fieldRef.fieldPath", addresses), no_node_address, *NODE_ADDRESSES)
    yield from all_same(f"{at}resourceFieldRef.", "containerName divisor")
    yield same(
        f"{at}resourceFieldRef.resource", "if the limit isn't set, the value is the machine's own amount"
    )


def _environment() -> Iterator[ParityRow]:
    yield from all_same("env[].", "name value")
    source = "env[].valueFrom."
    yield from all_same(f"{source}configMapKeyRef.", "name key optional")
    yield from all_same(f"{source}secretKeyRef.", "name key optional")
    yield from all_same(f"{source}fileKeyRef.", "volumeName path key optional")
    yield from field_reference(source, _NODE_ADDRESS_UNKNOWN, _ADDRESSES)
    yield from all_same("envFrom[].", "prefix configMapRef.name configMapRef.optional")
    yield from all_same("envFrom[].", "secretRef.name secretRef.optional")


def _action(at: str) -> Iterator[ParityRow]:
    """The rows that probes and hooks have in common."""
    yield from all_same(at, "exec.command tcpSocket.host tcpSocket.port")
    yield from all_same(f"{at}httpGet.", "host httpHeaders[].name httpHeaders[].value path port scheme")


def _probe(at: str) -> Iterator[ParityRow]:
    yield from all_same(at, "initialDelaySeconds periodSeconds timeoutSeconds successThreshold")
    yield from all_same(at, "failureThreshold terminationGracePeriodSeconds grpc.port grpc.service")
    yield from _action(at)
    yield refused(f"{at}grpc.mode", ALPHA)
    yield refused(f"{at}httpGet.protocol", ALPHA)


def _hook(at: str) -> Iterator[ParityRow]:
    yield from _action(at)
    yield same(f"{at}sleep.seconds")
    yield refused(f"{at}httpGet.protocol", ALPHA)


_MOUNTS: tuple[ParityRow, ...] = (
    *all_same("volumeMounts[].", "name mountPath readOnly recursiveReadOnly subPath subPathExpr"),
    same(
        "volumeMounts[].mountPropagation",
        "mounts propagate between the Pod's containers and the machine, not to the node",
    ),
    refused("volumeMounts[].bindMountOptions", ALPHA),
    *(
        machine(
            f"volumeDevices[].{name}",
            "the claim is a disk of the machine, and that disk is the container's device",
        )
        for name in ("name", "devicePath")
    ),
)

_SECURITY: tuple[ParityRow, ...] = (
    *security_context("securityContext."),
    *all_same("securityContext.", "allowPrivilegeEscalation readOnlyRootFilesystem"),
    *all_same("securityContext.", "capabilities.add capabilities.drop"),
    same("securityContext.privileged", "the container controls the machine, and can't reach the node"),
    but(same("securityContext.procMount"), _PROCFS, "Unmasked"),
)

CONTAINER: tuple[ParityRow, ...] = (
    *all_same("", "name image command args workingDir"),
    same("imagePullPolicy", PULLS),
    *_environment(),
    but(same("ports[].containerPort"), _OWN_PORT, "65250", "65251", "65254"),
    same("ports[].name"),
    same("ports[].protocol", _SCTP),
    refused("ports[].hostPort", _HOST_PORT),
    refused("ports[].hostIP", "the machine has no port on its node; remove it"),
    *resources("resources."),
    same("resizePolicy[].resourceName", _RESIZED),
    same(
        "resizePolicy[].restartPolicy",
        _RESIZED,
    ),
    *all_same("", "restartPolicy restartPolicyRules[].action"),
    *all_same("restartPolicyRules[].exitCodes.", "operator values"),
    *_MOUNTS,
    *_probe("livenessProbe."),
    *_probe("readinessProbe."),
    *_probe("startupProbe."),
    *_hook("lifecycle.postStart."),
    *_hook("lifecycle.preStop."),
    refused("lifecycle.stopSignal", ALPHA),
    *all_same("", "terminationMessagePath terminationMessagePolicy"),
    *_SECURITY,
    *all_same("", "stdin stdinOnce tty"),
)
