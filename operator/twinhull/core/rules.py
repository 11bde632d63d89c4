"""The rules: every situation that a Workload can be in, in order; the first that fits decides.

Each returns what to do now and what to say of it, or None when it isn't the situation. Nothing here knows
which event led here, or what was done before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from twinhull.api.brevity import listed
from twinhull.api.reasons import Reason
from twinhull.api.workload import RESTART_ANNOTATION, State, UnsupportedField
from twinhull.core import backoff
from twinhull.core.actions import Action, Change, Create, Delete, Note
from twinhull.core.case import Case
from twinhull.core.companions import companions, put_right
from twinhull.core.ephemeral import claimed
from twinhull.core.eviction import evictions, until_eviction, without
from twinhull.core.floor import evading, image_rejected, rejected, unplaced
from twinhull.core.graceful_end import due, until_due
from twinhull.core.inplace import changed_in_place, resizing
from twinhull.core.lacks import PASSING, lacks
from twinhull.core.liveupdate import changed_live, taken
from twinhull.core.observed import Companion, Refusal
from twinhull.core.rehearsal import of_guests_pod
from twinhull.core.replacing import (
    crowded,
    given_up,
    overdue,
    recreated,
    succeeded,
    unshareable,
    until_overdue,
)
from twinhull.core.steps import (
    Step,
    names,
    refused,
    refused_aside,
    removals,
    soonest,
    stalled,
    waiting,
    waiting_for_end,
    waiting_for_object,
)
from twinhull.hulls import parity, service
from twinhull.hulls.hull import Hull

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
            sentence = f"waiting for {kind} {name} to go with its former owner"
            return waiting_for_object(case, Reason.WAITING, sentence, f"{kind} {name}", found.obj)
        owner = f"belongs to {found.owner.kind} {found.owner.uid}" if found.owner else "belongs to nobody"
        return stalled(
            Reason.NAME_CONFLICT,
            f"{kind} {name} {owner} but has this Workload's name or label twinhull.dev/workload: "
            "delete it, remove the label, or rename one of the two",
        )
    return None


def impossible(case: Case) -> Step | None:
    """The cluster can't give the isolation that was decided on; no weaker one takes its place.

    What comes by itself has no deadline here: KubeVirt's installation has one of its own, and says when it
    failed.
    """
    if case.current is not None or case.exit is not None:
        return None
    found = lacks(case)
    if not found:
        return None
    lasting = next((lack for lack in found if lack.reason not in PASSING), None)
    sentence = listed([lack.message for lack in found])
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
    found = backoff.back_off(case)
    wait = found.retry_at - case.now if found else timedelta()
    sentence = f"{names([case.current])} ended ({case.current.reason}) and is made again"
    if found and found.losses > 1:
        sentence = f"{names([case.current])} ended: {backoff.told(found)}"
    if wait > timedelta():
        return waiting(Reason.RESTARTING, sentence, requeue_after=wait)
    return waiting(
        Reason.RESTARTING, sentence, removals(case, [case.current], Reason.RESTARTING, case.current.reason)
    )


def missing(case: Case) -> Step | None:
    """There is no hull: make it, unless it was lost too often for now."""
    if case.current is not None:
        return None
    if too_soon := backoff.waits(case):
        return too_soon
    manifest = case.observed.manifests.get(case.hull_name) if case.is_machine else None
    sentence = f"put right ConfigMap {case.hull_name}, which somebody else had written"
    corrections = tuple(put_right(case, manifest, _drift(sentence))) if manifest else ()
    if manifest and manifest.deleting and not corrections:
        what = f"ConfigMap {case.hull_name}"
        sentence = f"waiting for {what} to end; it is then made again"
        return waiting_for_object(case, Reason.CREATING, sentence, what, manifest.obj)
    if manifest is None and (trying := of_guests_pod(case)):
        return waiting(Reason.CREATING, f"trying out {case.hull_kind} {case.hull_name}", trying)
    *before, hull = case.hull_objects
    what, again = f"{case.hull_kind} {case.hull_name}", " again" if case.again else ""
    ignored = f"; {case.ignored}" if case.ignored else ""
    sentence = f"created {what}{again} (isolation {case.resolution.resolved}){ignored}"
    found = _drift(f"put back the labels of {what}") if case.again else None
    # A machine that finds no manifest, or somebody else's, must not start: it comes in the next plan.
    actions = tuple(Create(obj) for obj in before if manifest is None) or corrections
    actions = actions or (Create(hull, Note("Normal", Reason.CREATED, sentence), found),)
    return waiting(Reason.CREATING, f"creating {what}", actions)


def curtailed(case: Case) -> Step | None:
    """What keeps the Pod apart was left out or changed: it is less isolated than its template asks for."""
    if not case.weakened:
        return None
    fields = listed([f"spec.template.{path}" for path in case.weakened], ", ")
    return stalled(
        Reason.ISOLATION_DROPPED,
        f"Pod {case.hull_name} is less isolated than its template asks for by {fields}: the API server left "
        "that out, or a webhook or policy changed it; enable the feature there, have it left as it is, or "
        "change the field",
        unsupported=case.curtailments,
    )


def lacking(case: Case) -> Step | None:
    """The hull is there, but the API server said no to what goes with it, or somebody undoes it."""
    refusals = ((action, case.refusal(action.key)) for action in companions(case))
    lacked = (found for action, found in refusals if found and _is_needed(action, found))
    refusal = next(lacked, None)
    if refusal is not None:
        return refused(case, refusal)
    unknown = unknown_node_ports(case)
    return stalled(Reason.SERVICE_REFUSED, unknown) if unknown else None


def unknown_node_ports(case: Case) -> str:
    """What is wrong with the names in spec.service.nodePorts, empty if nothing is."""
    ports = case.service["spec"]["ports"] if case.service else []
    unknown = service.unknown_ports(case.workload.spec.service, ports) if ports else []
    known = listed([port["name"] for port in ports], ", ")
    said = f"the Service has no port {listed(unknown, ', ')}, but {known}: name one of these, or remove it"
    return f"spec.service.nodePorts: {said}" if unknown else ""


def overruled(case: Case) -> Step | None:
    """The hull serves, but somebody undoes what goes with it, each time that it is put right."""
    found = next((found for found in case.observed.refusals.values() if _is_overruled(case, found)), None)
    if found is None:
        return None
    sentence = f"{case.hull_kind} {case.hull_name} is ready, but {found.message}"
    return Step("True", Reason.OVERRULED, sentence, requeue_after=found.old_at - case.now)


def starting(case: Case) -> Step | None:
    """The hull is there and not ready. If the API server refuses what it needs to run, that is told at once,
    or else after its deadline.
    """
    if case.current is None or case.current.ready:
        return None
    refused_at = case.current.refused_at
    if refused_at is not None:
        sentence = f"{names([case.current])}: {case.current.message}"
        if refused_at <= case.now:
            return stalled(case.current.reason, sentence)
        return waiting(case.current.reason, sentence, requeue_after=refused_at - case.now)
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
    if case.current and case.current.astray:
        return Step(
            "True",
            Reason.MACHINE_EDITED,
            f"{sentence}, but its guest runs by another manifest than the Workload's, which it takes at its "
            f"next start only ({case.current.astray}): give the Workload another annotation "
            f"{RESTART_ANNOTATION} to have a machine that runs by it",
        )
    return Step("True", Reason.READY, sentence)


RULES: tuple[Rule, ...] = (
    stopped,
    unplaced,
    rejected,
    evading,
    image_rejected,
    obstructed,
    changed_in_place,
    changed_live,
    crowded,
    impossible,
    unsupported,
    claimed,
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
    overruled,
    ready,
)


def decide(case: Case) -> Step:
    """The first rule's answer, or the API server's to what it asks for. The last rule always has one.

    A machine whose Pod was asked to end is deleted even if the spec wants it again: nothing runs in it any
    more. What has run below a policy's minimum for too long is deleted whatever the rules say.
    """
    step = next(step for rule in RULES if (step := rule(case)))
    evicted = evictions(case.shortfalls, case.pending_since, case.now)
    others = without((*due(case.own, case.now), *step.actions), evicted)
    step = replace(step, actions=(*evicted, *others))
    for action in step.actions:
        if refusal := case.refusal(action.key):
            step = _with_refusal(case, step, action, refusal)
            break
    step = backoff.overdue(case, step)
    later = soonest(
        step.requeue_after,
        until_overdue(case),
        until_due(case.own, case.now),
        until_eviction(case.shortfalls, case.pending_since, case.now),
        backoff.until_forgotten(case),
    )
    return replace(step, requeue_after=later)


def _with_refusal(case: Case, step: Step, action: Action, refusal: Refusal) -> Step:
    """What is so when the API server said no to an action. That another hull than the one that serves can't
    be ended, or one that ran to its end, changes nothing of what serves, or of how it ended.
    """
    if case.exit is not None:
        return step if step.stalled else refused_aside(case, step, refusal)
    served_by = (case.current.kind, case.current.name) if case.current and step.ready == "True" else None
    if served_by and isinstance(action, Change | Delete) and (action.kind, action.name) != served_by:
        serves = ready(case)
        return refused_aside(case, replace(step, reason=serves.reason, message=serves.message), refusal)
    return replace(refused(case, refusal), actions=step.actions)


def _changed_at(case: Case) -> datetime:
    """When the hull was last given something else: from then on it may take its time again."""
    change = case.last_change
    return change.at if change and change.how == "InPlace" else datetime.min.replace(tzinfo=UTC)


def _drift(sentence: str) -> Note:
    return Note("Warning", Reason.DRIFT_CORRECTED, sentence)


def _is_needed(action: Action, refusal: Refusal) -> bool:
    overruled = refusal.reason == Reason.OVERRULED
    return not (overruled and isinstance(action, Change) and not action.needed)


def _is_overruled(case: Case, refusal: Refusal) -> bool:
    return refusal.reason == Reason.OVERRULED and not refusal.is_old(case.now)


def _unhonoured(case: Case) -> tuple[UnsupportedField, ...]:
    """The template's fields that its hull can't honour."""
    conditions = parity.Conditions(
        virtiofs_storage=case.observed.capabilities.virtiofs_storage,
        node_addresses=case.defaults.node_addresses,
        runtime_class=case.resolution.runtime_class,
    )
    return case.hull_type.unsupported(case.workload.spec.template, conditions)


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
