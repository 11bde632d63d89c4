"""Steps: what a rule answers, and the words that the rules have in common."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Literal

from twinhull.api import commands
from twinhull.api.base import Raw
from twinhull.api.brevity import LONGEST_ITEM, MOST_NAMED, listed, shortened
from twinhull.api.reasons import Reason, Why
from twinhull.api.workload import RESTART_ANNOTATION
from twinhull.api.workloadstatus import Lack, ReplacementStatus, UnsupportedField
from twinhull.core.actions import Action
from twinhull.core.case import Case
from twinhull.core.graceful_end import end_actions
from twinhull.core.observed import Companion, Refusal
from twinhull.hulls.hull import Hull
from twinhull.hulls.objectmeta import created_at, leaves_at
from twinhull.hulls.types import type_that_made


@dataclass(frozen=True, slots=True)
class Step:
    """A rule's answer: the actions, and the content of the status. The first three fields are the Ready
    condition.
    """

    ready: Literal["True", "False"]
    #: Why, in one word.
    reason: Why
    #: The same in a sentence for people.
    message: str
    #: Whether the operator is working on it, or waits for what comes by itself.
    reconciling: bool = False
    #: Whether somebody has to do something.
    stalled: bool = False
    actions: tuple[Action, ...] = ()
    #: When to look again though nothing happens, None if there is no need.
    requeue_after: timedelta | None = None
    #: The fields of the template that the hull hasn't got, for status.unsupportedFields.
    unsupported: tuple[UnsupportedField, ...] = ()
    #: Whether the resolved isolation is available.
    isolated: bool = True
    #: What the cluster lacks, for status.lacks.
    lacks: tuple[Lack, ...] = ()
    #: The new status.replacement, None to take it from the history.
    replacement: ReplacementStatus | None = None
    #: The refusal of an action that the serving hull doesn't depend on: the conditions Reconciling and
    #: Stalled tell it, and Ready keeps describing the serving hull.
    refusal: Refusal | None = None


def waiting(
    reason: Why, message: str, actions: tuple[Action, ...] = (), requeue_after: timedelta | None = None
) -> Step:
    """It isn't Ready, and the operator goes on."""
    return Step("False", reason, message, reconciling=True, actions=actions, requeue_after=requeue_after)


def waiting_for_end(case: Case, hulls: Sequence[Hull], reason: Why, actions: tuple[Action, ...] = ()) -> Step:
    """Waiting for hulls to end; when that takes too long, with a word on what may keep them."""
    patience = timedelta(seconds=case.workload.spec.replacement.progress_deadline_seconds)
    left = [(hull, hull.leaves_at + patience - case.now) for hull in hulls if hull.leaves_at]
    if late := [hull for hull, time in left if time <= timedelta()]:
        verb = "has" if len(hulls) == 1 else "have"
        return stalled(
            Reason.TERMINATION_DEADLINE_EXCEEDED,
            f"{names(hulls)} {verb} not ended in time: {_how_to_end(case, hulls, late)}",
        )
    return waiting(
        reason, f"waiting for {_what_ends(hulls)}", actions, min((time for _, time in left), default=None)
    )


def _how_to_end(case: Case, hulls: Sequence[Hull], late: Sequence[Hull]) -> str:
    """What to do about the hulls that are late, of those that are to end."""
    finalizers = [name for hull in hulls if not _stays(hull) for name in _finalizers(hull.obj)]
    see = f"its finalizers ({listed(finalizers, ', ')})" if finalizers else "its finalizers"
    going = [hull for hull in late if not _stays(hull)]
    force = f"see {see} and its node; if the node is gone for good, delete it with {_force(case, going)}"
    return listed(
        [*([force] if going else ()), *(_how_to_be_off(case, hull) for hull in late if _stays(hull))]
    )


def _force(case: Case, hulls: Sequence[Hull]) -> str:
    """The command that deletes hulls whose node is gone."""
    objects = [f"{hull.kind.lower()}/{hull.name}" for hull in hulls[:MOST_NAMED]]
    return commands.others(case.workload.metadata.namespace, "kubectl", "delete", "--force", *objects)


def _stays(hull: Hull) -> bool:
    """Whether the hull is a machine that is only to be switched off: nobody has deleted it."""
    return type_that_made(hull).lasts and "deletionTimestamp" not in hull.obj["metadata"]


