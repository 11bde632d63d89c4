"""Shortfalls: hulls that run less isolated than policies require, whatever the spec asks for by now."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime

from twinhull.api.isolation import Isolation
from twinhull.core.defaults import OperatorDefaults
from twinhull.core.isolation.hull_policies import MOST_COMPARED, BesideSpec, HullPolicies
from twinhull.core.isolation.parameters import required_runtime_class
from twinhull.core.isolation.policy import Policy
from twinhull.hulls.evasion import Evasion
from twinhull.hulls.hull import Hull
from twinhull.hulls.types import SandboxCriteria, evasions_added_to, evasions_of, isolation_of, type_that_made


@dataclass(frozen=True, slots=True)
class Shortfall:
    """A hull that runs below a policy's minimum."""

    hull: Hull
    policy: Policy
    #: The isolation that the hull counts as under the policy.
    running: Isolation
    #: The path of a field that reaches past that isolation; empty if the isolation itself is too weak.
    evading_field: str = ""

    @property
    def sentence(self) -> str:
        """The shortfall as a message."""
        hull, policy = f"{self.hull.kind} {self.hull.name}", f"IsolationPolicy {self.policy.name}"
        if self.evading_field:
            return (
                f"{hull} runs with {self.evading_field}, which reaches past the {self.policy.requirement} "
                f"that {policy} requires"
            )
        return f"{hull} runs as {self.running}, below the {self.policy.requirement} that {policy} requires"


def earliest(
    remembered: Iterable[datetime | None], now: datetime, *, seen: bool, may_be: bool
) -> datetime | None:
    """Since when a Workload has run below a policy's minimum: the earliest remembered time, but not later
    than now. None if no shortfall is `seen`; but if there still `may_be` one, since the policies that concern
    the Workload aren't known, the remembered time stays.
    """
    times = [at for at in remembered if at]
    if not seen and not (may_be and times):
        return None
    return min([*times, now]).replace(microsecond=0)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """All that decides whether a Workload's hulls meet the minimums of policies."""

    #: The policies that concern the Workload.
    policies: tuple[Policy, ...]
    defaults: OperatorDefaults
    #: The RuntimeClass of the Workload's sandbox. None if the Workload isn't to run in a sandbox, or if that
    #: isn't known.
    runtime_class: str | None = None
    #: Finds the policies that concern a hull only by the images or ServiceAccounts that run in it.
    hull_policies: HullPolicies = field(default_factory=HullPolicies)

    def isolation(self, hull: Hull) -> Isolation:
        """The isolation that a hull counts as."""
        return isolation_of(hull, self._sandbox_criteria)

    @property
    def _sandbox_criteria(self) -> SandboxCriteria:
        required = any(policy.minimum is Isolation.SANDBOX for policy in self.policies)
        return SandboxCriteria(
            sandbox_runtime_class=self.runtime_class,
            required=required,
            required_runtime_class=required_runtime_class(self.policies, self.defaults) if required else None,
        )

    def weakest(self, hulls: Iterable[Hull]) -> Isolation | None:
        """The weakest isolation of the hulls that still run, None if none does."""
        running = (self.isolation(hull) for hull in hulls if hull.still_runs)
        return min(running, key=lambda isolation: isolation.strength, default=None)

    def shortfalls(
        self,
        hulls: Iterable[Hull],
        current: Hull | None = None,
        evasions_of_spec: Callable[[], Iterable[Evasion]] = tuple,
    ) -> Iterator[Shortfall]:
        """The shortfalls of the hulls that still run, one for each policy.

        For the `current` hull, if it is a Pod, the evasions of the spec count as well as its own. If it has
        no note of its template's containers and volumes, only its ephemeral containers are its own. Every
        other hull is examined itself, and so is every machine: its instancetype may have changed since it
        started.
        """
        may_add = self.hull_policies.may_add
        if not may_add and not any(policy.requires for policy in self.policies):
            return
        running = [hull for hull in hulls if hull.still_runs]
        as_in_spec = None if current is None or type_that_made(current).run_by_kubevirt else current
        for hull in running:
            yield from _below(self, hull, self.policies, evasions_of_spec if hull is as_in_spec else None)
        for hull, beside in self._beside_spec(running, current) if may_add else ():
            surroundings = replace(self, policies=beside.concerning)
            of_spec = evasions_of_spec if hull is as_in_spec else None
            yield from _below(surroundings, hull, beside.added, of_spec)

    def _beside_spec(
        self, running: Iterable[Hull], current: Hull | None
    ) -> Iterator[tuple[Hull, BesideSpec]]:
        """The hulls that policies concern only by what runs in them, with these policies.

        The oldest MOST_COMPARED hulls are compared. So somebody who creates Pods in the name of a Workload
        can't exempt the Workload's hulls: these are older, and a hull that isn't compared falls under every
        policy that may concern it.
        """
        oldest_first = sorted(running, key=lambda hull: hull.created_at)
        for number, hull in enumerate(oldest_first):
            is_compared = number < MOST_COMPARED
            beside = self.hull_policies.beside_spec(hull, is_current=hull is current, is_compared=is_compared)
            if beside.added:
                yield hull, beside


def _below(
    surroundings: Surroundings,
    hull: Hull,
    policies: Iterable[Policy],
    evasions_of_spec: Callable[[], Iterable[Evasion]] | None,
) -> Iterator[Shortfall]:
    """The shortfalls of a hull under these policies. If `evasions_of_spec` is given, the evasions of the spec
    count as well as the hull's own.
    """
    floors = [policy for policy in policies if policy.requires]
    if not floors:
        return
    running = surroundings.isolation(hull)
    own = evasions_of if evasions_of_spec is None else evasions_added_to
    evasions = (*(evasions_of_spec() if evasions_of_spec else ()), *own(hull, running))
    evading_field = next((evasion.path for evasion in evasions), "")
    for policy in floors:
        if running.strength < policy.minimum.strength:
            yield Shortfall(hull, policy, running)
        elif evading_field:
            yield Shortfall(hull, policy, running, evading_field)
