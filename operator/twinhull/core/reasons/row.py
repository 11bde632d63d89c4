"""Rows of the tables of reasons: what a reason means, and what to do about it."""

from __future__ import annotations

from typing import NamedTuple

from twinhull.api import commands

#: Placeholders in remedies: the name of the Workload, its namespace, and the name of its hull.
NAME, NAMESPACE, HULL = "NAME", "NAMESPACE", "HULL"
#: The remedy that makes another revision, and so runs a completed Workload again.
ANOTHER_REVISION = "change the Workload's template, isolation, or `spec.sandbox` or `spec.virtualMachine`"


class ReasonRow(NamedTuple):
    """What a reason means, what to do, and whether the Workload itself has to be changed."""

    #: When the operator gives the reason.
    means: str
    #: What to do; empty if nobody has to do anything. It may have the placeholders NAME, NAMESPACE and HULL.
    remedy: str = ""
    #: Whether a Stalled Workload continues only after somebody changes the Workload, or the policy or webhook
    #: that refuses it. If False, the Workload continues by itself once a missing object exists, a resource is
    #: free, or a component works again, so `twinhull wait` keeps waiting.
    needs_edit: bool = False


def ours(verb: str) -> str:
    """The command line of a verb of `twinhull` for the Workload."""
    return f"`{commands.ours(verb, NAME, NAMESPACE)}`"


def others(*words: str) -> str:
    """The command line of kubectl or virtctl in the Workload's namespace."""
    return f"`{commands.others(NAMESPACE, *words)}`"
