"""Reads IsolationPolicies, whatever is in them."""

from __future__ import annotations

from pydantic import ValidationError

from twinhull.api.base import Raw
from twinhull.api.policy import IsolationPolicySpec, Match
from twinhull.core.isolation.policy import Policy


def read(obj: Raw) -> Policy:
    """A policy as it is decided by. What this operator can't read has a `problem`."""
    name = obj["metadata"]["name"]
    try:
        return Policy(name, IsolationPolicySpec.model_validate(obj.get("spec")))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in ("spec", *first["loc"]))
        return Policy(name, IsolationPolicySpec(match=_match(obj)), f"{where}: {first['msg']}")


def _match(obj: Raw) -> Match | None:
    """Whom an unreadable policy concerns: everybody, if that can't be read either."""
    try:
        return Match.model_validate(obj["spec"].get("match") or {})
    except (ValidationError, AttributeError, KeyError):
        return None
