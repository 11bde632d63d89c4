"""Reasons of the Ready condition for what the API server answered to a write."""

from __future__ import annotations

from twinhull.api.reasons import Reason
from twinhull.core.reasons.row import Row

_SEE = "the message is the API server's: do what it says"

WRITES: dict[Reason, Row] = {
    Reason.POD_REFUSED: Row(
        "The API server refused the Pod: a quota, a webhook, a field that it doesn't know.", _SEE
    ),
    Reason.POD_FAILED: Row("The API server failed at the Pod; it is tried again.", _SEE),
    Reason.VIRTUAL_MACHINE_REFUSED: Row("The API server or KubeVirt's webhook refused the machine.", _SEE),
    Reason.VIRTUAL_MACHINE_FAILED: Row("The API server failed at the machine; it is tried again.", _SEE),
    Reason.SERVICE_REFUSED: Row(
        "The API server refused the Service, such as a NodePort that is taken.", _SEE
    ),
    Reason.SERVICE_FAILED: Row("The API server failed at the Service; it is tried again.", _SEE),
    Reason.CONFIG_MAP_REFUSED: Row("The API server refused the machine's manifest.", _SEE),
    Reason.CONFIG_MAP_FAILED: Row(
        "The API server failed at the machine's manifest; it is tried again.", _SEE
    ),
}
