"""Policies: which Workloads each IsolationPolicy concerns, what it requires, and which policy comes first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from twinhull.api.isolation import Isolation, strongest, weakest
from twinhull.api.policy import Eviction, IsolationPolicySpec, Match
from twinhull.core.isolation.images import first_match
from twinhull.core.isolation.subject import Subject

#: A field of an IsolationPolicy's spec.match. A policy concerns the Workloads that fit all of its fields.
MatchPart: TypeAlias = Literal["namespaceSelector", "workloadSelector", "images", "serviceAccounts"]


@dataclass(frozen=True, slots=True)
class Policy:
    """An IsolationPolicy, as decisions use it."""

    name: str
    #: If the operator can't read the spec, only spec.match is kept. If spec.match can't be read either, the
    #: policy concerns every Workload.
    spec: IsolationPolicySpec
    #: Why this operator can't read the spec; empty if it can.
    problem: str = ""

    @property
    def minimum(self) -> Isolation:
        """The weakest isolation that the policy allows."""
        return self.spec.minimum or weakest()

    @property
    def requires(self) -> bool:
        """Whether the policy has a minimum above the weakest isolation."""
        return self.minimum is not weakest()

    @property
    def requirement(self) -> str:
        """The minimum in words, such as `Sandbox or stronger`."""
        return self.minimum if self.minimum is strongest() else f"{self.minimum} or stronger"

    @property
    def allowed(self) -> str:
        """The isolations that meet the minimum, such as `Sandbox or VirtualMachine`."""
        return " or ".join(one for one in Isolation if one.strength >= self.minimum.strength)

    @property
    def rejects(self) -> bool:
        """Whether the policy rejects a Workload that asks for less than the minimum, instead of raising its
        isolation.
        """
        return self.spec.on_violation == "Reject"

    @property
    def evicts(self) -> bool:
        """Whether the policy has the operator delete hulls that run below the minimum for too long."""
        return self.spec.on_violation == "Evict"

    @property
    def eviction(self) -> Eviction:
        """After which time hulls below the minimum are deleted, and their grace period."""
        return self.spec.eviction or Eviction()

    @property
    def matches_what_runs(self) -> bool:
        """Whether spec.match has images or serviceAccounts: a hull keeps its own when the Workload's spec is
        changed.
        """
        match = self.spec.match
        return match is not None and bool(match.images or match.service_accounts)

    def admits_namespace(self, labels: Mapping[str, str]) -> bool:
        """Whether a namespace with these labels fits spec.match.namespaceSelector."""
        selector = (self.spec.match or Match()).namespace_selector
        return selector is None or selector.admits(labels)

    def mismatch(self, subject: Subject) -> MatchPart | None:
        """The first field of spec.match that a Workload doesn't fit, None if the policy concerns it."""
        if not self.admits_namespace(subject.namespace_labels):
            return "namespaceSelector"
        return self.mismatch_within(subject)

    def mismatch_within(self, subject: Subject) -> MatchPart | None:
        """The same for a Workload whose namespace fits: the namespaceSelector isn't compared."""
        match = self.spec.match or Match()
        if match.workload_selector and not match.workload_selector.admits(subject.labels):
            return "workloadSelector"
        if match.service_accounts and not _runs_as(match.service_accounts, subject):
            return "serviceAccounts"
        if match.images and not _has_image(match.images, subject):
            return "images"
        return None


def precedence(policies: Iterable[Policy]) -> tuple[Policy, ...]:
    """Policies in the order in which they decide: the highest priority first, then by name."""
    return tuple(sorted(policies, key=lambda policy: (-policy.spec.priority, policy.name)))


def concerning(subject: Subject, policies: Iterable[Policy]) -> tuple[Policy, ...]:
    """The policies that concern a Workload, in the order given."""
    return tuple(policy for policy in policies if policy.mismatch(subject) is None)


def strictest(policies: Iterable[Policy]) -> Policy | None:
    """The policy with the strongest minimum, the first if there are several; None without policies."""
    return max(policies, key=lambda policy: policy.minimum.strength, default=None)


def _has_image(patterns: Iterable[str], subject: Subject) -> bool:
    """Whether any image of a Workload fits a pattern. Images that aren't known, or are too many to compare,
    may be any images, so they fit.
    """
    if "images" in subject.unknown or subject.has_unbounded_images:
        return True
    return first_match(patterns, subject.images) is not None


def _runs_as(accounts: Iterable[str], subject: Subject) -> bool:
    """Whether a Workload runs as any of these ServiceAccounts, each given as name or namespace/name.
    ServiceAccounts that aren't known, or are too many to compare, may be any.
    """
    if "serviceAccounts" in subject.unknown or subject.has_unbounded_accounts:
        return True
    return not subject.service_accounts.isdisjoint(accounts)
