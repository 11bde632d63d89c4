"""The reasons for a write that the API server refused, or failed at, by the kind that was written.

The reasons for a hull's kind come from its type (hulls/types). A kind without reasons gets one made of its
name, so that one error never leads to another.
"""

from __future__ import annotations

from typing import NamedTuple

from twinhull.api.reasons import Quoted, Reason, Why
from twinhull.hulls.types import hull_types


class _Reasons(NamedTuple):
    """The reasons of one kind."""

    #: The API server refused a write.
    refused: Why
    #: The API server failed at a write.
    failed: Why


#: The reasons of the kinds that aren't hulls.
_REASONS = {
    "PodTemplate": _Reasons(Reason.POD_REFUSED, Reason.POD_FAILED),  # it stands for a machine's Pod
    "Service": _Reasons(Reason.SERVICE_REFUSED, Reason.SERVICE_FAILED),
    "ConfigMap": _Reasons(Reason.CONFIG_MAP_REFUSED, Reason.CONFIG_MAP_FAILED),
    "DataVolume": _Reasons(Reason.DATA_VOLUME_REFUSED, Reason.DATA_VOLUME_FAILED),
    "PersistentVolumeClaim": _Reasons(Reason.CLAIM_REFUSED, Reason.CLAIM_FAILED),
}


def refusal_reason(kind: str) -> Why:
    """The reason if the API server refused a write of that kind. Never raises."""
    return _reasons(kind).refused


def failure_reason(kind: str) -> Why:
    """The reason if the API server failed at a write of that kind. Never raises."""
    return _reasons(kind).failed


def _reasons(kind: str) -> _Reasons:
    for hull_type in hull_types():
        if hull_type.kind == kind:
            return _Reasons(hull_type.refused_reason, hull_type.failed_reason)
    return _REASONS.get(kind) or _Reasons(Quoted(f"{kind}Refused"), Quoted(f"{kind}Failed"))
