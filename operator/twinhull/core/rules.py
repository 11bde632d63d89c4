"""The rules: every situation that a Workload can be in, in order; the first that fits decides.

Each returns what to do now and what to say of it, or None when it isn't the situation. Nothing here knows
which event led here, or what was done before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Literal

from twinhull.api.workload import Isolation, State, UnsupportedField
from twinhull.core.actions import Action, Create, Delete, Note, Rehearse, object_key
from twinhull.core.case import Case
from twinhull.core.companions import upkeep
from twinhull.core.observed import Companion, Refusal
from twinhull.hulls import parity
from twinhull.hulls.hull import Hull

#: How long after its creation a hull that failed is made again, so that one that can't live doesn't spin.
RESTART_DELAY = timedelta(seconds=10)


@dataclass(frozen=True, slots=True)
class Step:
    """What to do now, and what is so: the Ready condition's status, one word, one sentence."""

    ready: Literal["True", "False"]
    reason: str
    message: str
    reconciling: bool = False
    stalled: bool = False
    actions: tuple[Action, ...] = ()
    requeue_after: timedelta | None = None
    unsupported: tuple[UnsupportedField, ...] = ()
    isolated: bool = True


Rule = Callable[[Case], Step | None]


def stopped(case: Case) -> Step | None:
    """Nothing is to run."""
    if case.workload.spec.state is not State.STOPPED:
        return None
    if not case.own:
        strangers = obstructed(case) if case.observed.hulls else None
        return strangers or Step("True", "Stopped", "stopped, as spec.state asks")
    note = "spec.state is Stopped"
    return _ending(case, case.own, "Stopping", _removals(case.own, "Stopped", note))


def obstructed(case: Case) -> Step | None:
    """Something that isn't ours has our name or our label, and would answer for us."""
    for kind, name, found in _neighbours(case):
        if case.owns(found):
            continue
        if found.deleting or (found.owner and found.owner.takes_along):
            return _waiting("Waiting", f"waiting for {kind} {name} to go with its former owner")
        owner = f"belongs to {found.owner.kind} {found.owner.uid}" if found.owner else "belongs to nobody"
        return _stalled(
            "NameConflict",
            f"{kind} {name} {owner} but has this Workload's name or label twinhull.dev/workload: "
            "delete it, remove the label, or rename one of the two",
        )
    return None


def impossible(case: Case) -> Step | None:
    """The cluster can't give the isolation that was decided on; no weaker one takes its place."""
    if case.current is not None or case.exit is not None:
        return None
    phase = case.observed.capabilities.kubevirt
    if case.is_machine and phase in {"", "Deploying"}:
        return replace(_waiting("KubeVirtNotReady", "waiting for KubeVirt to be deployed"), isolated=False)
    lack = _lack_of_machine(case) if case.is_machine else _lack_of_sandbox(case)
    return lack and _stalled(*lack, isolated=False)


def unsupported(case: Case) -> Step | None:
    """The template asks for what a machine can't give, by the table in hulls/parity."""
    if case.current is not None or case.exit is not None or not case.is_machine:
        return None
    fields = parity.unsupported(case.workload.spec.template)
    if not fields:
        return None
    first, more = fields[0], len(fields) - 1
    others = f" (and {more} more in status.unsupportedFields)" if more else ""
    return _stalled(
        "UnsupportedFields", f"spec.template.{first.path}: {first.reason}{others}", unsupported=fields
    )


def outdated(case: Case) -> Step | None:
    """A hull of another revision is still there: it goes first, once it is known that another can come."""
    if not case.former:
        return None
    hull = case.hull_objects[-1]
    standing = case.current is None and any(not former.deleting for former in case.former)
    if standing and object_key(hull) not in case.observed.rehearsed:
        return _waiting("Replacing", f"trying out {case.hull_kind} {case.hull_name}", (Rehearse(hull),))
    note = f"replaced by {case.hull_kind} {case.hull_name}"
    return _ending(case, case.former, "Replacing", _removals(case.former, "Replacing", note))


def leaving(case: Case) -> Step | None:
    """The hull of this revision is on its way out, by somebody else's hand: it is made again after."""
    if case.current is None or not case.current.deleting or case.exit:
        return None
    return _ending(case, [case.current], "Restarting")


