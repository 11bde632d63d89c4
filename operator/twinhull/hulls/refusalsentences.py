"""What the API server's sentence on a refusal tells, also where somebody else quotes it."""

from __future__ import annotations

#: How the API server says no, in whatever KubeVirt wraps it. What it fails at is said otherwise.
_REFUSALS = ("is forbidden", "is invalid", "denied the request")
#: What it says of a quota that has no room (k8s.io/apiserver,
#: pkg/admission/plugin/resourcequota/controller.go, CheckRequest).
_EXCEEDED_QUOTA = "exceeded quota"
#: Refusals that often pass by themselves.
_PASSING = (_EXCEEDED_QUOTA, "error looking up service account")


def is_refusal(sentence: str) -> bool:
    """Whether the API server refuses something by it."""
    return any(phrase in sentence for phrase in _REFUSALS)


def exceeds_quota(sentence: str) -> bool:
    """Whether a refusal is an exceeded quota's."""
    return _EXCEEDED_QUOTA in sentence


def may_pass(sentence: str) -> bool:
    """Whether a refusal may pass by itself: a quota is freed once the former hull is gone, a controller makes
    what is missing.
    """
    return any(phrase in sentence for phrase in _PASSING)
