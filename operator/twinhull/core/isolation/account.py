"""The status of an IsolationPolicy: how many Workloads it matches, has raised, and rejects."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from twinhull.api.policy import IsolationPolicyStatus
from twinhull.api.reasons import Reason
from twinhull.core.conditions import NOT_STALLED, SETTLED, CurrentCondition, conditions
from twinhull.core.isolation.policy import Policy
from twinhull.core.isolation.resolution import Part


@dataclass(frozen=True, slots=True)
class Counted:
    """How many Workloads a policy has each part in, and the first of those that run below its minimum, as
    namespace/name.
    """

    parts: Mapping[Part, int]
    first_pending: str | None


def account(
    policy: Policy,
    generation: int,
    former: IsolationPolicyStatus,
    counted: Counted,
    now: datetime,
) -> IsolationPolicyStatus:
    """A policy's whole status."""
    unreadable = (
        f"this operator can't read {policy.problem}, so it starts no Workload that the policy may concern: "
        "correct the policy, or upgrade the operator"
    )
    current: tuple[CurrentCondition, ...] = (
        ("Ready", "False", Reason.UNREADABLE, unreadable)
        if policy.problem
        else ("Ready", "True", Reason.IN_FORCE, "the policy is in force"),
        SETTLED,
        ("Stalled", "True", Reason.UNREADABLE, unreadable) if policy.problem else NOT_STALLED,
    )
    return IsolationPolicyStatus(
        observed_generation=generation,
        matched=counted.parts[Part.MATCHED],
        raised=counted.parts[Part.RAISED],
        pending=counted.parts[Part.PENDING],
        first_pending=counted.first_pending,
        rejected=counted.parts[Part.REJECTED],
        conditions=conditions(current, former.conditions or (), generation, now),
    )
