"""Reasons of other conditions, of Events, of ends and of the log."""

from __future__ import annotations

from twinhull.api.reasons import Reason
from twinhull.core.reasons.row import Row, ours

#: The IsolationResolved condition's and those of `status.isolation`, beside those that Ready has, too.
ISOLATION: dict[Reason, Row] = {
    Reason.REQUESTED: Row("`spec.isolationPolicy` names the isolation."),
    Reason.POLICY_DEFAULT: Row("`spec.isolationPolicy` is Auto, and a policy has a default."),
    Reason.OPERATOR_DEFAULT: Row(
        "`spec.isolationPolicy` is Auto, and the operator's `--default-isolation` applies."
    ),
    Reason.RAISED_BY_POLICY: Row(
        "A policy requires a stronger isolation than the Workload asks for.",
        f"{ours('explain')} says which policies decide",
    ),
    Reason.BELOW_FLOOR: Row(
        "A hull runs with a weaker isolation than a policy requires. `status.isolation.running` says "
        "which, and the Ready condition says what prevents the change.",
        "do what the Ready condition says ([what runs below a floor](policies.md#what-runs-below-a-floor))",
    ),
}

#: The Reconciling and Stalled conditions' while they are False, and those of IsolationPolicies.
SETTLED: dict[Reason, Row] = {
    Reason.SETTLED: Row("Reconciling is False: the operator is working on no change."),
    Reason.NOT_STALLED: Row("Stalled is False: nobody has to do anything."),
    Reason.IN_FORCE: Row("An IsolationPolicy is Ready: the operator has read it, and applies it."),
}

#: The Ready condition's of AccessRequests.
ACCESS: dict[Reason, Row] = {
    Reason.ISSUED: Row("The certificate is in the request's status."),
    Reason.GUEST_UNSEEN: Row(
        "The Workload has no hull yet, or its machine's guest hasn't answered the operator.",
        f"wait; {ours('status')} says why",
    ),
    Reason.NO_GUEST: Row(
        "The Workload runs in a Pod, or in a machine that boots its own disk.",
        "reach a Pod by `twinhull exec` and the like, which need no AccessRequest there, and such a machine "
        "by `twinhull console`, `vnc` and `ssh`",
    ),
    Reason.NO_GUEST_KEY: Row(
        "The operator has no key for guests, so that it can let nobody into machines.",
        "run it with `--guest-key-file`, as the chart does",
    ),
    Reason.WORKLOAD_MISSING: Row(
        "The request's namespace has no such Workload.", "create another request with the right name"
    ),
    Reason.REQUEST_REFUSED: Row(
        "No certificate can be made of the certificate request.",
        "see its message: it says what is wrong with it",
    ),
    Reason.EXPIRED: Row("The request ended before it could be answered.", "create another one"),
}

#: Events' that aren't a condition's, too. An Event of a condition's reason says that the condition is so now.
EVENTS: dict[Reason, Row] = {
    Reason.CREATED: Row("A hull was made."),
    Reason.EVICTED_BY_POLICY: Row(
        (
            "The operator deleted a hull that had run below the minimum of a policy with `onViolation: "
            "Evict` for longer than the policy allows."
        ),
        "see the Ready condition for what prevents the stronger hull",
    ),
    Reason.CHANGED_IN_PLACE: Row("A running hull was changed in place."),
    Reason.TRAFFIC_MOVED: Row("The Service sends new connections to the new hull from now on."),
    Reason.SERVICE_CHANGED: Row("The Service was changed because `spec.service` or the ports changed."),
    Reason.DRIFT_CORRECTED: Row(
        "Somebody changed or deleted an object of the Workload, and the operator restored it.",
        "change the Workload instead; if a controller did it, exclude these objects from it",
    ),
    Reason.DISK_TAKEN_UP: Row(
        "A disk that a former Workload of this name left behind is this Workload's now, with all its data."
    ),
    Reason.FIELDS_DROPPED: Row(
        "The API server left out fields of the template, since their feature gates are off.",
        "enable the features, or remove the fields, which `status.unsupportedFields` lists",
    ),
}

#: Those of `status.exit` beside Completed, Unknown and what the container runtime says, such as OOMKilled.
EXITS: dict[Reason, Row] = {
    Reason.ERROR: Row(
        "The Workload ran to completion and failed.",
        f"see `status.exit` for the code and the container, and its log ({ours('logs')})",
    ),
}

#: Of the operator's log alone: writes that no Event tells of.
LOG: dict[Reason, Row] = {
    Reason.CHANGED: Row("An object of the Workload was changed."),
    Reason.DELETED: Row("An object of the Workload was deleted."),
}
