"""Reasons of the Ready condition for a hull that isn't ready, if no other component gives a reason."""

from __future__ import annotations

from twinhull.api.reasons import Reason
from twinhull.core.reasons.row import ReasonRow, ours

HULLS: dict[Reason, ReasonRow] = {
    Reason.NOT_READY: ReasonRow(
        "The hull isn't ready, and no component gives a reason.",
        f"see the readiness probe, and the logs of the containers ({ours('logs')})",
    ),
    Reason.PENDING: ReasonRow(
        "The hull hasn't started yet: it has to be scheduled, or its images are being pulled."
    ),
    Reason.TERMINATING: ReasonRow(
        "The machine is deleted, and its VirtualMachineInstance still runs. The "
        "operator waits until it is gone."
    ),
    Reason.HALTED: ReasonRow(
        "Somebody has stopped the VirtualMachine itself, not the Workload.",
        f"start the machine again: {ours('restart')}; or stop the Workload: {ours('stop')}",
    ),
    Reason.GUEST_ERROR: ReasonRow(
        "The guest in the machine can't run the Pod. The message comes from the guest.",
        (
            "see the message, which names for instance a missing image or a volume that can't be mounted; "
            "the machine's console shows more"
        ),
    ),
    Reason.FAILURE: ReasonRow(
        "KubeVirt reports that the machine failed, and gives no reason.",
        "do what the message says, which is KubeVirt's",
    ),
}
