"""Reasons of conditions other than Ready, of AccessRequests, of Events, of completed runs, and of the log."""

from __future__ import annotations

from twinhull.api.reasons import Reason
from twinhull.core.reasons.row import ReasonRow, ours

#: Reasons of the IsolationResolved condition and of `status.isolation` that the Ready condition doesn't have.
ISOLATION: dict[Reason, ReasonRow] = {
    Reason.REQUESTED: ReasonRow("`spec.isolationPolicy` names the isolation."),
    Reason.POLICY_DEFAULT: ReasonRow("`spec.isolationPolicy` is Auto, and a policy has a default."),
    Reason.OPERATOR_DEFAULT: ReasonRow(
        "`spec.isolationPolicy` is Auto, and the operator's `--default-isolation` applies."
    ),
    Reason.RAISED_BY_POLICY: ReasonRow(
        "A policy requires a stronger isolation than the Workload asks for. `status.isolation.message` names "
        "the policy.",
        f"to see which policies decide: {ours('explain')}, which needs `list` on isolationpolicies and "
        "`get` on the namespace, as administrators have",
    ),
    Reason.BELOW_FLOOR: ReasonRow(
        "A hull runs with a weaker isolation than a policy requires. `status.isolation.running` says "
        "which, and the Ready condition says what prevents the change.",
        "do what the Ready condition says ([what runs below a floor](policies.md#what-runs-below-a-floor))",
    ),
}

#: Reasons of the Reconciling and Stalled conditions while these are False, and of IsolationPolicies.
SETTLED: dict[Reason, ReasonRow] = {
    Reason.SETTLED: ReasonRow("Reconciling is False: the operator is working on no change."),
    Reason.NOT_STALLED: ReasonRow("Stalled is False: nobody has to do anything."),
    Reason.IN_FORCE: ReasonRow("An IsolationPolicy is Ready: the operator has read it, and applies it."),
}

#: Reasons of the Ready condition of AccessRequests.
ACCESS: dict[Reason, ReasonRow] = {
    Reason.ISSUED: ReasonRow("The certificate is in the request's status."),
    Reason.GUEST_UNSEEN: ReasonRow(
        "The Workload has no hull yet, or its machine's guest hasn't answered the operator.",
        f"wait; {ours('status')} says why",
    ),
    Reason.NO_GUEST: ReasonRow(
        "The Workload runs in a Pod, or in a machine that boots its own disk.",
        "reach a Pod by `twinhull exec` and the like, which need no AccessRequest there, and such a machine "
        "by `twinhull console`, `vnc` and `ssh`",
    ),
    Reason.GUEST_OUTDATED: ReasonRow(
        "The guest of the Workload's machine has an earlier version than the operator, and lets nobody in.",
        f"name a guest image of the operator's version, then {ours('restart')}",
    ),
    Reason.NO_GUEST_KEY: ReasonRow(
        "The operator has no key for guests, so it can issue no certificate.",
        "run the operator with `--guest-key-file`, as the chart does",
    ),
    Reason.WORKLOAD_MISSING: ReasonRow(
        "The request's namespace has no Workload of the name in `spec.workload`.",
        "create another request with the right name",
    ),
    Reason.REQUEST_REFUSED: ReasonRow(
        "The operator can't issue a certificate for the request's certificate signing request.",
        "see the message, which says what is wrong with the signing request",
    ),
    Reason.EXPIRED: ReasonRow(
        "The request expired before the operator could answer it.", "create another request"
    ),
}

#: Reasons of Events that no condition has. An Event with a condition's reason tells that the condition has
#: this reason now.
EVENTS: dict[Reason, ReasonRow] = {
    Reason.CREATED: ReasonRow("A hull was created, or a machine was switched on."),
    Reason.EVICTED_BY_POLICY: ReasonRow(
        (
            "The operator deleted a hull that had run below the minimum of a policy with `onViolation: "
            "Evict` for longer than the policy allows."
        ),
        "see the Ready condition for what prevents the stronger hull",
    ),
    Reason.CHANGED_IN_PLACE: ReasonRow("A running hull was changed in place."),
    Reason.TRAFFIC_MOVED: ReasonRow("The Service sends new connections to the new hull from now on."),
    Reason.SERVICE_CHANGED: ReasonRow("The Service was changed because `spec.service` or the ports changed."),
    Reason.DRIFT_CORRECTED: ReasonRow(
        "Somebody changed or deleted an object of the Workload, and the operator restored it.",
        "change the Workload instead; if a controller did it, exclude these objects from it",
    ),
    Reason.DISK_TAKEN_UP: ReasonRow(
        "A former Workload of the same name left a disk behind. This Workload uses the disk now, with all "
        "its data."
    ),
    Reason.FIELDS_DROPPED: ReasonRow(
        "The Pod lacks fields of its template: the API server left them out, since their feature gates are "
        "off, or a webhook did.",
        "enable the features, exempt the Pod from the webhook, or remove the fields, which "
        "`status.unsupportedFields` lists",
    ),
}

#: Reasons of `status.exit`. Beside these it may have Completed, Unknown, and the container runtime's reasons,
#: such as OOMKilled.
EXITS: dict[Reason, ReasonRow] = {
    Reason.ERROR: ReasonRow(
        "The Workload ran to completion and failed.",
        f"see `status.exit` for the code and the container, and its log ({ours('logs')})",
    ),
}

#: Reasons in the operator's log for writes without an Event.
LOG: dict[Reason, ReasonRow] = {
    Reason.CHANGED: ReasonRow("An object of the Workload was changed."),
    Reason.DELETED: ReasonRow("An object of the Workload was deleted."),
}
