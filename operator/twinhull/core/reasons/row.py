"""A row of the reasons' tables: what a reason means, and what to do about it."""

from __future__ import annotations

from typing import NamedTuple

from twinhull.api import commands

#: What stands in remedies for the Workload's name, for its namespace, and for its hull's name.
NAME, NAMESPACE, HULL = "NAME", "NAMESPACE", "HULL"
#: What runs a Workload again that has run to its end, beside a restart: whatever makes another revision.
ANOTHER_REVISION = "change its template, its isolation, or its hull's `sandbox` or `virtualMachine`"


class ReasonRow(NamedTuple):
    """What a reason means, what to do, and whether the Workload itself has to be changed."""

    #: When it is given.
    means: str
    #: What to do, empty if it goes on by itself. NAME, NAMESPACE and HULL stand for those of the Workload.
    remedy: str = ""
    #: Whether a Stalled Workload stays so until it is changed itself, or is allowed. Otherwise it goes on by
    #: itself once something comes that it lacks, is freed, or works again: waiting for it isn't in vain.
    needs_edit: bool = False


def ours(verb: str) -> str:
    """The command line of a verb of ours for the Workload."""
    return f"`{commands.ours(verb, NAME, NAMESPACE)}`"


def others(*words: str) -> str:
    """The command line of kubectl or virtctl in the Workload's namespace."""
    return f"`{commands.others(NAMESPACE, *words)}`"
