"""Reasons of other conditions, of Events, of ends and of the log."""

from __future__ import annotations

from twinhull.api.reasons import Reason
from twinhull.core.reasons.row import Row

#: The IsolationResolved condition's and those of `status.isolation`, beside those that Ready has, too.
ISOLATION: dict[Reason, Row] = {
    Reason.REQUESTED: Row("`spec.isolationPolicy` names it."),
    Reason.POLICY_DEFAULT: Row("It is Auto, and a policy says what that means."),
    Reason.OPERATOR_DEFAULT: Row(
        "It is Auto, and the operator's `--default-isolation` says what that means."
    ),
    Reason.RAISED_BY_POLICY: Row(
        "A policy asks for a stronger isolation than the Workload.",
        "`twinhull explain` says which policies were asked",
    ),
    Reason.BELOW_FLOOR: Row(
        "What runs is isolated less than a policy requires: `status.isolation.running` says how, and Ready "
        "what keeps it there.",
        "do what the Ready condition says ([what runs below a floor](policies.md#what-runs-below-a-floor))",
    ),
}

#: The Reconciling and Stalled conditions' while they are False, and those of IsolationPolicies.
SETTLED: dict[Reason, Row] = {
    Reason.SETTLED: Row("Reconciling is False: nothing is under way."),
    Reason.NOT_STALLED: Row("Stalled is False: nothing waits for a change by hand."),
    Reason.IN_FORCE: Row("An IsolationPolicy is Ready: it is read, and decides."),
}

#: Events' that aren't a condition's, too. An Event of a condition's reason says that the condition is so now.
EVENTS: dict[Reason, Row] = {
    Reason.CREATED: Row("A hull was made."),
    Reason.EVICTED_BY_POLICY: Row(
        "A hull has run below the minimum of a policy with `onViolation: Evict` for longer than it allows.",
        "see the Ready condition for what keeps the stronger hull from being made",
    ),
    Reason.CHANGED_IN_PLACE: Row("A running hull was given a change."),
    Reason.TRAFFIC_MOVED: Row("The Service leads to the new hull from now on."),
    Reason.SERVICE_CHANGED: Row("The Service was changed as `spec.service` or the ports ask."),
    Reason.DRIFT_CORRECTED: Row(
        "Somebody changed or deleted what belongs to the Workload, and it was put back.",
        "change the Workload instead; if a controller did it, keep it from these objects",
    ),
    Reason.FIELDS_DROPPED: Row(
        "The API server left out fields of the template: their feature gates are off.",
        "enable the features, or remove the fields; `status.unsupportedFields` has them",
    ),
}

#: Those of `status.exit` beside Completed, Unknown and what the container runtime says, such as OOMKilled.
EXITS: dict[Reason, Row] = {
    Reason.ERROR: Row("It ended badly.", "see `status.exit` for the code and the container, and its log"),
}

#: Of the operator's log alone: writes that no Event tells of.
LOG: dict[Reason, Row] = {
    Reason.CHANGED: Row("An object of the Workload was changed."),
    Reason.DELETED: Row("An object of the Workload was deleted."),
}
