"""Reasons of the Ready condition for what waits for somebody: the rules' own."""

from __future__ import annotations

from twinhull.api.reasons import Reason
from twinhull.core.reasons.row import Row

STALLED: dict[Reason, Row] = {
    Reason.FAILED: Row(
        "It ran to its end, badly; `status.exit` has the exit code and the container.",
        "look at its logs; to run it again, change the spec, or another annotation `twinhull.dev/restart`",
    ),
    Reason.PROGRESS_DEADLINE_EXCEEDED: Row(
        "The hull was not ready within `progressDeadlineSeconds`, or each was lost that was made meanwhile. "
        "Under StartFirst it was taken back, and the old one goes on.",
        "the message has what kept it: image, scheduling, probe; change the spec to try again",
    ),
    Reason.TERMINATION_DEADLINE_EXCEEDED: Row(
        "A hull should have ended and hasn't, or an object that is in the way should be gone.",
        "see its finalizers, which the message names, and its node; if the node is gone for good, `kubectl "
        "delete --force`",
    ),
    Reason.CANNOT_START_FIRST: Row(
        "Both hulls would hold something that only one can: a ReadWriteOnce claim, a host port.",
        "set `spec.replacement.strategy` to Recreate, or share it some other way",
    ),
    Reason.UNSUPPORTED_FIELDS: Row(
        "The template has fields that a machine can't honour; all are in `status.unsupportedFields`.",
        "do what each field's reason says, or choose another isolation ([parity](parity.md))",
    ),
    Reason.ISOLATION_DROPPED: Row(
        "The Pod is less isolated than its template asks for: a feature gate is off, or a webhook or policy "
        "changed a field.",
        "enable the feature there, or remove the field; the Pod runs until then",
    ),
    Reason.REJECTED_BY_POLICY: Row(
        "An IsolationPolicy rejects it. What runs goes on, and nothing is made anew.",
        "ask for the isolation that the message names, or see whose the policy is ([policies](policies.md))",
    ),
    Reason.POLICY_UNREADABLE: Row(
        "An IsolationPolicy that may concern it can't be read by this operator.",
        "see `kubectl describe isopol`; usually the operator is older than the policy",
    ),
    Reason.UNREADABLE: Row(
        "This operator can't read the Workload, or the IsolationPolicy, that says so. What runs goes on "
        "where it is; nothing is made anew, nor started that such a policy may concern.",
        "do what its message says: usually the operator is to be upgraded, or the Workload or its namespace "
        "holds more than one may ([memory](security.md#filling-its-memory))",
    ),
    Reason.TOO_LARGE: Row(
        "A field of the Workload is larger than it may be, and was stored before the CRD said so. What runs "
        "goes on, and nothing is made anew.",
        "shorten the field that the message names ([bounds](workload.md#how-large-a-workload-may-be))",
    ),
    Reason.INTERNAL_ERROR: Row(
        "The operator itself failed at the Workload. What runs is left as it is, and it tries again, less "
        "and less often. It is a defect of the operator.",
        "find the message's id in the operator's log, and report what it has there",
    ),
    Reason.EVADES_FLOOR: Row(
        "Something in it reaches past the isolation that a policy requires.",
        "remove the field that the message names ([what a floor refuses](policies.md#what-a-floor-refuses))",
    ),
    Reason.IMAGE_REJECTED: Row(
        "A policy doesn't allow an image of its machine, or asks for the digest of one. What runs goes on.",
        "change the field that the message names ([images of machines](policies.md#images-of-machines))",
    ),
    Reason.KUBEVIRT_MISSING: Row("It is to be a machine, and KubeVirt isn't installed.", "install KubeVirt"),
    Reason.KUBEVIRT_NOT_READY: Row(
        "KubeVirt is being removed, or says that it failed.", "`kubectl get kubevirt -A`"
    ),
    Reason.KUBEVIRT_TOO_OLD: Row(
        "Machines of this KubeVirt may never become Ready on this Kubernetes. Those that run are left alone.",
        "upgrade KubeVirt to 1.8.4 or later, which Kubernetes 1.36 and later need",
    ),
    Reason.NO_MACHINE_NODES: Row(
        "No node is labelled `kubevirt.io/schedulable=true`.",
        "`kubectl get pods -n kubevirt`: virt-handler labels the nodes that can run machines",
    ),
    Reason.GUEST_IMAGE_MISSING: Row(
        "Nobody names the image that machines boot.",
        "set the chart's `guest.image`, or `spec.virtualMachine.guestImage`",
    ),
    Reason.RUNTIME_CLASS_MISSING: Row(
        "The sandbox's RuntimeClass isn't there, or none is named.",
        "create it, or name one: `spec.sandbox.runtimeClassName`, the policy's, or the operator's",
    ),
    Reason.RUNTIME_CLASS_CONFLICT: Row(
        "A sandbox's template names a RuntimeClass of its own.", "move it to `spec.sandbox.runtimeClassName`"
    ),
    Reason.ISOLATION_UNKNOWN: Row(
        "This operator has no way to run an isolation that the API has.",
        "upgrade the operator, or set another `spec.isolationPolicy`",
    ),
    Reason.CLAIM_MISSING: Row("A PersistentVolumeClaim isn't there.", "create it"),
    Reason.STORAGE_CLASS_MISSING: Row("A StorageClass isn't there.", "create it, or name another one"),
    Reason.INSTANCETYPE_MISSING: Row("An instancetype isn't there.", "create it, or name another one"),
    Reason.PREFERENCE_MISSING: Row("A preference isn't there.", "create it, or name another one"),
    Reason.NAME_CONFLICT: Row(
        "An object of its name or label belongs to somebody else, and is left alone.",
        "delete that object, take the label off it, or rename one of the two",
    ),
    Reason.RESIZE_ERROR: Row(
        "The node failed to give a running Pod its CPU or memory.",
        "see the message; another annotation `twinhull.dev/restart` has the Pod made anew",
    ),
    Reason.RESIZE_INFEASIBLE: Row(
        "The node can never give a running Pod that much CPU or memory.",
        "ask for less, or have the Pod moved: another annotation `twinhull.dev/restart`",
    ),
}
