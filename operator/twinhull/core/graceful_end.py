"""How hulls are ended: a Pod by its deletion, a machine by way of its guest.

KubeVirt deletes a machine's launcher Pod as soon as the machine is deleted. What shares filesystem claims
with the machine ends then, long before the containers in the guest have ended. So the guest is asked to end
its Pod first. That is noted on the VirtualMachine, shell/guest_poller sees the note and asks. The machine is
deleted once the guest says that it is done, or the grace period is over (docs/adr/0020).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from twinhull.api.reasons import Why
from twinhull.core.actions import Action, Change, Delete, Event
from twinhull.core.observed import Refusal
from twinhull.hulls import graceful_end, switching
from twinhull.hulls.hull import Hull
from twinhull.hulls.types import type_that_made


def end_actions(
    hulls: Iterable[Hull],
    reason: Why,
    why: str,
    now: datetime,
    refusals: Mapping[str, Refusal],
) -> tuple[Action, ...]:
    """Ends the hulls that aren't ending already, each with an Event that says why.

    A machine whose annotation is refused is deleted without asking its guest: KubeVirt's webhook may be gone.
    """
    return tuple(
        _request(hull, reason, why, now, refusals) or _deletion(hull, reason, why, now)
        for hull in hulls
        if not hull.leaving or (hull.ended and not hull.deleting)
    )


def overdue_deletions(hulls: Iterable[Hull], now: datetime) -> tuple[Action, ...]:
    """Deletes machines whose Pod has ended or whose grace period is over. The Event was posted when the end
    was requested.
    """
    return tuple(
        Delete(hull.kind, hull.name, hull.uid)
        for hull in hulls
        if _is_requested(hull) and not hull.graceful_end.left(now)
    )


def until_overdue_deletion(hulls: Iterable[Hull], now: datetime) -> timedelta | None:
    """How long until the first of these deletions is due, None if no machine was asked to end."""
    waits = (hull.graceful_end.left(now) for hull in hulls if _is_requested(hull))
    return min((left for left in waits if left), default=None)


def _is_requested(hull: Hull) -> bool:
    """Whether a running machine was asked to end. One that ended by itself isn't deleted here, since its end
    may have to be written into the status first.
    """
    return hull.graceful_end.requested and not (hull.deleting or hull.ended)


def _request(
    hull: Hull, reason: Why, why: str, now: datetime, refusals: Mapping[str, Refusal]
) -> Change | None:
    """The annotation that asks the guest to end its Pod; None if there is no guest to ask.

    A refused annotation is retried until the next attempt would come after the grace period, and then given
    up (None). The machine is deleted then without asking its guest.
    """
    end = hull.graceful_end
    if hull.ended or not end.can_request_stop:
        return None
    event = Event("Normal", reason, f"asked {hull.kind} {hull.name} to end its Pod: {why}")
    patch = graceful_end.request_patch(end.instance, now)
    request = Change(hull.kind, hull.name, hull.uid, patch, event, purpose="end")
    refused = refusals.get(request.key)
    if refused is None or refused.is_old(now):
        return request
    return None if refused.final or refused.retry_at - refused.since > end.grace else request


def _deletion(hull: Hull, reason: Why, why: str, now: datetime) -> Delete | Change:
    if type_that_made(hull).lasts:
        event = Event("Normal", reason, f"switched {hull.kind} {hull.name} off: {why}")
        return Change(hull.kind, hull.name, hull.uid, switching.off(now), event, purpose="end")
    event = Event("Normal", reason, f"deleted {hull.kind} {hull.name}: {why}")
    return Delete(hull.kind, hull.name, hull.uid, event)
