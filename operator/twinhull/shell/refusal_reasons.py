"""The reasons given when the API server refuses a write or fails at it, by the kind that was written.

A kind that isn't here has a reason all the same, so that an error never leads to another one.
"""

from __future__ import annotations

from twinhull.api.reasons import Quoted, Reason, Why

#: For each kind: the reason when a write was refused, and the reason when the server failed at it.
_REASONS: dict[str, tuple[Reason, Reason]] = {
    "Pod": (Reason.POD_REFUSED, Reason.POD_FAILED),
    # A machine's Pod is tried out as a template.
    "PodTemplate": (Reason.POD_REFUSED, Reason.POD_FAILED),
    "VirtualMachine": (Reason.VIRTUAL_MACHINE_REFUSED, Reason.VIRTUAL_MACHINE_FAILED),
    "Service": (Reason.SERVICE_REFUSED, Reason.SERVICE_FAILED),
    "ConfigMap": (Reason.CONFIG_MAP_REFUSED, Reason.CONFIG_MAP_FAILED),
    "PersistentVolumeClaim": (Reason.CLAIM_REFUSED, Reason.CLAIM_FAILED),
}


def refusal_reason(kind: str) -> Why:
    """Why something isn't so, if the API server refused a write of that kind. Never raises."""
    return _REASONS[kind][0] if kind in _REASONS else Quoted(f"{kind}Refused")


def failure_reason(kind: str) -> Why:
    """Why something isn't so, if the API server failed at a write of that kind. Never raises."""
    return _REASONS[kind][1] if kind in _REASONS else Quoted(f"{kind}Failed")
