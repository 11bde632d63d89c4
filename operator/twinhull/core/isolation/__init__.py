"""Isolation: which one a Workload gets, by what it asks for and by the policies that concern it."""

from __future__ import annotations

from twinhull.core.isolation.account import Counted, account
from twinhull.core.isolation.explanation import Explanation, explain
from twinhull.core.isolation.hull_policies import HullPolicies
from twinhull.core.isolation.policy import Policy, concerning, precedence, strictest
from twinhull.core.isolation.resolution import Effect, Part, Resolution, resolve
from twinhull.core.isolation.shortfall import Shortfall, Surroundings
from twinhull.core.isolation.subject import Subject

__all__ = [
    "Counted",
    "Effect",
    "Explanation",
    "HullPolicies",
    "Part",
    "Policy",
    "Resolution",
    "Shortfall",
    "Subject",
    "Surroundings",
    "account",
    "concerning",
    "explain",
    "precedence",
    "resolve",
    "strictest",
]
