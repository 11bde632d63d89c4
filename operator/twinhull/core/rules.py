"""The rules: every situation that a Workload can be in, in order; the first that fits decides.

Each returns what to do now and what to say of it, or None when it isn't the situation. Nothing here knows
which event led here, or what was done before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from twinhull.api.reasons import Reason
from twinhull.api.workload import RESTART_ANNOTATION, State, UnsupportedField
from twinhull.core.actions import Create, Note
from twinhull.core.case import Case
from twinhull.core.companions import upkeep
from twinhull.core.floor import evading, rejected, unplaced
from twinhull.core.graceful_end import due, until_due
from twinhull.core.inplace import changed_in_place, resizing
from twinhull.core.lacks import PASSING, lacks
from twinhull.core.liveupdate import changed_live, taken
from twinhull.core.observed import Companion
from twinhull.core.replacing import (
    crowded,
    given_up,
    overdue,
    recreated,
    succeeded,
    unshareable,
    until_overdue,
)
from twinhull.core.steps import Step, names, refused, removals, soonest, stalled, waiting, waiting_for_end
from twinhull.hulls import parity
from twinhull.hulls.hull import Hull

#: How long after its creation a hull that failed is made again, so that one that can't live doesn't spin.
RESTART_DELAY = timedelta(seconds=10)


Rule = Callable[[Case], Step | None]


def stopped(case: Case) -> Step | None:
    """Nothing is to run."""
    if case.workload.spec.state is not State.STOPPED:
        return None
    if not case.own:
        strangers = obstructed(case) if case.observed.hulls else None
        return strangers or Step("True", Reason.STOPPED, "stopped, as spec.state asks")
    note = "spec.state is Stopped"
    return waiting_for_end(case, case.own, Reason.STOPPING, removals(case, case.own, Reason.STOPPED, note))


def obstructed(case: Case) -> Step | None:
    """Something that isn't ours has our name or our label, and would answer for us."""
    for kind, name, found in _neighbours(case):
        if case.owns(found) or (isinstance(found, Hull) and _unseen(case, found)):
            continue
        if found.deleting or (found.owner and found.owner.takes_along):
            return waiting(Reason.WAITING, f"waiting for {kind} {name} to go with its former owner")
        owner = f"belongs to {found.owner.kind} {found.owner.uid}" if found.owner else "belongs to nobody"
        return stalled(
            Reason.NAME_CONFLICT,
            f"{kind} {name} {owner} but has this Workload's name or label twinhull.dev/workload: "
            "delete it, remove the label, or rename one of the two",
        )
    return None


def impossible(case: Case) -> Step | None:
    """The cluster can't give the isolation that was decided on; no weaker one takes its place."""
    if case.current is not None or case.exit is not None:
        return None
    found = lacks(case)
    if not found:
        return None
    lasting = next((lack for lack in found if lack.reason not in PASSING), None)
    sentence = "; ".join(lack.message for lack in found)
    step = stalled(lasting.reason, sentence) if lasting else waiting(found[0].reason, sentence)
    return replace(step, isolated=False, lacks=found, unsupported=_unhonoured(case))


def unsupported(case: Case) -> Step | None:
    """The template asks for what a machine can't give, by the table in hulls/parity."""
    if case.current is not None or case.exit is not None:
        return None
    fields = _unhonoured(case)
    if not fields:
        return None
    first, more = fields[0], len(fields) - 1
    others = f" (and {more} more in status.unsupportedFields)" if more else ""
    return stalled(
        Reason.UNSUPPORTED_FIELDS, f"spec.template.{first.path}: {first.reason}{others}", unsupported=fields
    )


def leaving(case: Case) -> Step | None:
    """The hull of this revision is on its way out, by somebody else's hand: it is made again after."""
    if case.current is None or not case.current.deleting or case.exit:
        return None
    step = waiting_for_end(case, [case.current], Reason.RESTARTING)
    if step.stalled or case.current.ended:
        return step
    sentence = f"{names([case.current])} is being deleted by somebody else, and is made again once it is gone"
    return replace(step, message=sentence)


def completed(case: Case) -> Step | None:
    """It ran to completion. Its Pod is left for its logs; its machine isn't, since KubeVirt runs one again
    whose instance is deleted.
    """
    if case.exit is None:
        return None
    machines = [hull for hull in case.own if hull.kind == "VirtualMachine"]
    remembered = case.workload.status.exit == case.exit
    actions = removals(case, machines, Reason.COMPLETED, "it ran to completion") if remembered else ()
    again = timedelta() if machines and not remembered else None
    code = "" if case.exit.code is None else f" with exit code {case.exit.code}"
    which = f"container {case.exit.container} " if case.exit.container else ""
    detail = f": {case.exit.message}" if case.exit.message else ""
    sentence = f"{which}ended{code} ({case.exit.reason}){detail}"
    if case.exit.code == 0 or case.exit.reason == Reason.COMPLETED:
        return Step("True", Reason.COMPLETED, sentence, actions=actions, requeue_after=again)
    return replace(stalled(Reason.FAILED, sentence), actions=actions, requeue_after=again)


def lost(case: Case) -> Step | None:
    """The hull failed as a whole (evicted, refused by its node) and is to run again."""
    if case.current is None or not case.current.ended:
        return None
    wait = min(RESTART_DELAY, case.current.created_at + RESTART_DELAY - case.now)
    sentence = f"{names([case.current])} ended ({case.current.reason}) and is made again"
    if wait > timedelta():
        return waiting(Reason.RESTARTING, sentence, requeue_after=wait)
    return waiting(
        Reason.RESTARTING, sentence, removals(case, [case.current], Reason.RESTARTING, case.current.reason)
    )


