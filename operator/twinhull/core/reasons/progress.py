"""Reasons of the Ready condition for a Workload that is as its spec asks, or that the operator changes."""

from __future__ import annotations

from twinhull.api.reasons import Reason
from twinhull.core.reasons.row import ANOTHER_REVISION, ReasonRow, ours

PROGRESS: dict[Reason, ReasonRow] = {
    Reason.READY: ReasonRow("The hull is ready. For a machine this means that the Pod in it is ready."),
    Reason.COMPLETED: ReasonRow(
        "The Workload ran to completion and succeeded.",
        f"to run it again: {ours('restart')}, or {ANOTHER_REVISION}",
    ),
    Reason.STOPPED: ReasonRow("`spec.state` is Stopped, and no hull runs."),
    Reason.STOPPING: ReasonRow("`spec.state` is Stopped, and the hull is ending within its grace period."),
    Reason.CREATING: ReasonRow("The operator is making the hull."),
    Reason.WAITING: ReasonRow(
        "An object with the name of the hull, Service, ConfigMap or claim is still being deleted, or the API "
        "server was too busy to answer. The operator waits."
    ),
    Reason.CHANGING: ReasonRow(
        "The operator is changing a running hull in place: labels, annotations, images, CPU or memory."
    ),
    Reason.REPLACING: ReasonRow("A new hull is replacing the old one."),
    Reason.DRAINING: ReasonRow(
        "The Service sends new connections to the new hull. The old hull still has its "
        "`drainSeconds` before it is deleted."
    ),
    Reason.RESTARTING: ReasonRow(
        "The hull failed, was evicted, or was deleted by somebody. The operator makes it again.",
        "if this repeats, `status.backOff` has the cause, and when the next hull is made; after a change of "
        "the template the next hull is made without that delay",
    ),
    Reason.KUBEVIRT_DEPLOYING: ReasonRow("KubeVirt is being installed."),
    Reason.CDI_DEPLOYING: ReasonRow(
        "CDI has still to fill a disk of the machine, and is being installed or upgraded."
    ),
    Reason.DISK_IMPORTING: ReasonRow(
        "A disk is being filled; `status.disks` has the progress. A running hull runs on meanwhile."
    ),
    Reason.DISK_WAITING: ReasonRow(
        "CDI isn't filling the disk yet. The disk waits for its storage, for CDI's Pod, or for an upload "
        "(CDI doesn't report whether an upload has begun); `status.disks` has CDI's own words. Or its "
        "storage waits for the machine while another hull runs, which the operator doesn't end for "
        "an import.",
        "see the message: check the StorageClass, upload the disk, or choose when it is filled "
        "([storage that waits](disks.md#storage-that-waits-for-the-machine))",
    ),
    Reason.NAMESPACE_UNKNOWN: ReasonRow(
        "There are IsolationPolicies, and the operator doesn't know the labels of the namespace yet."
    ),
    Reason.RESIZE_DEFERRED: ReasonRow(
        "The node has no room now for the CPU or memory to which a running Pod was changed. The node tries "
        "again.",
        f"wait, make room on the node, or have another node run the Pod: {ours('restart')}",
    ),
    Reason.RESTART_REQUIRED: ReasonRow(
        "Under the strategy OnRestart, a machine that boots a disk of its own runs as it was before the last "
        "change of the spec. The operator has changed the VirtualMachine, and the change applies from its "
        "next start on.",
        f"restart the machine: from within, or by {ours('restart')}",
    ),
    Reason.MACHINE_EDITED: ReasonRow(
        "The machine is ready, but somebody changed its VirtualMachine, and the change applies from the "
        "next start on; or its guest runs by another manifest than the Workload's. For a machine that boots "
        "a disk of its own, the message names the changed fields. The operator sets them back when it next "
        "changes the machine or switches it on.",
        f"to have the machine run as the Workload asks: {ours('restart')}",
    ),
}
