"""The account that a policy gives of itself: its status."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Literal

from twinhull.api.policy import IsolationPolicyStatus
from twinhull.api.workload import Condition
from twinhull.core.isolation.policy import Policy
from twinhull.core.isolation.resolution import Effect, Part

Truth = Literal["True", "False"]


def account(
    policy: Policy,
    generation: int,
    before: IsolationPolicyStatus,
    count: Callable[[Effect], int],
    now: datetime,
) -> IsolationPolicyStatus:
    """A policy's whole status. `count` says on how many Workloads it has an effect."""
    unread = (
        f"this operator can't read {policy.problem}; it starts nothing that the policy may concern: "
        "correct the policy, or upgrade the operator"
    )
    said: tuple[tuple[str, Truth, str, str], ...] = (
        ("Ready", "False", "Unreadable", unread)
        if policy.problem
        else ("Ready", "True", "InForce", "the policy is in force"),
        ("Reconciling", "False", "Settled", "nothing is under way"),
        ("Stalled", "True", "Unreadable", unread)
        if policy.problem
        else ("Stalled", "False", "NotStalled", "nothing waits for a change by hand"),
    )
    return IsolationPolicyStatus(
        observed_generation=generation,
        matched=count(Effect(policy.name, Part.MATCHED)),
        raised=count(Effect(policy.name, Part.RAISED)),
        rejected=count(Effect(policy.name, Part.REJECTED)),
        conditions=tuple(
            Condition(
                type=kind,
                status=truth,
                reason=reason,
                message=message,
                last_transition_time=_since(before, kind, truth, now),
                observed_generation=generation,
            )
            for kind, truth, reason, message in said
        ),
    )


def _since(before: IsolationPolicyStatus, kind: str, truth: Truth, now: datetime) -> datetime:
    """When a condition became what it is: it moves only with the status, not with the reason."""
    found = next((c for c in before.conditions or () if c.type == kind), None)
    return found.last_transition_time if found and found.status == truth else now.replace(microsecond=0)
