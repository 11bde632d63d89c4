"""The status of a Workload, made from a step, with the conditions that kubectl, kstatus and Argo CD read."""

from __future__ import annotations

from twinhull.api.reasons import Reason
from twinhull.api.workloadstatus import (
    MOST_CONTAINER_STATUSES,
    MOST_LACKS,
    MOST_UNSUPPORTED,
    Condition,
    Lack,
    ReplacementStatus,
    UnsupportedField,
    WorkloadStatus,
)
from twinhull.core import disks
from twinhull.core.backoff import back_off
from twinhull.core.case import Case
from twinhull.core.conditions import NOT_STALLED, SETTLED, CurrentCondition, conditions
from twinhull.core.eviction import below_floor
from twinhull.core.steps import Step


def status(case: Case, step: Step) -> WorkloadStatus:
    """The whole status after a step.

    kstatus reads it in this order: Reconciling=True is in progress, Stalled=True has failed, else Ready
    decides (sigs.k8s.io/cli-utils, pkg/kstatus/status/generic.go).
    """
    hulls = [hull.status() for hull in (case.current, *case.former) if hull]
    return WorkloadStatus(
        observed_generation=case.workload.metadata.generation,
        isolation=case.compliance.isolation_status,
        hull=hulls[0] if hulls else None,
        previous_hull=hulls[1] if len(hulls) > 1 else None,
        last_change=case.history.last_change,
        replacement=step.replacement or _replacement(case, step),
        back_off=back_off(case),
        lacks=_first_lacks(step.lacks) or None,
        unsupported_fields=_first_fields(step.unsupported or case.dropped_fields) or None,
        containers=(case.current.containers if case.current else ())[:MOST_CONTAINER_STATUSES] or None,
        disks=disks.statuses(case) or None,
        exit=case.history.exit,
        conditions=_conditions(case, step),
    )


def _first_lacks(lacks: tuple[Lack, ...]) -> tuple[Lack, ...]:
    if len(lacks) <= MOST_LACKS:
        return lacks
    *first, last = lacks[:MOST_LACKS]
    return (*first, Lack(reason=last.reason, message=f"and {len(lacks) - len(first)} more"))


def _first_fields(fields: tuple[UnsupportedField, ...]) -> tuple[UnsupportedField, ...]:
    """The first fields, each path once: the CRD's list is a map by path, and two long paths may be equal once
    they are shortened.
    """
    if len(fields) <= MOST_UNSUPPORTED:
        return tuple({field.path: field for field in fields}.values())
    first = {field.path: field for field in fields[: MOST_UNSUPPORTED - 1]}
    return (*first.values(), UnsupportedField(path="…", reason=f"and {len(fields) - len(first)} more fields"))


def _replacement(case: Case, step: Step) -> ReplacementStatus | None:
    """The replacement that is under way or was given up, None if there is none. The deadline of a replacement
    doesn't run while the operator can't try it, for instance because a prerequisite is missing.
    """
    attempt = case.history.attempt
    tried = case.current is not None or bool(step.actions)
    return attempt if attempt and (tried or attempt.failed_at) else None


def _isolated(case: Case, step: Step) -> CurrentCondition:
    """IsolationResolved: True if the cluster can provide the resolved isolation, and no hull runs below a
    policy's minimum.
    """
    compliance = case.compliance
    if compliance.shortfalls and compliance.pending_since:
        sentence = below_floor(compliance.shortfalls, compliance.pending_since)
        return "IsolationResolved", "False", Reason.BELOW_FLOOR, sentence
    if not step.isolated:
        return "IsolationResolved", "False", step.reason, step.message
    return "IsolationResolved", "True", case.blueprint.resolution.reason, case.blueprint.resolution.message


def _conditions(case: Case, step: Step) -> tuple[Condition, ...]:
    cause = step.refusal or step
    current: tuple[CurrentCondition, ...] = (
        ("Ready", step.ready, step.reason, step.message),
        ("Reconciling", "True", cause.reason, cause.message) if step.reconciling else SETTLED,
        ("Stalled", "True", cause.reason, cause.message) if step.stalled else NOT_STALLED,
        _isolated(case, step),
    )
    metadata, former = case.workload.metadata, case.workload.status.conditions or ()
    return conditions(current, former, metadata.generation, case.now)
