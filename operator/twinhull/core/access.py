"""Access: whether a person gets a certificate for a machine, and what the status of the request says."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from twinhull.api import commands
from twinhull.api.accessrequest import AccessibleGuest, AccessRequest, AccessRequestStatus
from twinhull.api.reasons import Reason
from twinhull.api.workloadstatus import Condition
from twinhull.core.conditions import NOT_STALLED, SETTLED, CurrentCondition, conditions

#: How long after its end the operator deletes a request. Until then a waiting client can read its status.
_KEPT_AFTER_END = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Target:
    """The Workload that a request names, and the hull that serves it."""

    #: The uid of the Workload.
    workload_uid: str
    #: The kind of the hull that serves it; empty if none does.
    hull_kind: str = ""
    #: Whether that hull is a machine with Twinhull's guest.
    has_guest: bool = False
    #: Whether that guest is of a version that lets no person in.
    is_outdated: bool = False
    #: That guest; None as long as it hasn't told the operator which certificate is its own.
    guest: AccessibleGuest | None = None


@dataclass(frozen=True, slots=True)
class AccessCase:
    """An AccessRequest and its target, as observed."""

    request: AccessRequest
    #: None if there is no such Workload.
    target: Target | None
    #: Whether the operator has a key that guests know it by.
    has_key: bool
    #: When this was observed.
    now: datetime

    @property
    def ends_at(self) -> datetime:
        """When the request and its certificate end."""
        return self.request.metadata.creation_timestamp + timedelta(
            seconds=self.request.spec.expiration_seconds
        )

    @property
    def until_next(self) -> timedelta:
        """After how long to decide again if nothing happens: at the end of the request, then at its deletion.
        At least a second.
        """
        to_end = self.ends_at - self.now
        return max(to_end if to_end > timedelta() else to_end + _KEPT_AFTER_END, timedelta(seconds=1))


@dataclass(frozen=True, slots=True)
class AccessDecision:
    """The decision on a request."""

    #: `issue` a certificate for the guest, `keep` what the status says, `say` why there is none, or `delete`.
    verdict: Literal["issue", "keep", "say", "delete"]
    reason: Reason = Reason.ISSUED
    message: str = ""
    #: Whether somebody has to do something before there can be a certificate.
    stalled: bool = False


def decide(case: AccessCase) -> AccessDecision:
    """The decision on a request now."""
    if case.now >= case.ends_at + _KEPT_AFTER_END:
        return AccessDecision("delete")
    if case.request.status.certificate:
        return AccessDecision("keep")
    if case.now >= case.ends_at:
        return AccessDecision(
            "say",
            Reason.EXPIRED,
            "the request has ended unanswered: create another AccessRequest",
            stalled=True,
        )
    return _obstacle(case) or AccessDecision("issue")


def _obstacle(case: AccessCase) -> AccessDecision | None:
    """The decision that tells why nobody can get into the target yet; None if somebody can."""
    name, namespace = case.request.spec.workload, case.request.metadata.namespace
    target = case.target
    if target is None:
        message = (
            f"namespace {namespace} has no Workload {name}: create an AccessRequest that names an existing "
            "Workload (spec.workload)"
        )
        return AccessDecision("say", Reason.WORKLOAD_MISSING, message, stalled=True)
    if target.hull_kind and not target.has_guest:
        by = (
            "twinhull logs, exec, attach and port-forward"
            if target.hull_kind == "Pod"
            else "twinhull console, vnc and ssh"
        )
        message = f"Workload {name} runs in a {target.hull_kind} without Twinhull's guest: reach it by {by}"
        return AccessDecision("say", Reason.NO_GUEST, message, stalled=True)
    if not case.has_key:
        message = (
            "the operator runs without --guest-key-file, so it can let nobody into machines: an "
            "administrator can give it a file of 32 random bytes (docs/install.md, The guest's key)"
        )
        return AccessDecision("say", Reason.NO_GUEST_KEY, message, stalled=True)
    if target.is_outdated:
        message = (
            f"the guest of Workload {name} has an earlier version, which lets nobody in: name a guest image "
            f"of the operator's version, and run {commands.ours('restart', name, namespace)}"
        )
        return AccessDecision("say", Reason.GUEST_OUTDATED, message, stalled=True)
    if target.guest is None:
        status = commands.ours("status", name, namespace)
        message = f"the guest of Workload {name} hasn't answered yet: {status} says how it is"
        return AccessDecision("say", Reason.GUEST_UNSEEN, message)
    return None


def refused(why: str) -> AccessDecision:
    """The decision on a request with whose content no certificate can be made."""
    message = f"spec.request can't be used: {why}: create another AccessRequest"
    return AccessDecision("say", Reason.REQUEST_REFUSED, message, stalled=True)


def issued(case: AccessCase, certificate: str) -> AccessRequestStatus:
    """The status of a request that got a certificate."""
    message = f"the certificate is good until {case.ends_at:%Y-%m-%dT%H:%M:%SZ}"
    current: tuple[CurrentCondition, ...] = (("Ready", "True", Reason.ISSUED, message), SETTLED, NOT_STALLED)
    return AccessRequestStatus(
        observed_generation=case.request.metadata.generation,
        certificate=certificate,
        guest=case.target.guest if case.target else None,
        expires_at=case.ends_at,
        conditions=_conditions(case, current),
    )


def unissued(case: AccessCase, decision: AccessDecision) -> AccessRequestStatus:
    """The status of a request that got none, or not yet."""
    reason, message = decision.reason, decision.message
    current: tuple[CurrentCondition, ...] = (
        ("Ready", "False", reason, message),
        SETTLED if decision.stalled else ("Reconciling", "True", reason, message),
        ("Stalled", "True", reason, message) if decision.stalled else NOT_STALLED,
    )
    return AccessRequestStatus(
        observed_generation=case.request.metadata.generation,
        expires_at=case.ends_at,
        conditions=_conditions(case, current),
    )


def _conditions(case: AccessCase, current: tuple[CurrentCondition, ...]) -> tuple[Condition, ...]:
    former = case.request.status.conditions or ()
    return conditions(current, former, case.request.metadata.generation, case.now)
