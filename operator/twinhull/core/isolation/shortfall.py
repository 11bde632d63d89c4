"""Shortfalls: what runs less isolated than policies require, whatever is asked for or planned."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from twinhull.api.base import Raw
from twinhull.api.isolation import Isolation
from twinhull.core.defaults import OperatorDefaults
from twinhull.core.isolation.parameters import required_runtime_class
from twinhull.core.isolation.policy import Policy
from twinhull.hulls.evasion import Evasion
from twinhull.hulls.hull import Hull
from twinhull.hulls.types import Measure, evasions_of, isolation_of, type_that_made


@dataclass(frozen=True, slots=True)
class Shortfall:
    """A hull that runs below a policy's minimum."""

    hull: Hull
    policy: Policy
    #: The isolation as which the hull counts under the policy.
    running: Isolation
    #: The path of a field that reaches past that isolation; empty if the isolation itself is too weak.
    past: str = ""

    @property
    def sentence(self) -> str:
        """What is wrong."""
        hull, policy = f"{self.hull.kind} {self.hull.name}", f"IsolationPolicy {self.policy.name}"
        if self.past:
            return (
                f"{hull} runs with {self.past}, which reaches past the {self.policy.requirement} that "
                f"{policy} requires"
            )
        return f"{hull} runs as {self.running}, below the {self.policy.requirement} that {policy} requires"


def earliest(
    remembered: Iterable[datetime | None], now: datetime, *, seen: bool, may_be: bool
) -> datetime | None:
    """Since when a Workload has run below a minimum: as is remembered, and at most since now. None if that
    isn't `seen`, unless it is remembered and `may_be`.
    """
    times = [at for at in remembered if at]
    if not seen and not (may_be and times):
        return None
    return min([*times, now]).replace(microsecond=0)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the isolation of a hull is measured by: the policies that concern its Workload, the operator's
    defaults, and the Workload's template.
    """

    policies: tuple[Policy, ...]
    defaults: OperatorDefaults
    template: Raw

    def isolation(self, hull: Hull) -> Isolation:
        """What a hull counts as."""
        return isolation_of(hull, self._measure)

    @property
    def _measure(self) -> Measure:
        required = any(policy.minimum is Isolation.SANDBOX for policy in self.policies)
        return Measure(
            own_runtime_class=(self.template.get("spec") or {}).get("runtimeClassName"),
            required=required,
            required_runtime_class=required_runtime_class(self.policies, self.defaults) if required else None,
        )

    def weakest(self, hulls: Iterable[Hull]) -> Isolation | None:
        """The weakest isolation of these hulls, None if none of them runs any more."""
        running = (self.isolation(hull) for hull in hulls if hull.still_runs)
        return min(running, key=lambda isolation: isolation.strength, default=None)

    def shortfalls(
        self,
        hulls: Iterable[Hull],
        current: Hull | None = None,
        reaching: Callable[[], Iterable[Evasion]] = tuple,
    ) -> Iterator[Shortfall]:
        """What of these hulls is below policies' minimums, by each policy. `reaching` says what of the spec
        reaches past its isolation, and speaks for a Pod that is the `current` hull. Any other speaks for
        itself, and so does a machine: what instancetypes say may have changed since it started.
        """
        floors = [policy for policy in self.policies if policy.requires]
        for hull in (hull for hull in hulls if floors and hull.still_runs):
            running = self.isolation(hull)
            speaks = hull is current and not type_that_made(hull).run_by_kubevirt
            evasions = reaching() if speaks else evasions_of(hull, running)
            past = next((evasion.path for evasion in evasions), "")
            for policy in floors:
                if running.strength < policy.minimum.strength:
                    yield Shortfall(hull, policy, running)
                elif past:
                    yield Shortfall(hull, policy, running, past)
