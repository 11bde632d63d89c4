"""Steps: what a rule answers, and the words that the rules have in common."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from twinhull.api.reasons import Reason, Why
from twinhull.api.workload import Lack, ReplacementStatus, UnsupportedField
from twinhull.core.actions import Action
from twinhull.core.case import Case
from twinhull.core.graceful_end import ends
from twinhull.core.observed import Refusal
from twinhull.hulls.hull import Hull


@dataclass(frozen=True, slots=True)
class Step:
    """What to do now, and what is so: the Ready condition's status, one word, one sentence."""

    ready: Literal["True", "False"]
    reason: Why
    message: str
    reconciling: bool = False
    stalled: bool = False
    actions: tuple[Action, ...] = ()
    requeue_after: timedelta | None = None
    unsupported: tuple[UnsupportedField, ...] = ()
    isolated: bool = True
    lacks: tuple[Lack, ...] = ()
    replacement: ReplacementStatus | None = None


def waiting(
    reason: Why, message: str, actions: tuple[Action, ...] = (), requeue_after: timedelta | None = None
) -> Step:
    return Step("False", reason, message, reconciling=True, actions=actions, requeue_after=requeue_after)


def waiting_for_end(case: Case, hulls: Sequence[Hull], reason: Why, actions: tuple[Action, ...] = ()) -> Step:
    """Waiting for hulls to end; when that takes too long, with a word on what may keep them."""
    patience = timedelta(seconds=case.workload.spec.replacement.progress_deadline_seconds)
    left = [hull.leaves_at + patience - case.now for hull in hulls if hull.leaves_at]
    if left and min(left) <= timedelta():
        return stalled(
            Reason.TERMINATION_DEADLINE_EXCEEDED,
            f"{names(hulls)} should have ended and hasn't: see its finalizers and its node; if the node is "
            "gone for good, delete it with kubectl delete --force",
        )
    return waiting(reason, f"waiting for {_what_ends(hulls)}", actions, min(left, default=None))


def stalled(
    reason: Why,
    message: str,
    *,
    actions: tuple[Action, ...] = (),
    unsupported: tuple[UnsupportedField, ...] = (),
) -> Step:
    return Step("False", reason, message, stalled=True, actions=actions, unsupported=unsupported)


def refused(refusal: Refusal) -> Step:
    return Step(
        "False",
        refusal.reason,
        refusal.message,
        reconciling=not refusal.final,
        stalled=refusal.final,
    )


def removals(case: Case, hulls: Iterable[Hull], reason: Why, why: str) -> tuple[Action, ...]:
    """What ends the hulls that aren't on their way out already."""
    return ends(hulls, reason, why, case.now, case.observed.refusals)


def _what_ends(hulls: Sequence[Hull]) -> str:
    inside = [hull for hull in hulls if hull.graceful_end.requested and not hull.deleting]
    whole = [hull for hull in hulls if hull not in inside]
    parts = [f"{names(whole)} to end"] if whole else []
    return " and ".join([*parts, *(f"{names([hull])} to end its Pod" for hull in inside)])


def names(hulls: Iterable[Hull]) -> str:
    return " and ".join(f"{hull.kind} {hull.name}" for hull in hulls)


def soonest(*waits: timedelta | None) -> timedelta | None:
    """The shortest of the waits that there are."""
    return min((wait for wait in waits if wait is not None), default=None)
