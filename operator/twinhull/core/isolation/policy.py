"""Policies as decisions use them: which Workloads each concerns, and which policy comes first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from twinhull.api.isolation import Isolation, strongest, weakest
from twinhull.api.policy import Eviction, IsolationPolicySpec, Match
from twinhull.core.isolation.images import first_match
from twinhull.core.isolation.subject import Subject

#: A part of spec.match.
MatchPart: TypeAlias = Literal["namespaceSelector", "workloadSelector", "images", "serviceAccounts"]


@dataclass(frozen=True, slots=True)
class Policy:
    """An IsolationPolicy."""

    name: str
    #: If the operator can't read the spec, only its match is kept. If that isn't readable either, the policy
    #: concerns every Workload.
    spec: IsolationPolicySpec
    #: Why this operator can't read the spec; empty if it can.
    problem: str = ""

    @property
    def minimum(self) -> Isolation:
        """The weakest isolation that it allows."""
        return self.spec.minimum or weakest()

    @property
    def requires(self) -> bool:
        """Whether it requires any isolation at all."""
        return self.minimum is not weakest()

    @property
    def requirement(self) -> str:
        """The minimum in words, such as `Sandbox or stronger`."""
        return self.minimum if self.minimum is strongest() else f"{self.minimum} or stronger"

    @property
    def allowed(self) -> str:
        """The isolations that meet its minimum, such as `Sandbox or VirtualMachine`."""
        return " or ".join(one for one in Isolation if one.strength >= self.minimum.strength)

    @property
    def rejects(self) -> bool:
        """Whether it rejects what is weaker than its minimum, rather than raise it."""
        return self.spec.on_violation == "Reject"

    @property
    def evicts(self) -> bool:
        """Whether it deletes what runs below its minimum for too long."""
        return self.spec.on_violation == "Evict"

    @property
    def eviction(self) -> Eviction:
        """When it does, and how much time that has to end."""
        return self.spec.eviction or Eviction()

    @property
    def matches_what_runs(self) -> bool:
        """Whether its match looks at something that a hull keeps when the spec of its Workload is changed."""
        match = self.spec.match
        return match is not None and bool(match.images or match.service_accounts)

    def admits_namespace(self, labels: Mapping[str, str]) -> bool:
        """Whether it concerns Workloads in a namespace of these labels, if they fit its other parts."""
        selector = (self.spec.match or Match()).namespace_selector
        return selector is None or selector.admits(labels)

    def mismatch(self, subject: Subject) -> MatchPart | None:
        """The part of its match that a Workload doesn't fit, None if the policy concerns it."""
        if not self.admits_namespace(subject.namespace_labels):
            return "namespaceSelector"
        return self.mismatch_within(subject)

    def mismatch_within(self, subject: Subject) -> MatchPart | None:
        """The same of a Workload whose namespace fits."""
        match = self.spec.match or Match()
        if match.workload_selector and not match.workload_selector.admits(subject.labels):
            return "workloadSelector"
        if match.service_accounts and not _runs_as(match.service_accounts, subject):
            return "serviceAccounts"
        if match.images and not _has_image(match.images, subject):
            return "images"
        return None


def precedence(policies: Iterable[Policy]) -> tuple[Policy, ...]:
    """The order in which policies decide: the highest priority first, equals by name."""
    return tuple(sorted(policies, key=lambda policy: (-policy.spec.priority, policy.name)))


def concerning(subject: Subject, policies: Iterable[Policy]) -> tuple[Policy, ...]:
    """The policies that concern a Workload, in the order given."""
    return tuple(policy for policy in policies if policy.mismatch(subject) is None)


def strictest(policies: Iterable[Policy]) -> Policy | None:
    """The first of those with the strongest minimum."""
    return max(policies, key=lambda policy: policy.minimum.strength, default=None)


def _has_image(patterns: Iterable[str], subject: Subject) -> bool:
    """Whether any of a Workload's images fits. Images that aren't known, or aren't compared, may be any."""
    if "images" in subject.unknown or subject.has_unbounded_images:
        return True
    return first_match(patterns, subject.images) is not None


def _runs_as(accounts: Iterable[str], subject: Subject) -> bool:
    if "serviceAccounts" in subject.unknown or subject.has_unbounded_accounts:
        return True
    return not subject.service_accounts.isdisjoint(accounts)