def completed(case: Case) -> Step | None:
    """It ran to completion. Its Pod is left for its logs; its machine isn't, since KubeVirt runs one again
    whose instance is deleted.
    """
    if case.exit is None:
        return None
    machines = [hull for hull in (case.current,) if hull and hull.kind == "VirtualMachine"]
    remembered = case.workload.status.exit == case.exit
    actions = _removals(machines, "Completed", "it ran to completion") if remembered else ()
    again = timedelta() if machines and not remembered else None
    code = "" if case.exit.code is None else f" with exit code {case.exit.code}"
    which = f"container {case.exit.container} " if case.exit.container else ""
    detail = f": {case.exit.message}" if case.exit.message else ""
    sentence = f"{which}ended{code} ({case.exit.reason}){detail}"
    if case.exit.code == 0 or case.exit.reason == "Completed":
        return Step("True", "Completed", sentence, actions=actions, requeue_after=again)
    return replace(_stalled("Failed", sentence), actions=actions, requeue_after=again)


def lost(case: Case) -> Step | None:
    """The hull failed as a whole (evicted, refused by its node) and is to run again."""
    if case.current is None or not case.current.ended:
        return None
    wait = min(RESTART_DELAY, case.current.created_at + RESTART_DELAY - case.now)
    sentence = f"{_names([case.current])} ended ({case.current.reason}) and is made again"
    if wait > timedelta():
        return _waiting("Restarting", sentence, requeue_after=wait)
    return _waiting("Restarting", sentence, _removals([case.current], "Restarting", case.current.reason))


def missing(case: Case) -> Step | None:
    """There is no hull: make it."""
    if case.current is not None:
        return None
    manifest = case.observed.manifests.get(case.hull_name) if case.is_machine else None
    if manifest and manifest.deleting:
        return _waiting("Creating", f"waiting for ConfigMap {case.hull_name} to end; it is then made again")
    *before, hull = case.hull_objects
    sentence = f"created {case.hull_kind} {case.hull_name} (isolation {case.resolution.resolved})"
    # A machine that finds no manifest, or somebody else's, must not start: it comes in the next plan.
    actions = tuple(Create(obj) for obj in before if manifest is None)
    actions = actions or (Create(hull, Note("Normal", "Created", sentence)),)
    return _waiting("Creating", f"creating {case.hull_kind} {case.hull_name}", actions)


def curtailed(case: Case) -> Step | None:
    """The API server left out what keeps the Pod apart: it is less isolated than its template asks for."""
    weakening = [field.path for field in case.curtailments if _keeps_apart(field.path)]
    if not weakening:
        return None
    names = ", ".join(f"spec.template.{path}" for path in weakening)
    return _stalled(
        "IsolationDropped",
        f"Pod {case.hull_name} runs without {names}, which the API server left out: "
        "enable the feature there, or remove the field",
        unsupported=case.curtailments,
    )


def lacking(case: Case) -> Step | None:
    """The hull is there, but the API server said no to what goes with it."""
    refusal = next((found for action in upkeep(case) if (found := case.refusal(action.key))), None)
    return None if refusal is None else _refused(refusal)


def starting(case: Case) -> Step | None:
    """The hull is there and not ready."""
    if case.current is None or case.current.ready:
        return None
    deadline = timedelta(seconds=case.workload.spec.replacement.progress_deadline_seconds)
    left = case.current.since + deadline - case.now
    sentence = f"{_names([case.current])}: {case.current.message or case.current.reason}"
    if left > timedelta():
        return _waiting(case.current.reason or "NotReady", sentence, requeue_after=left)
    return _stalled(
        "ProgressDeadlineExceeded",
        f"not ready after {deadline.seconds + deadline.days * 86_400} s: {sentence}",
    )


def ready(case: Case) -> Step:
    """All is as asked."""
    return Step("True", "Ready", f"{case.hull_kind} {case.hull_name} is ready")


RULES: tuple[Rule, ...] = (
    stopped,
    obstructed,
    impossible,
    unsupported,
    outdated,
    leaving,
    completed,
    lost,
    missing,
    curtailed,
    lacking,
    starting,
    ready,
)


def decide(case: Case) -> Step:
    """The first rule's answer, or the API server's to what it asks for. The last rule always has one."""
    step = next(step for rule in RULES if (step := rule(case)))
    refusal = next((found for action in step.actions if (found := case.refusal(action.key))), None)
    return step if refusal is None else replace(_refused(refusal), actions=step.actions)


