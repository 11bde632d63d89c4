"""Eviction: what runs below the minimum of a policy with onViolation Evict is deleted after the policy's
deadline, whether or not anything can take its place (docs/adr/0026).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from twinhull.api.reasons import Reason
from twinhull.api.workload import DEFAULT_GRACE_SECONDS
from twinhull.core.actions import Action, Change, Delete, Event
from twinhull.core.isolation import Shortfall
from twinhull.hulls import switching
from twinhull.hulls.types import type_that_made


class PolicyViolations(Protocol):
    """The hulls of a Workload that run below a policy's minimum: a Compliance, or an UnreadableWorkload."""

    @property
    def shortfalls(self) -> tuple[Shortfall, ...]:
        """One for each hull below a minimum and each policy that sets it."""

    @property
    def pending_since(self) -> datetime | None:
        """Since when a hull has been seen below a minimum, None if none is."""

    @property
    def now(self) -> datetime:
        """The one clock that there is."""


def evictions(violations: PolicyViolations) -> tuple[Delete | Change, ...]:
    """Deletes the hulls whose deadline is over, or switches them off.

    Of several policies, that with the shortest grace period decides how long a hull may take to end.
    """
    since, now = violations.pending_since, violations.now
    due = [shortfall for shortfall in violations.shortfalls if since and _is_due(shortfall, since, now)]
    due.sort(key=lambda shortfall: shortfall.policy.eviction.grace_period_seconds)
    first: dict[str, Shortfall] = {}
    for shortfall in due:
        first.setdefault(shortfall.hull.uid, shortfall)
    return tuple(deletion for shortfall in first.values() if (deletion := _deletion(shortfall, now)))


def until_eviction(violations: PolicyViolations) -> timedelta | None:
    """How much longer the first of the hulls below a minimum may run, None if no deadline lies ahead."""
    since, now = violations.pending_since, violations.now
    times = [at for shortfall in violations.shortfalls if since and (at := evicted_at(shortfall, since))]
    return min((at - now for at in times if at > now), default=None)


def evicted_at(shortfall: Shortfall, since: datetime) -> datetime | None:
    """When a hull that runs below a minimum is deleted, None if the policy doesn't evict."""
    policy = shortfall.policy
    return since + timedelta(seconds=policy.eviction.deadline_seconds) if policy.evicts else None


def below_floor(shortfalls: Sequence[Shortfall], since: datetime) -> str:
    """A sentence on the hulls below policies' minimums, and when they are deleted, if a policy evicts."""
    times = [at for shortfall in shortfalls if (at := evicted_at(shortfall, since))]
    worst = max(shortfalls, key=lambda shortfall: shortfall.policy.minimum.strength)
    return f"{worst.sentence}; it is deleted at {min(times):%Y-%m-%dT%H:%M:%SZ}" if times else worst.sentence


def without(actions: Iterable[Action], evicted: Iterable[Delete | Change]) -> tuple[Action, ...]:
    """The actions without deletions and ends of hulls that are evicted: the eviction's own action, with the
    policy's grace period, takes their place.
    """
    uids = {deletion.uid for deletion in evicted}
    return tuple(action for action in actions if not (_ends(action) and getattr(action, "uid", "") in uids))


def _is_overdue(shortfall: Shortfall, leaves_at: datetime, now: datetime) -> bool:
    """Whether a machine that is being switched off has had the policy's time. Its own grace period doesn't
    count: its Workload says how long that is.
    """
    requested = leaves_at - shortfall.hull.graceful_end.grace
    return now >= requested + timedelta(seconds=shortfall.policy.eviction.grace_period_seconds)


def _ends(action: Action) -> bool:
    return isinstance(action, Delete) or (isinstance(action, Change) and action.purpose == "end")


def _is_due(shortfall: Shortfall, since: datetime, now: datetime) -> bool:
    at = evicted_at(shortfall, since)
    return at is not None and at <= now


def _deletion(shortfall: Shortfall, now: datetime) -> Delete | Change | None:
    """The action that ends a hull, None if that has been requested already.

    A machine that boots a disk is switched off, since the state of its firmware is deleted with its
    VirtualMachine. The VirtualMachine is deleted only if the machine isn't off within the policy's grace
    period.

    A machine's grace period is KubeVirt's to give. A Pod that is being deleted can only be given less time
    (k8s.io/apiserver, pkg/registry/rest, BeforeDelete), and the least is a second: without one, the API
    server forgets a Pod before its node has ended it.
    """
    hull, policy = shortfall.hull, shortfall.policy
    why = f"{shortfall.sentence}, for longer than {policy.eviction.deadline_seconds} s"
    if type_that_made(hull).lasts and not (hull.leaves_at and _is_overdue(shortfall, hull.leaves_at, now)):
        event = Event("Warning", Reason.EVICTED_BY_POLICY, f"switched {hull.kind} {hull.name} off: {why}")
        off = Change(hull.kind, hull.name, hull.uid, switching.off(now), event, purpose="end")
        return None if hull.leaves_at else off
    if type_that_made(hull).run_by_kubevirt:
        event = Event("Warning", Reason.EVICTED_BY_POLICY, f"deleted {hull.kind} {hull.name}: {why}")
        is_deleted = "deletionTimestamp" in hull.obj["metadata"]
        return None if is_deleted else Delete(hull.kind, hull.name, hull.uid, event)
    own = hull.obj["spec"].get("terminationGracePeriodSeconds", DEFAULT_GRACE_SECONDS)
    grace = max(1, min(own, policy.eviction.grace_period_seconds))
    granted = hull.obj["metadata"].get("deletionGracePeriodSeconds")
    if hull.deleting and (granted is None or granted <= grace):
        return None
    what = (
        f"shortened the grace period of Pod {hull.name} to {grace} s"
        if hull.deleting
        else f"deleted Pod {hull.name}"
    )
    event = Event("Warning", Reason.EVICTED_BY_POLICY, f"{what}: {why}")
    return Delete(hull.kind, hull.name, hull.uid, event, grace_seconds=grace)
