"""Reasons of the Ready condition for what is as asked, or on its way there."""

from __future__ import annotations

from twinhull.api.reasons import Reason
from twinhull.core.reasons.row import Row

PROGRESS: dict[Reason, Row] = {
    Reason.READY: Row("The hull is ready: for a machine, the Pod in it is."),
    Reason.COMPLETED: Row(
        "It ran to its end, well. It doesn't run again, until another `twinhull.dev/restart`."
    ),
    Reason.STOPPED: Row("Nothing runs, as `spec.state` asks."),
    Reason.STOPPING: Row("`spec.state` is Stopped, and its hull has its grace period to end in."),
    Reason.CREATING: Row("Its hull is being made."),
    Reason.WAITING: Row(
        "An object of its name is being deleted, by itself or with its owner, or the API server is busy."
    ),
    Reason.CHANGING: Row("A running hull is given a change: labels, annotations, images, CPU or memory."),
    Reason.REPLACING: Row("One hull takes the place of another."),
    Reason.DRAINING: Row("The new hull has the traffic, the old one its `drainSeconds` before it is ended."),
    Reason.RESTARTING: Row(
        "Its hull failed, was evicted or deleted by somebody, and is made again.",
        "if that happens again and again, `status.backOff` has the cause, and when the next one is made; a "
        "changed template doesn't wait",
    ),
    Reason.KUBEVIRT_DEPLOYING: Row("KubeVirt is being installed."),
    Reason.NAMESPACE_UNKNOWN: Row("There are policies, and the namespace's labels aren't known yet."),
    Reason.RESIZE_DEFERRED: Row(
        "The node has no room now for the CPU or memory that a running Pod was given; it tries again.",
        "wait, make room on the node, or have the Pod moved: another annotation `twinhull.dev/restart`",
    ),
    Reason.MACHINE_EDITED: Row(
        "The machine is ready, but somebody changed its VirtualMachine, which counts from its next start on; "
        "or its guest was started by another manifest than the present one.",
        "give the Workload another annotation `twinhull.dev/restart`, to have a machine that is as it asks",
    ),
}
