"""Isolation: which one a Workload gets, by what it asks for and by the policies that concern it."""

from __future__ import annotations

from twinhull.core.isolation.account import account
from twinhull.core.isolation.explanation import Explanation, explain
from twinhull.core.isolation.policy import Policy, concerning, precedence
from twinhull.core.isolation.resolution import Effect, Part, Resolution, resolve
from twinhull.core.isolation.subject import Subject, debug_images

__all__ = [
    "Effect",
    "Explanation",
    "Part",
    "Policy",
    "Resolution",
    "Subject",
    "account",
    "concerning",
    "debug_images",
    "explain",
    "precedence",
    "resolve",
]