def missing(case: Case) -> Step | None:
    """There is no hull: make it."""
    if case.current is not None:
        return None
    manifest = case.observed.manifests.get(case.hull_name) if case.is_machine else None
    if manifest and manifest.deleting:
        return waiting(
            Reason.CREATING, f"waiting for ConfigMap {case.hull_name} to end; it is then made again"
        )
    *before, hull = case.hull_objects
    what, again = f"{case.hull_kind} {case.hull_name}", " again" if case.again else ""
    sentence = f"created {what}{again} (isolation {case.resolution.resolved})"
    found = Note("Warning", Reason.DRIFT_CORRECTED, f"put back the labels of {what}") if case.again else None
    # A machine that finds no manifest, or somebody else's, must not start: it comes in the next plan.
    actions = tuple(Create(obj) for obj in before if manifest is None)
    actions = actions or (Create(hull, Note("Normal", Reason.CREATED, sentence), found),)
    return waiting(Reason.CREATING, f"creating {what}", actions)


def curtailed(case: Case) -> Step | None:
    """The API server left out what keeps the Pod apart: it is less isolated than its template asks for."""
    if not case.weakened:
        return None
    fields = ", ".join(f"spec.template.{field.path}" for field in case.weakened)
    return stalled(
        Reason.ISOLATION_DROPPED,
        f"Pod {case.hull_name} runs without {fields}, which the API server left out: "
        "enable the feature there, or remove the field",
        unsupported=case.curtailments,
    )


def lacking(case: Case) -> Step | None:
    """The hull is there, but the API server said no to what goes with it."""
    refusal = next((found for action in upkeep(case) if (found := case.refusal(action.key))), None)
    return None if refusal is None else refused(refusal)


def starting(case: Case) -> Step | None:
    """The hull is there and not ready."""
    if case.current is None or case.current.ready:
        return None
    deadline = timedelta(seconds=case.workload.spec.replacement.progress_deadline_seconds)
    since = case.attempt.started_at if case.attempt else max(case.current.since, _changed_at(case))
    left = since + deadline - case.now
    sentence = f"{names([case.current])}: {case.current.message or case.current.reason}"
    if left > timedelta():
        return waiting(case.current.reason or Reason.NOT_READY, sentence, requeue_after=left)
    return stalled(
        Reason.PROGRESS_DEADLINE_EXCEEDED,
        f"not ready after {deadline.seconds + deadline.days * 86_400} s: {sentence}",
    )


def ready(case: Case) -> Step:
    """All is as asked; or was, until somebody changed the machine: it isn't restarted for that unasked."""
    sentence = f"{case.hull_kind} {case.hull_name} is ready"
    if case.current and case.current.edited:
        return Step(
            "True",
            Reason.MACHINE_EDITED,
            f"{sentence}, but somebody has changed its spec, which takes effect when it restarts "
            f"({case.current.edited}): give the Workload another annotation {RESTART_ANNOTATION} to have one "
            "that is as the Workload asks",
        )
    return Step("True", Reason.READY, sentence)


RULES: tuple[Rule, ...] = (
    stopped,
    unplaced,
    rejected,
    evading,
    obstructed,
    changed_in_place,
    changed_live,
    crowded,
    impossible,
    unsupported,
    unshareable,
    given_up,
    overdue,
    recreated,
    leaving,
    completed,
    lost,
    missing,
    curtailed,
    lacking,
    taken,
    starting,
    succeeded,
    resizing,
    ready,
)


def decide(case: Case) -> Step:
    """The first rule's answer, or the API server's to what it asks for. The last rule always has one.

    A machine whose Pod was asked to end is deleted even if the spec wants it again: nothing runs in it any
    more.
    """
    step = next(step for rule in RULES if (step := rule(case)))
    step = replace(step, actions=(*due(case.own, case.now), *step.actions))
    refusal = next((found for action in step.actions if (found := case.refusal(action.key))), None)
    if refusal is not None:
        step = replace(refused(refusal), actions=step.actions)
    later = soonest(step.requeue_after, until_overdue(case), until_due(case.own, case.now))
    return replace(step, requeue_after=later)


def _changed_at(case: Case) -> datetime:
    """When the hull was last given something else: from then on it may take its time again."""
    change = case.last_change
    return change.at if change and change.how == "InPlace" else datetime.min.replace(tzinfo=UTC)


def _unhonoured(case: Case) -> tuple[UnsupportedField, ...]:
    """The template's fields that its machine can't honour."""
    shared = case.observed.capabilities.virtiofs_storage
    template = case.workload.spec.template
    return parity.unsupported(template, virtiofs_storage=shared) if case.is_machine else ()


def _unseen(case: Case, found: Hull) -> bool:
    """Whether it is the instance of this Workload's own machine, which itself isn't seen.

    KubeVirt lets no machine go before its instance, so somebody has taken off the label that it is watched
    by. It is found when it is to be created. Should it be gone after all, the instance's name is taken until
    that is gone, too: two never run.
    """
    runs, own = case.workload.spec.state is not State.STOPPED, (case.hull_kind, case.hull_name)
    of_machine = found.owner is not None and found.owner.kind == "VirtualMachine"
    return runs and of_machine and (found.kind, found.name) == own and not found.deleting


def _neighbours(case: Case) -> Iterator[tuple[str, str, Hull | Companion]]:
    """All that has our label or our name."""
    for hull in case.observed.hulls:
        yield hull.kind, hull.name, hull
    if case.service and case.observed.service:
        yield "Service", case.workload.metadata.name, case.observed.service
    if case.is_machine and case.hull_name in case.observed.manifests:
        yield "ConfigMap", case.hull_name, case.observed.manifests[case.hull_name]
