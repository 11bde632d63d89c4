"""The account that a policy gives of itself: its status."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from twinhull.api.policy import IsolationPolicyStatus
from twinhull.api.reasons import Reason
from twinhull.core.conditions import NOT_STALLED, SETTLED, Said, conditions
from twinhull.core.isolation.policy import Policy
from twinhull.core.isolation.resolution import Effect, Part


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
    said: tuple[Said, ...] = (
        ("Ready", "False", Reason.UNREADABLE, unread)
        if policy.problem
        else ("Ready", "True", Reason.IN_FORCE, "the policy is in force"),
        SETTLED,
        ("Stalled", "True", Reason.UNREADABLE, unread) if policy.problem else NOT_STALLED,
    )
    return IsolationPolicyStatus(
        observed_generation=generation,
        matched=count(Effect(policy.name, Part.MATCHED)),
        raised=count(Effect(policy.name, Part.RAISED)),
        rejected=count(Effect(policy.name, Part.REJECTED)),
        conditions=conditions(said, before.conditions or (), generation, now),
    )
