"""Reasons of the Ready condition for writes that the API server refused, or that somebody undoes."""

from __future__ import annotations

from twinhull.api.reasons import Reason
from twinhull.core.reasons.row import ReasonRow

_SEE = "do what the message says, which is the API server's"

WRITES: dict[Reason, ReasonRow] = {
    Reason.POD_REFUSED: ReasonRow(
        "The API server refused the Pod: because of an invalid field, a quota, a LimitRange, Pod Security "
        "or a webhook. For a machine, it would refuse the Pod in it or KubeVirt's launcher Pod, so no "
        "machine is made. A running hull is left alone.",
        _SEE,
        needs_edit=True,
    ),
    Reason.POD_FAILED: ReasonRow(
        "The API server failed while the operator wrote the Pod. The write is retried.",
        _SEE,
    ),
    Reason.VIRTUAL_MACHINE_REFUSED: ReasonRow(
        "The API server or KubeVirt's webhook refused the machine, or the VirtualMachineInstance that "
        "KubeVirt makes from it.",
        _SEE,
        needs_edit=True,
    ),
    Reason.LAUNCHER_REFUSED: ReasonRow(
        "The API server refused the Pod in which KubeVirt runs the machine: because of a quota, a "
        "LimitRange, Pod Security, or a missing ServiceAccount or PriorityClass. KubeVirt tries again by "
        "itself.",
        "do what the message says, which is the API server's, or apply the former spec; under Recreate "
        "nothing runs until then. For Pod Security `restricted` see [security](security.md)",
    ),
    Reason.VIRTUAL_MACHINE_FAILED: ReasonRow(
        "The API server failed while the operator wrote the machine. The write is retried.", _SEE
    ),
    Reason.SERVICE_REFUSED: ReasonRow(
        "The API server refused the Service, for instance because a NodePort is in use; or "
        "`spec.service.nodePorts` names a port that the Service doesn't have.",
        _SEE,
    ),
    Reason.SERVICE_FAILED: ReasonRow(
        "The API server failed while the operator wrote the Service. The write is retried.", _SEE
    ),
    Reason.OVERRULED: ReasonRow(
        "Somebody undoes a write of the operator: a webhook or an admission policy at once, or a "
        "controller later. A running hull is left alone, and Ready stays True if the hull serves. The "
        "operator tries again with growing delays of up to 5 minutes.",
        "the message names the field, and who changes it if that is known: make them leave it alone, or "
        "set the field in the Workload to their value",
    ),
    Reason.CONFIG_MAP_REFUSED: ReasonRow(
        "The API server refused the machine's manifest.", _SEE, needs_edit=True
    ),
    Reason.CONFIG_MAP_FAILED: ReasonRow(
        "The API server failed while the operator wrote the machine's manifest. The write is retried.", _SEE
    ),
    Reason.DATA_VOLUME_REFUSED: ReasonRow(
        "The API server, or CDI's webhook, refused the DataVolume of a disk.", _SEE, needs_edit=True
    ),
    Reason.DATA_VOLUME_FAILED: ReasonRow(
        "The API server failed while the operator wrote the DataVolume of a disk. The write is retried.", _SEE
    ),
    Reason.CLAIM_REFUSED: ReasonRow(
        "The API server refused an ephemeral claim of the machine, for instance because of a quota of "
        "storage. The machine waits for the claim.",
        _SEE,
    ),
    Reason.CLAIM_FAILED: ReasonRow(
        (
            "The API server failed while the operator wrote an ephemeral claim of the machine. The write "
            "is retried."
        ),
        _SEE,
    ),
}