def _lack_of_sandbox(case: Case) -> tuple[str, str] | None:
    name = case.resolution.runtime_class
    if case.resolution.resolved is not Isolation.SANDBOX:
        return None
    if name is None:
        return "RuntimeClassMissing", (
            "no RuntimeClass is named for the sandbox: set spec.sandbox.runtimeClassName, "
            "or the operator's --sandbox-runtime-class"
        )
    if name not in case.observed.capabilities.runtime_classes:
        return "RuntimeClassMissing", (
            f"RuntimeClass {name} does not exist: create it, or name another in spec.sandbox.runtimeClassName"
        )
    if case.workload.spec.template["spec"].get("runtimeClassName"):
        return "RuntimeClassConflict", (
            "spec.template.spec.runtimeClassName: a Sandbox takes its RuntimeClass from "
            "spec.sandbox.runtimeClassName; move it there"
        )
    return None


def _lack_of_machine(case: Case) -> tuple[str, str] | None:
    phase = case.observed.capabilities.kubevirt
    if phase is None:
        return "KubeVirtMissing", (
            "isolation VirtualMachine needs KubeVirt, which is not installed in this cluster: "
            "install it (kubevirt.io), and this Workload goes on by itself"
        )
    if phase != "Deployed":
        return "KubeVirtNotReady", f"KubeVirt is {phase}: see kubectl get kubevirt -A"
    if not (case.workload.spec.virtual_machine.guest_image or case.defaults.guest_image):
        return "GuestImageMissing", (
            "no guest image is named for the machine: set spec.virtualMachine.guestImage, "
            "or the operator's --guest-image"
        )
    return None


def _neighbours(case: Case) -> Iterator[tuple[str, str, Hull | Companion]]:
    """All that has our label or our name."""
    for hull in case.observed.hulls:
        yield hull.kind, hull.name, hull
    if case.service and case.observed.service:
        yield "Service", case.workload.metadata.name, case.observed.service
    if case.is_machine and case.hull_name in case.observed.manifests:
        yield "ConfigMap", case.hull_name, case.observed.manifests[case.hull_name]


def _keeps_apart(path: str) -> bool:
    whole = {"spec.automountServiceAccountToken", "spec.hostUsers", "spec.runtimeClassName"}
    return path in whole or "securityContext" in path


def _waiting(
    reason: str, message: str, actions: tuple[Action, ...] = (), requeue_after: timedelta | None = None
) -> Step:
    return Step("False", reason, message, reconciling=True, actions=actions, requeue_after=requeue_after)


def _ending(case: Case, hulls: Sequence[Hull], reason: str, actions: tuple[Action, ...] = ()) -> Step:
    """Waiting for hulls to end; when that takes too long, with a word on what may keep them."""
    patience = timedelta(seconds=case.workload.spec.replacement.progress_deadline_seconds)
    left = [hull.leaves_at + patience - case.now for hull in hulls if hull.leaves_at]
    if left and min(left) <= timedelta():
        return _stalled(
            "TerminationDeadlineExceeded",
            f"{_names(hulls)} should have ended and hasn't: see its finalizers and its node; if the node is "
            "gone for good, delete it with kubectl delete --force",
        )
    return _waiting(reason, f"waiting for {_names(hulls)} to end", actions, min(left, default=None))


def _stalled(
    reason: str, message: str, *, isolated: bool = True, unsupported: tuple[UnsupportedField, ...] = ()
) -> Step:
    return Step("False", reason, message, stalled=True, isolated=isolated, unsupported=unsupported)


def _refused(refusal: Refusal) -> Step:
    return Step(
        "False",
        refusal.reason,
        refusal.message,
        reconciling=not refusal.final,
        stalled=refusal.final,
    )


def _removals(hulls: Iterable[Hull], reason: str, why: str) -> tuple[Action, ...]:
    """Deletions of the hulls that aren't on their way out already."""
    return tuple(
        Delete(
            hull.kind, hull.name, hull.uid, Note("Normal", reason, f"deleted {hull.kind} {hull.name}: {why}")
        )
        for hull in hulls
        if not hull.deleting
    )


def _names(hulls: Iterable[Hull]) -> str:
    return " and ".join(f"{hull.kind} {hull.name}" for hull in hulls)
