"""Reasons of the Ready condition for a hull that isn't ready, where nobody else has a word for it."""

from __future__ import annotations

from twinhull.api.reasons import Reason
from twinhull.core.reasons.row import Row

HULLS: dict[Reason, Row] = {
    Reason.NOT_READY: Row(
        "The hull isn't ready, and nobody says why.",
        "see the readiness probe, and the logs of the containers",
    ),
    Reason.PENDING: Row("The hull hasn't started: it is yet to be scheduled, or its images pulled."),
    Reason.TERMINATING: Row("An instance outlives its machine, and is waited for."),
    Reason.HALTED: Row(
        "Somebody has stopped the VirtualMachine itself.",
        "start it (`virtctl start`), or set the Workload's `spec.state` to Stopped",
    ),
    Reason.GUEST_ERROR: Row(
        "The guest in the machine can't run the Pod; the message is its own.",
        "see the message: an image that isn't there, a volume that can't be mounted; its console has more",
    ),
    Reason.FAILURE: Row(
        "KubeVirt says that the machine failed, without a reason of its own.",
        "the message is KubeVirt's: do what it says",
    ),
}
