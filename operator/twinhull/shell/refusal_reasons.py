"""The reasons given when the API server refuses a write or fails at it, by the kind that was written.

A hull's kind has the reasons that its type says (hulls/types). A kind without any has a reason all the same,
so that an error never leads to another one.
"""

from __future__ import annotations

from typing import NamedTuple

from twinhull.api.reasons import Quoted, Reason, Why
from twinhull.hulls.types import hull_types


class _Reasons(NamedTuple):
    """The reasons of one kind."""

    #: A write was refused.
    refused: Why
    #: The API server failed at a write.
    failed: Why


#: The kinds that aren't hulls themselves.
_REASONS = {
    "PodTemplate": _Reasons(Reason.POD_REFUSED, Reason.POD_FAILED),  # as which a machine's Pod is tried out
    "Service": _Reasons(Reason.SERVICE_REFUSED, Reason.SERVICE_FAILED),
    "ConfigMap": _Reasons(Reason.CONFIG_MAP_REFUSED, Reason.CONFIG_MAP_FAILED),
    "DataVolume": _Reasons(Reason.DATA_VOLUME_REFUSED, Reason.DATA_VOLUME_FAILED),
    "PersistentVolumeClaim": _Reasons(Reason.CLAIM_REFUSED, Reason.CLAIM_FAILED),
}


def refusal_reason(kind: str) -> Why:
    """Why something isn't so, if the API server refused a write of that kind. Never raises."""
    return _reasons(kind).refused


def failure_reason(kind: str) -> Why:
    """Why something isn't so, if the API server failed at a write of that kind. Never raises."""
    return _reasons(kind).failed


def _reasons(kind: str) -> _Reasons:
    for hull_type in hull_types():
        if hull_type.kind == kind:
            return _Reasons(hull_type.refused_reason, hull_type.failed_reason)
    return _REASONS.get(kind) or _Reasons(Quoted(f"{kind}Refused"), Quoted(f"{kind}Failed"))
