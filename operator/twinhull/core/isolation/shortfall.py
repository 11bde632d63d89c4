"""Shortfalls: what runs less isolated than policies require, whatever is asked for or planned."""

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
    defaults, the RuntimeClass of the Workload's sandbox if it is known to run in one, and the policies that
    concern the hull only by what runs in it.
    """

    policies: tuple[Policy, ...]
    defaults: OperatorDefaults
    runtime_class: str | None = None
    hull_policies: HullPolicies = field(default_factory=HullPolicies)

    def isolation(self, hull: Hull) -> Isolation:
        """What a hull counts as."""
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
        reaches past its isolation, and speaks for a Pod that is the `current` hull, but for what somebody has
        added to that. Any other speaks for itself, and so does a machine: what instancetypes say may have
        changed since it started.
        """
        may_add = self.hull_policies.may_add
        if not may_add and not any(policy.requires for policy in self.policies):
            return
        running = [hull for hull in hulls if hull.still_runs]
        speaking = None if current is None or type_that_made(current).run_by_kubevirt else current
        for hull in running:
            yield from _below(self, hull, self.policies, reaching if hull is speaking else None)
        for hull, beside in self._beside_spec(running, current) if may_add else ():
            measured = replace(self, policies=beside.whole)
            yield from _below(measured, hull, beside.added, reaching if hull is speaking else None)

    def _beside_spec(
        self, running: Iterable[Hull], current: Hull | None
    ) -> Iterator[tuple[Hull, BesideSpec]]:
        """The hulls that policies concern only by what runs in them, with these policies. Who makes Pods in
        the name of a Workload can't have its own hulls left out: those are older, and any policy may concern
        one that isn't compared.
        """
        oldest_first = sorted(running, key=lambda hull: hull.created_at)
        for number, hull in enumerate(oldest_first):
            is_compared = number < MOST_COMPARED
            beside = self.hull_policies.beside_spec(hull, is_current=hull is current, is_compared=is_compared)
            if beside.added:
                yield hull, beside


def _notes_its_template(hull: Hull) -> bool:
    """Whether it is known which containers and volumes of a hull its template had. If so the hull speaks for
    itself, too: two specs may be found that have the same revision, since that is a short hash.
    """
    return hull.applied is not None and hull.applied.volumes is not None


def _below(
    surroundings: Surroundings,
    hull: Hull,
    policies: Iterable[Policy],
    reaching: Callable[[], Iterable[Evasion]] | None,
) -> Iterator[Shortfall]:
    """The shortfalls of a hull by some of the policies. `reaching` is None if the hull alone speaks."""
    floors = [policy for policy in policies if policy.requires]
    if not floors:
        return
    running = surroundings.isolation(hull)
    own = evasions_of if reaching is None or _notes_its_template(hull) else evasions_added_to
    evasions = (*(reaching() if reaching else ()), *own(hull, running))
    past = next((evasion.path for evasion in evasions), "")
    for policy in floors:
        if running.strength < policy.minimum.strength:
            yield Shortfall(hull, policy, running)
        elif past:
            yield Shortfall(hull, policy, running, past)
