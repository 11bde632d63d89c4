"""What a refusal of the API server tells by its sentence, also where KubeVirt or a controller quotes the
sentence.
"""

from __future__ import annotations

#: The phrases of a refusal, also where KubeVirt quotes it. Failures of the API server have other phrases.
_REFUSALS = ("is forbidden", "is invalid", "denied the request")
#: The phrase of a refusal by a full quota (k8s.io/apiserver,
#: pkg/admission/plugin/resourcequota/controller.go, CheckRequest).
_EXCEEDED_QUOTA = "exceeded quota"
#: The phrases of refusals that often end by themselves.
_TRANSIENT = (_EXCEEDED_QUOTA, "error looking up service account")


def is_refusal(sentence: str) -> bool:
    """Whether a sentence tells that the API server refused a request."""
    return any(phrase in sentence for phrase in _REFUSALS)


def exceeds_quota(sentence: str) -> bool:
    """Whether a sentence tells that a quota is full."""
    return _EXCEEDED_QUOTA in sentence


def may_pass(sentence: str) -> bool:
    """Whether the refusal in a sentence may end by itself: the quota has room again once the former hull is
    gone, or a controller creates a missing ServiceAccount.
    """
    return any(phrase in sentence for phrase in _TRANSIENT)
