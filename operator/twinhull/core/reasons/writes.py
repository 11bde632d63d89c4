"""Reasons of the Ready condition for what the API server answered to a write."""

from __future__ import annotations

from twinhull.api.reasons import Reason
from twinhull.core.reasons.row import Row

_SEE = "the message is the API server's: do what it says"

WRITES: dict[Reason, Row] = {
    Reason.POD_REFUSED: Row(
        "The API server refused the Pod, or would refuse the Pod in a machine or KubeVirt's launcher Pod, so "
        "that no machine is made: an invalid field, a quota, a LimitRange, Pod Security, a webhook. What "
        "runs goes on.",
        _SEE,
    ),
    Reason.POD_FAILED: Row("The API server failed at the Pod; it is tried again.", _SEE),
    Reason.VIRTUAL_MACHINE_REFUSED: Row(
        "The API server or KubeVirt's webhook refused the machine, or the VirtualMachineInstance that "
        "KubeVirt makes of it.",
        _SEE,
    ),
    Reason.LAUNCHER_REFUSED: Row(
        "The API server refused the Pod in which KubeVirt runs the machine: a quota, a LimitRange, Pod "
        "Security, a ServiceAccount or PriorityClass that isn't there. KubeVirt tries again by itself.",
        "do what the message says, which is the API server's, or apply the former spec: under Recreate "
        "nothing runs meanwhile. For Pod Security `restricted` see [security](security.md)",
    ),
    Reason.VIRTUAL_MACHINE_FAILED: Row("The API server failed at the machine; it is tried again.", _SEE),
    Reason.SERVICE_REFUSED: Row(
        "The API server refused the Service, such as a NodePort that is taken; or `spec.service.nodePorts` "
        "names a port that it doesn't have.",
        _SEE,
    ),
    Reason.SERVICE_FAILED: Row("The API server failed at the Service; it is tried again.", _SEE),
    Reason.OVERRULED: Row(
        "Somebody undoes what the operator writes: a webhook or an admission policy while it is written, or "
        "a controller after. What runs is left alone, and Ready stays True if it serves all the same. It is "
        "tried again, less and less often, up to every 5 minutes.",
        "the message has the field, and who it is if that is known: have them leave it alone, or write in "
        "the Workload what they make of it",
    ),
    Reason.CONFIG_MAP_REFUSED: Row("The API server refused the machine's manifest.", _SEE),
    Reason.CONFIG_MAP_FAILED: Row(
        "The API server failed at the machine's manifest; it is tried again.", _SEE
    ),
    Reason.CLAIM_REFUSED: Row(
        "The API server refused an ephemeral claim of the machine, as for a quota of storage. The machine "
        "waits for it.",
        _SEE,
    ),
    Reason.CLAIM_FAILED: Row(
        "The API server failed at an ephemeral claim of the machine; it is tried again.", _SEE
    ),
}
