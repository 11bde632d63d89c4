"""A Workload's compliance: which hulls are less isolated than policies require, and since when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from twinhull.api.workloadstatus import IsolationStatus
from twinhull.core.blueprint import Blueprint
from twinhull.core.isolation.hull_policies import HullPolicies
from twinhull.core.isolation.shortfall import Shortfall, Surroundings, earliest
from twinhull.hulls.hull import Hull


@dataclass(frozen=True)
class Compliance:
    """A Workload's hulls, held against the policies that concern it."""

    #: What is to run, and which policies concern it.
    blueprint: Blueprint
    #: The hulls that are the Workload's.
    hulls: tuple[Hull, ...]
    #: The hull of the present revision, None if it isn't there.
    current: Hull | None
    now: datetime

    @cached_property
    def shortfalls(self) -> tuple[Shortfall, ...]:
        """The hulls below policies' minimums. Empty before the namespace's labels are known, since they
        decide which policies concern the Workload.
        """
        if not self.blueprint.observed.namespace_is_known:
            return ()
        return tuple(self._surroundings.shortfalls(self.hulls, self.current, lambda: self.blueprint.evasions))

    @cached_property
    def pending_since(self) -> datetime | None:
        """Since when the Workload has been seen to run below a policy's minimum, None if it doesn't.

        The status keeps the time over a restart of the operator, and the process until the status is written.
        A time in the future counts as now. While the namespace's labels are
        unknown, the remembered time stays.
        """
        status, observed = self.blueprint.workload.status.isolation, self.blueprint.observed
        remembered = (status.pending_since if status else None, observed.pending_since)
        is_unknown = bool(observed.policies) and not observed.namespace_is_known
        return earliest(remembered, self.now, seen=bool(self.shortfalls), may_be=is_unknown)

    @cached_property
    def isolation_status(self) -> IsolationStatus:
        """What was decided, and what runs."""
        weakest = self._surroundings.weakest(self.hulls)
        return self.blueprint.resolution.status(weakest, self.pending_since)

    @cached_property
    def _surroundings(self) -> Surroundings:
        blueprint, observed = self.blueprint, self.blueprint.observed
        policies = blueprint.resolution.policies
        by_hull = HullPolicies(
            observed.subject, observed.policies, policies, observed.manifests, observed.data_volumes
        )
        return Surroundings(policies, blueprint.defaults, blueprint.resolution.runtime_class, by_hull)
