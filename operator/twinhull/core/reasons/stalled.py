"""Reasons of the Ready condition for which a person has to act, but for refused writes: see `writes`."""

from __future__ import annotations

from twinhull.api.reasons import Reason
from twinhull.core.reasons.row import ANOTHER_REVISION, ReasonRow, others, ours

STALLED: dict[Reason, ReasonRow] = {
    Reason.FAILED: ReasonRow(
        "The Workload ran to completion and failed. `status.exit` has the exit code and the container.",
        f"{ours('logs')} shows why; to run it again: {ours('restart')}, or {ANOTHER_REVISION}",
        needs_edit=True,
    ),
    Reason.PROGRESS_DEADLINE_EXCEEDED: ReasonRow(
        "The hull was not ready within `progressDeadlineSeconds`, or every hull in that time was lost. "
        "Under StartFirst the new hull was deleted, and the old one keeps running.",
        (
            "see the message for the cause, such as an image, scheduling or a probe; change the spec to "
            "try again"
        ),
        needs_edit=True,
    ),
    Reason.TERMINATION_DEADLINE_EXCEEDED: ReasonRow(
        "A hull hasn't ended in time after its grace period, or an object with its name hasn't been deleted.",
        "see the objects that the message names, and their node; if the node is gone for good, run the "
        f"{others('kubectl', 'delete', '--force')} command of the message, and force-delete no other objects",
    ),
    Reason.CANNOT_START_FIRST: ReasonRow(
        "Both hulls would need something that only one can hold, such as a ReadWriteOnce claim, a host port "
        "or the boot disk.",
        "set `spec.replacement.strategy` to Recreate, or share the resource in another way",
        needs_edit=True,
    ),
    Reason.UNSUPPORTED_FIELDS: ReasonRow(
        "The template has fields that the hull can't honour. `status.unsupportedFields` lists all of them.",
        "do what each field's reason says, or choose another isolation ([parity](parity.md))",
        needs_edit=True,
    ),
    Reason.ISOLATION_DROPPED: ReasonRow(
        "The Pod has less isolation than its template asks for: a feature gate is off, or a webhook or "
        "policy changed a field.",
        "enable the feature, exempt the Pod from the webhook or policy, or remove the field; the Pod keeps "
        "running until then",
    ),
    Reason.REJECTED_BY_POLICY: ReasonRow(
        "An IsolationPolicy rejects the Workload. A running hull is left alone, and no new hull is made.",
        (
            "ask for the isolation that the message names, or talk to the owner of the policy "
            "([policies](policies.md))"
        ),
        needs_edit=True,
    ),
    Reason.POLICY_UNREADABLE: ReasonRow(
        "The operator can't read an IsolationPolicy that may concern the Workload.",
        "see `kubectl describe isopol`; usually the operator is older than the policy",
    ),
    Reason.UNREADABLE: ReasonRow(
        "The operator can't read this Workload or IsolationPolicy. A running hull is left alone. The "
        "operator makes no new hull for the Workload, or for Workloads that the policy may concern.",
        "do what the message says: usually the operator has to be upgraded, or the Workload or its "
        "namespace exceeds a bound ([memory](security.md#filling-its-memory))",
        needs_edit=True,
    ),
    Reason.TOO_LARGE: ReasonRow(
        "A field of the Workload exceeds its bound, and was stored before the CRD had that bound. A "
        "running hull is left alone, and no new hull is made.",
        "shorten the field that the message names ([bounds](workload.md#how-large-a-workload-may-be))",
        needs_edit=True,
    ),
    Reason.INTERNAL_ERROR: ReasonRow(
        "The operator failed at the Workload because of a defect of its own. A running hull is left alone, "
        "and the operator tries again with growing delays.",
        "find the lines with the message's id in the operator's log, and report them",
    ),
    Reason.EVADES_FLOOR: ReasonRow(
        "A field of the Workload reaches past the isolation that a policy requires.",
        "remove the field that the message names ([what a floor refuses](policies.md#what-a-floor-refuses))",
        needs_edit=True,
    ),
    Reason.IMAGE_REJECTED: ReasonRow(
        (
            "A policy has rules for images of machines, and doesn't allow an image of this machine, or a "
            "field by which it may run something else. A running hull is left alone."
        ),
        "change the field that the message names ([images of machines](policies.md#images-of-machines))",
        needs_edit=True,
    ),
    Reason.KUBEVIRT_MISSING: ReasonRow(
        "The Workload's isolation is VirtualMachine, and KubeVirt isn't installed.",
        "install KubeVirt",
    ),
    Reason.KUBEVIRT_NOT_READY: ReasonRow(
        "KubeVirt is being removed, or reports that it failed.", "see `kubectl get kubevirt -A`"
    ),
    Reason.KUBEVIRT_TOO_OLD: ReasonRow(
        (
            "Machines of this KubeVirt version may never become Ready on this Kubernetes version, so the "
            "operator makes none. Running machines are left alone."
        ),
        "upgrade KubeVirt to 1.8.4 or later, which Kubernetes 1.36 and later need",
    ),
    Reason.CDI_MISSING: ReasonRow(
        "CDI has still to fill a disk of the machine, and isn't installed.",
        "install CDI (Containerized Data Importer)",
    ),
    Reason.CDI_NOT_READY: ReasonRow(
        "CDI has still to fill a disk of the machine, and is being removed, or reports that it failed.",
        "see `kubectl get cdi`",
    ),
    Reason.TEMPLATE_MISSING: ReasonRow(
        "The Workload has a boot disk and no template, and its isolation runs containers.",
        "set `spec.template`, or `spec.isolationPolicy` to VirtualMachine",
        needs_edit=True,
    ),
    Reason.DISK_CONFLICT: ReasonRow(
        "The claim of a disk exists already and belongs to somebody else, or another Workload uses it.",
        "do what the message says; to use the data on the claim as it is, name the claim as `source.claim`, "
        "or give the disk another name to have a new one",
    ),
    Reason.DISK_SOURCE_CHANGED: ReasonRow(
        "The source of a disk was changed to other data after the disk was filled, and a disk is filled only "
        "once. A running machine runs on.",
        "put the former source back, or give the disk another name to have a new one",
        needs_edit=True,
    ),
    Reason.DISK_REPLACED: ReasonRow(
        "The VirtualMachine has another claim for a disk than the Workload names: KubeVirt restored a "
        "snapshot or moved the disk, or somebody changed the VirtualMachine. The operator neither changes "
        "the machine nor switches it on, since it would boot the former disk. A running machine runs on.",
        "name the claim of the message as the disk's `source.claim`, or name the former claim in the "
        "VirtualMachine again ([restored snapshots](disks.md#restored-snapshots-and-moved-disks))",
    ),
    Reason.DISK_SHRINKS: ReasonRow(
        "The spec asked for a larger disk before, and a disk can't be made smaller. A running machine runs "
        "on.",
        "set `size` to what the message names, or more",
        needs_edit=True,
    ),
    Reason.DISK_FAILED: ReasonRow(
        "A disk can't be filled; `status.disks` has CDI's own words.",
        "do what the message says, and correct the source: the operator then makes the disk anew, as long as "
        "it was never filled",
    ),
    Reason.NO_MACHINE_NODES: ReasonRow(
        "No node is labelled `kubevirt.io/schedulable=true`.",
        "see `kubectl get pods -n kubevirt`: virt-handler labels the nodes that can run machines",
    ),
    Reason.GUEST_IMAGE_MISSING: ReasonRow(
        "Neither the Workload, nor a policy, nor the operator names the image that machines boot.",
        "set the chart's `guest.image`, or `spec.virtualMachine.guestImage`",
    ),
    Reason.RUNTIME_CLASS_MISSING: ReasonRow(
        "The sandbox's RuntimeClass doesn't exist, or none is named.",
        (
            "create the RuntimeClass, or name another one in `spec.sandbox.runtimeClassName`, in a policy, "
            "or in the operator's settings"
        ),
    ),
    Reason.RUNTIME_CLASS_CONFLICT: ReasonRow(
        "The template of a sandbox names another RuntimeClass than the sandbox has.",
        "move the name to `spec.sandbox.runtimeClassName`",
        needs_edit=True,
    ),
    Reason.ISOLATION_UNKNOWN: ReasonRow(
        "The API has this isolation, and the operator's version can't run it.",
        "upgrade the operator, or set another `spec.isolationPolicy`",
    ),
    Reason.CLAIM_MISSING: ReasonRow(
        "A PersistentVolumeClaim doesn't exist.", "create the claim that the message names"
    ),
    Reason.CLAIM_IS_DISK: ReasonRow(
        "A PersistentVolumeClaim of the template holds a machine's disk. Containers can't read it as files, "
        "and no second machine may use it. A running hull is left alone.",
        "use another claim; if it holds a disk of this Workload's, set `spec.isolationPolicy` to "
        "VirtualMachine, or copy the data to another claim first "
        "([claims as disks](claims.md#who-else-has-the-claim))",
        needs_edit=True,
    ),
    Reason.CLAIM_HAS_FILES: ReasonRow(
        "A PersistentVolumeClaim is to become a machine's disk, and a running hull uses it as files or as a "
        "device. The machine's disk would be empty.",
        "copy the data to another claim and name that in the template; to leave the data behind, set the "
        "claim's annotation `twinhull.dev/guest-disk-of` to the Workload's name",
    ),
    Reason.CLAIM_READ_ONLY: ReasonRow(
        "A PersistentVolumeClaim is to become a machine's disk, and is ReadOnlyMany.",
        "use a claim that is ReadWriteOnce, or remove its entry in `spec.virtualMachine.claims`",
        needs_edit=True,
    ),
    Reason.STORAGE_CLASS_MISSING: ReasonRow(
        "A StorageClass doesn't exist.", "create the StorageClass, or name another one"
    ),
    Reason.INSTANCETYPE_MISSING: ReasonRow(
        "An instancetype doesn't exist.", "create the instancetype, or name another one"
    ),
    Reason.PREFERENCE_MISSING: ReasonRow(
        "A preference doesn't exist.", "create the preference, or name another one"
    ),
    Reason.NAME_CONFLICT: ReasonRow(
        (
            "Another object with the hull's name, or with the Workload's label, belongs to somebody else. "
            "The operator leaves it alone."
        ),
        "delete that object, remove the label from it, or rename one of the two",
    ),
    Reason.RESIZE_ERROR: ReasonRow(
        "The node failed to give a running Pod its CPU or memory.",
        f"see the message; {ours('restart')} replaces the Pod",
        needs_edit=True,
    ),
    Reason.RESIZE_INFEASIBLE: ReasonRow(
        "The node can never give a running Pod that much CPU or memory.",
        f"ask for less, or have another node run the Pod: {ours('restart')}",
        needs_edit=True,
    ),
}
