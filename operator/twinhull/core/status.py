"""The status: what a step says, as the conditions that kubectl, kstatus and Argo CD read."""

from __future__ import annotations

from twinhull.api.workload import Condition, ReplacementStatus, WorkloadStatus
from twinhull.core.case import Case
from twinhull.core.conditions import NOT_STALLED, SETTLED, Said, conditions
from twinhull.core.steps import Step


def status(case: Case, step: Step) -> WorkloadStatus:
    """The whole status after a step.

    kstatus reads it in this order: Reconciling=True is in progress, Stalled=True has failed, else Ready
    decides (sigs.k8s.io/cli-utils, pkg/kstatus/status/generic.go).
    """
    hulls = [hull.status() for hull in (case.current, *case.former) if hull]
    return WorkloadStatus(
        observed_generation=case.workload.metadata.generation,
        isolation=case.resolution.status(),
        hull=hulls[0] if hulls else None,
        previous_hull=hulls[1] if len(hulls) > 1 else None,
        last_change=case.last_change,
        replacement=step.replacement or _replacement(case, step),
        lacks=step.lacks or None,
        unsupported_fields=step.unsupported or case.curtailments or None,
        containers=(case.current.containers if case.current else ()) or None,
        exit=case.exit,
        conditions=_conditions(case, step),
    )


def _replacement(case: Case, step: Step) -> ReplacementStatus | None:
    """The replacement that is under way or was given up. While nothing is tried, its time doesn't run: what
    keeps it from being tried may take long to change.
    """
    attempt = case.attempt
    tried = case.current is not None or bool(step.actions)
    return attempt if attempt and (tried or attempt.failed_at) else None


def _conditions(case: Case, step: Step) -> tuple[Condition, ...]:
    said: tuple[Said, ...] = (
        ("Ready", step.ready, step.reason, step.message),
        ("Reconciling", "True", step.reason, step.message) if step.reconciling else SETTLED,
        ("Stalled", "True", step.reason, step.message) if step.stalled else NOT_STALLED,
        ("IsolationResolved", "True", case.resolution.reason, case.resolution.message)
        if step.isolated
        else ("IsolationResolved", "False", step.reason, step.message),
    )
    metadata, before = case.workload.metadata, case.workload.status.conditions or ()
    return conditions(said, before, metadata.generation, case.now)
