"""Reasons of the Ready condition for what waits for somebody: the rules' own."""

from __future__ import annotations

from twinhull.api.reasons import Reason
from twinhull.core.reasons.row import ANOTHER_REVISION, ReasonRow, ours

STALLED: dict[Reason, ReasonRow] = {
    Reason.FAILED: ReasonRow(
        "The Workload ran to completion and failed. `status.exit` has the exit code and the container.",
        f"{ours('logs')} shows why; to run it again: {ours('restart')}, or {ANOTHER_REVISION}",
        needs_edit=True,
    ),
    Reason.PROGRESS_DEADLINE_EXCEEDED: ReasonRow(
        "The hull was not ready within `progressDeadlineSeconds`, or all hulls in that time were lost. "
        "Under StartFirst the new hull was deleted, and the old one keeps running.",
        (
            "see the message for the cause, such as an image, scheduling or a probe; change the spec to "
            "try again"
        ),
        needs_edit=True,
    ),
    Reason.TERMINATION_DEADLINE_EXCEEDED: ReasonRow(
        "A hull hasn't ended within its grace period, or an object with its name hasn't been deleted.",
        "see the object that the message names, and its node; if the node is gone for good, run the "
        "command that the message gives, and force-delete no other object",
    ),
    Reason.CANNOT_START_FIRST: ReasonRow(
        "Both hulls would need a resource that only one can hold: a ReadWriteOnce claim or a host port.",
        "set `spec.replacement.strategy` to Recreate, or share the resource in another way",
        needs_edit=True,
    ),
    Reason.UNSUPPORTED_FIELDS: ReasonRow(
        "The template has fields that a machine can't honour; all are in `status.unsupportedFields`.",
        "do what each field's reason says, or choose another isolation ([parity](parity.md))",
        needs_edit=True,
    ),
    Reason.ISOLATION_DROPPED: ReasonRow(
        "The Pod has less isolation than its template asks for: a feature gate is off, or a webhook or "
        "policy changed a field.",
        "enable the feature, or remove the field; the Pod keeps running until then",
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
        "find the id of the message in the operator's log, and report the lines with it",
    ),
    Reason.EVADES_FLOOR: ReasonRow(
        "A field of the Workload reaches past the isolation that a policy requires.",
        "remove the field that the message names ([what a floor refuses](policies.md#what-a-floor-refuses))",
        needs_edit=True,
    ),
    Reason.IMAGE_REJECTED: ReasonRow(
        (
            "A policy doesn't allow an image of the machine, or requires a digest for it. A running hull is "
            "left alone."
        ),
        "change the field that the message names ([images of machines](policies.md#images-of-machines))",
        needs_edit=True,
    ),
    Reason.KUBEVIRT_MISSING: ReasonRow(
        "The Workload's isolation is VirtualMachine, and KubeVirt isn't installed.",
        "install KubeVirt",
    ),
    Reason.KUBEVIRT_NOT_READY: ReasonRow(
        "KubeVirt is being removed, or says that it failed.", "`kubectl get kubevirt -A`"
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
        "CDI has still to fill a disk of the machine, and is being removed, or says that it failed.",
        "`kubectl get cdi`",
    ),
    Reason.TEMPLATE_MISSING: ReasonRow(
        "The Workload has a disk and no template, and its isolation runs containers.",
        "set `spec.template`, or `spec.isolationPolicy` to VirtualMachine",
        needs_edit=True,
    ),
    Reason.DISK_CONFLICT: ReasonRow(
        "The claim of a disk is there already, and isn't this Workload's.",
        "name the claim as `source.claim` to use what is on it as it is, or give the disk another name",
    ),
    Reason.DISK_SOURCE_CHANGED: ReasonRow(
        "The source of a disk was changed to other data after the disk was filled. A disk is never filled "
        "twice. A running machine runs on.",
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
        "do what the message says, and correct the source: a disk that isn't filled is then made anew",
    ),
    Reason.NO_MACHINE_NODES: ReasonRow(
        "No node is labelled `kubevirt.io/schedulable=true`.",
        "`kubectl get pods -n kubevirt`: virt-handler labels the nodes that can run machines",
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
        "This operator has no way to run an isolation that the API has.",
        "upgrade the operator, or set another `spec.isolationPolicy`",
    ),
    Reason.CLAIM_MISSING: ReasonRow(
        "A PersistentVolumeClaim doesn't exist.", "create the claim that the message names"
    ),
    Reason.CLAIM_IS_DISK: ReasonRow(
        "A PersistentVolumeClaim of the template has a machine's disk on it, or is a disk that a machine "
        "boots or has beside its boot disk. A Pod can't read it, and no second machine may have it. "
        "What runs is left alone.",
        "use another claim; for a claim as a disk of this Workload's, set `spec.isolationPolicy` to "
        "VirtualMachine, or copy the data to another claim first "
        "([claims as disks](claims.md#who-else-has-the-claim))",
        needs_edit=True,
    ),
    Reason.CLAIM_HAS_FILES: ReasonRow(
        "A PersistentVolumeClaim is to be a machine's disk, and the hull that runs has it as files or as a "
        "device. The machine's disk would be empty.",
        "copy the data to another claim and name that in the template; to leave the data behind, set the "
        "claim's annotation `twinhull.dev/guest-disk-of` to the Workload's name",
    ),
    Reason.CLAIM_READ_ONLY: ReasonRow(
        "A PersistentVolumeClaim is to be a machine's disk, and is ReadOnlyMany.",
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
