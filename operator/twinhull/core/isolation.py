"""Which isolation a Workload gets: an ordered list of rules, the first that answers decides."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from twinhull.api.workload import Isolation, IsolationStatus, WorkloadSpec
from twinhull.core.defaults import OperatorDefaults


@dataclass(frozen=True, slots=True)
class Resolution:
    """The isolation that was decided on, by which rule, and the sandbox's RuntimeClass if it is one."""

    requested: str
    resolved: Isolation
    reason: str
    message: str
    runtime_class: str | None

    def status(self) -> IsolationStatus:
        """What `status.isolation` says of it."""
        return IsolationStatus(
            requested=self.requested, resolved=self.resolved, reason=self.reason, message=self.message
        )


Answer = tuple[Isolation, str, str]
Rule = Callable[[WorkloadSpec, OperatorDefaults], Answer | None]


def requested(spec: WorkloadSpec, _: OperatorDefaults) -> Answer | None:
    """What the Workload asks for by name."""
    if spec.isolation_policy == "Auto":
        return None
    isolation = Isolation(spec.isolation_policy)
    return isolation, "Requested", f"spec.isolationPolicy asks for {isolation}"


def operator_default(_: WorkloadSpec, defaults: OperatorDefaults) -> Answer:
    """What the operator is configured to make of Auto."""
    return (
        defaults.isolation,
        "OperatorDefault",
        f"spec.isolationPolicy is Auto, which here means {defaults.isolation}",
    )


RULES: tuple[Rule, ...] = (requested, operator_default)


def resolve(spec: WorkloadSpec, defaults: OperatorDefaults) -> Resolution:
    """The isolation of a Workload. Never weaker than what it asks for by name."""
    isolation, reason, message = next(answer for rule in RULES if (answer := rule(spec, defaults)))
    runtime_class = None
    if isolation is Isolation.SANDBOX:
        runtime_class = spec.sandbox.runtime_class_name if spec.sandbox else defaults.runtime_class
    return Resolution(spec.isolation_policy, isolation, reason, message, runtime_class)
