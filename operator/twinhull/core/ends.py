"""How hulls are ended: a Pod by its deletion, a machine by way of its guest.

KubeVirt deletes a machine's launcher Pod as soon as the machine is deleted. What shares filesystem claims
with the machine ends then, long before the containers in the guest have ended. So the guest is asked to end
its Pod first. That is noted on the VirtualMachine, shell/guests sees the note and asks, and the machine is
deleted once the guest says that it is done, or its time is over (docs/adr/0020).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from types import MappingProxyType

from twinhull.api.reasons import Why
from twinhull.core.actions import Action, Change, Delete, Note
from twinhull.core.observed import Refusal
from twinhull.hulls import ending
from twinhull.hulls.hull import Hull


def ends(
    hulls: Iterable[Hull],
    reason: Why,
    why: str,
    now: datetime,
    refusals: Mapping[str, Refusal] = MappingProxyType({}),
) -> tuple[Action, ...]:
    """What ends the hulls that aren't on their way out already, and tells why.

    A machine that can't be changed is deleted all the same: KubeVirt's webhook may be gone.
    """
    return tuple(
        _asking(hull, reason, why, now, refusals) or _deletion(hull, reason, why)
        for hull in hulls
        if not hull.leaving or (hull.ended and not hull.deleting)
    )


def due(hulls: Iterable[Hull], now: datetime) -> tuple[Action, ...]:
    """Deletions of the machines whose Pod was asked to end, and has, or has had its time. Why was told."""
    return tuple(
        Delete(hull.kind, hull.name, hull.uid)
        for hull in hulls
        if _is_asked(hull) and not hull.ending.left(now)
    )


def until_due(hulls: Iterable[Hull], now: datetime) -> timedelta | None:
    """How much longer the first of such machines may take, None if there is none."""
    return min((left for hull in hulls if _is_asked(hull) and (left := hull.ending.left(now))), default=None)


def _is_asked(hull: Hull) -> bool:
    """One that ended by itself is no longer asked: its end may have to be remembered before it goes."""
    return hull.ending.asked and not (hull.deleting or hull.ended)


def _asking(
    hull: Hull, reason: Why, why: str, now: datetime, refusals: Mapping[str, Refusal]
) -> Change | None:
    if hull.ended or not hull.ending.askable:
        return None
    note = Note("Normal", reason, f"asked {hull.kind} {hull.name} to end its Pod: {why}")
    asking = Change(hull.kind, hull.name, hull.uid, ending.note(now), note, what="end")
    refused = refusals.get(asking.key)
    return None if refused and (refused.final or now >= refused.retry_at) else asking


def _deletion(hull: Hull, reason: Why, why: str) -> Delete:
    note = Note("Normal", reason, f"deleted {hull.kind} {hull.name}: {why}")
    return Delete(hull.kind, hull.name, hull.uid, note)
