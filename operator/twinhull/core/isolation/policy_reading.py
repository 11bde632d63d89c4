"""Reads IsolationPolicies, including those with fields or values that this operator doesn't know."""

from __future__ import annotations

from pydantic import ValidationError

from twinhull.api.base import Raw
from twinhull.api.policy import IsolationPolicySpec, Match
from twinhull.core.isolation.policy import Policy


def read(obj: Raw) -> Policy:
    """The policy of an IsolationPolicy object. If this operator can't read the spec, the policy has a
    `problem`.
    """
    name = obj["metadata"]["name"]
    try:
        return Policy(name, IsolationPolicySpec.model_validate(obj.get("spec")))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in ("spec", *first["loc"]))
        return Policy(name, IsolationPolicySpec(match=_match(obj)), f"{where}: {first['msg']}")


def unreadable(policy: Policy) -> str:
    """The message about a policy that this operator can't read."""
    return (
        f"this operator can't read IsolationPolicy {policy.name} ({policy.problem}), so it starts no "
        "Workload that the policy may concern: correct the policy, or upgrade the operator"
    )


def _match(obj: Raw) -> Match | None:
    """The spec.match of a policy whose spec can't be read as a whole; None, which matches every Workload, if
    spec.match can't be read either.
    """
    try:
        return Match.model_validate(obj["spec"].get("match") or {})
    except (ValidationError, AttributeError, KeyError):
        return None
