"""The status of an IsolationPolicy: how many Workloads it matches, raises and rejects, how many run below its
minimum, and the first of these.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from twinhull.api.policy import IsolationPolicyStatus
from twinhull.api.reasons import Reason
from twinhull.core.conditions import NOT_STALLED, SETTLED, CurrentCondition, conditions
from twinhull.core.isolation.policy import Policy
from twinhull.core.isolation.policy_reading import unreadable
from twinhull.core.isolation.resolution import PolicyEffect


@dataclass(frozen=True, slots=True)
class WorkloadCounts:
    """On how many Workloads a policy has which effect."""

    by_effect: Mapping[PolicyEffect, int]
    #: The first Workload, as namespace/name, of which a hull runs below the policy's minimum.
    first_pending: str | None


def policy_status(
    policy: Policy,
    generation: int,
    former: IsolationPolicyStatus,
    counted: WorkloadCounts,
    now: datetime,
) -> IsolationPolicyStatus:
    """The whole status of a policy of this generation. Conditions that haven't changed since the `former`
    status keep their time.
    """
    current: tuple[CurrentCondition, ...] = (
        ("Ready", "False", Reason.UNREADABLE, unreadable(policy))
        if policy.problem
        else ("Ready", "True", Reason.IN_FORCE, "the policy is in force"),
        SETTLED,
        ("Stalled", "True", Reason.UNREADABLE, unreadable(policy)) if policy.problem else NOT_STALLED,
    )
    return IsolationPolicyStatus(
        observed_generation=generation,
        matched=counted.by_effect[PolicyEffect.MATCHED],
        raised=counted.by_effect[PolicyEffect.RAISED],
        pending=counted.by_effect[PolicyEffect.PENDING],
        first_pending=counted.first_pending,
        rejected=counted.by_effect[PolicyEffect.REJECTED],
        conditions=conditions(current, former.conditions or (), generation, now),
    )