def _how_to_be_off(case: Case, hull: Hull) -> str:
    """What to do about a machine that isn't off in time. KubeVirt would delete the state of its TPM and
    firmware with the VirtualMachine. On a lost node KubeVirt lets an instance fail, and lets it go once its
    Pods are gone (kubevirt.io/kubevirt 1.9.0, pkg/virt-controller/watch, node/node.go:276 and
    vmi/lifecycle.go:458-471).
    """
    if hull.instance is None:
        see = "see whether virt-controller runs (kubectl get pods -n kubevirt)"
        return f"KubeVirt doesn't report that {names([hull])} is off: {see}"
    made_by = f"kubevirt.io/created-by={hull.instance['metadata']['uid']}"
    namespace = case.workload.metadata.namespace
    command = commands.others(namespace, "kubectl", "delete", "--force", "pod", "-l", made_by)
    return (
        f"see VirtualMachineInstance {hull.name}, its launcher Pod and its node; if the node is gone for "
        f"good, delete the launcher Pod with {command}, and keep {names([hull])}, which has the state of the "
        "machine's TPM and firmware"
    )


def waiting_for_object(case: Case, reason: Why, message: str, what: str, seen: Hull | Companion) -> Step:
    """Waiting for an object to go that is in the way; when that takes too long, with what may keep it."""
    patience = timedelta(seconds=case.workload.spec.replacement.progress_deadline_seconds)
    ends = seen.leaves_at if isinstance(seen, Hull) else leaves_at(seen.obj)
    since = max(ends or created_at(seen.obj), case.workload.metadata.creation_timestamp)
    left = since + patience - case.now
    if left > timedelta():
        return waiting(reason, message, requeue_after=left)
    finalizers = _finalizers(seen.obj)
    whose = f"its finalizers are {listed(finalizers, ', ')}; ask their owner to remove them"
    see = whose if finalizers else "see whether the garbage collector works, and its node, or delete it"
    return stalled(
        Reason.TERMINATION_DEADLINE_EXCEEDED,
        f"{what} blocks the hull and has not been deleted in time: {see}",
    )


def _finalizers(obj: Raw) -> list[str]:
    return [shortened(str(name), LONGEST_ITEM) for name in obj["metadata"].get("finalizers") or ()]


def stalled(
    reason: Why,
    message: str,
    *,
    actions: tuple[Action, ...] = (),
    unsupported: tuple[UnsupportedField, ...] = (),
) -> Step:
    """It isn't Ready, and somebody has to do something."""
    return Step("False", reason, message, stalled=True, actions=actions, unsupported=unsupported)


def refused(case: Case, refusal: Refusal) -> Step:
    """The step after a refusal. One that may pass by itself is waited for, up to progressDeadlineSeconds."""
    patience = timedelta(seconds=case.workload.spec.replacement.progress_deadline_seconds)
    left = refusal.since + patience - case.now
    final = refusal.final or left <= timedelta()
    return Step(
        "False",
        refusal.reason,
        refusal.message,
        reconciling=not final,
        stalled=final,
        requeue_after=None if final else left,
    )


def ready_despite_refusal(case: Case, step: Step, refusal: Refusal) -> Step:
    """The step with its Ready unchanged, and the refusal of an action in Reconciling and Stalled."""
    aside = refused(case, refusal)
    again = soonest(step.requeue_after, aside.requeue_after)
    return replace(
        step, reconciling=aside.reconciling, stalled=aside.stalled, refusal=refusal, requeue_after=again
    )


def end_hulls(case: Case, hulls: Iterable[Hull], reason: Why, why: str) -> tuple[Action, ...]:
    """Ends the hulls that aren't ending already."""
    return end_actions(hulls, reason, why, case.now, case.observed.refusals)


def _what_ends(hulls: Sequence[Hull]) -> str:
    inside = [hull for hull in hulls if hull.graceful_end.requested and not hull.deleting]
    whole = [hull for hull in hulls if hull not in inside]
    parts = [f"{names(whole)} to end"] if whole else []
    return listed([*parts, *(f"{names([hull])} to end its Pod" for hull in inside)], " and ")


def how_to_restart(case: Case) -> str:
    """What a person does to restart the Workload: by our own command, or in the file that is applied."""
    metadata = case.workload.metadata
    restart = commands.ours("restart", metadata.name, metadata.namespace)
    return f"run {restart}, or set the annotation {RESTART_ANNOTATION} to another value"


def names(hulls: Iterable[Hull]) -> str:
    """Hulls in a sentence, such as `Pod web-1a2b3c4d5e and VirtualMachine web`."""
    return listed([f"{hull.kind} {hull.name}" for hull in hulls], " and ")


def soonest(*waits: timedelta | None) -> timedelta | None:
    """The shortest of the waits that there are."""
    return min((wait for wait in waits if wait is not None), default=None)
