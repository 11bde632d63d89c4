"""Isolation: which one a Workload gets, by its spec and by the policies that concern the Workload."""

from __future__ import annotations

from twinhull.core.isolation.hull_policies import HullPolicies
from twinhull.core.isolation.policy import Policy, concerning, precedence, strictest
from twinhull.core.isolation.policy_status import WorkloadCounts, policy_status
from twinhull.core.isolation.resolution import PolicyAndEffect, PolicyEffect, Resolution, resolve
from twinhull.core.isolation.shortfall import Shortfall, Surroundings
from twinhull.core.isolation.subject import Subject

__all__ = [
    "HullPolicies",
    "Policy",
    "PolicyAndEffect",
    "PolicyEffect",
    "Resolution",
    "Shortfall",
    "Subject",
    "Surroundings",
    "WorkloadCounts",
    "concerning",
    "policy_status",
    "precedence",
    "resolve",
    "strictest",
]
